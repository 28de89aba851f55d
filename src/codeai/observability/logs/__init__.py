"""Logs: one line per record, JSON or text, written by a thread of its own."""
