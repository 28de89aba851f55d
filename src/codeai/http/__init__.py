"""HTTP: dispatch, decoding, problems, encoding. Plans are built at start; a request builds nothing."""
