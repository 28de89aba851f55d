"""Connections, transactions and schema: PostgreSQL and SQLite behind one small interface."""
