"""Pages for people: the documentation of the interface, made of files of our own and served without any other host."""
