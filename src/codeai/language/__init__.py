"""The text of a program and what it says: pure functions and data, no I/O, no other package of CodeAI."""
