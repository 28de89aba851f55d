"""Resolved expressions and statements as Python functions, made once when the program starts."""
