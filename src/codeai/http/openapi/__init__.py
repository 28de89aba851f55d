"""The program as an OpenAPI 3.1 document, made once at start from the same model as the plans."""
