"""Diagnostics for people and programs: text with an excerpt, one line, JSON."""
