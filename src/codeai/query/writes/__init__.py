"""Writes: rows that are created, changed and removed, with their policies in the same statement.

A new row is made here, value by value (given, from a record, by default, by the server), checked against the rules of its
fields, and sent whole; so nothing has to be read back. Policies on a new row are the ``WHERE`` of the statement that writes it.
"""
