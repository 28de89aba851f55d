"""SQLite in one process: a writer, readers on threads, and key reads inline in the event loop.

A single-row read costs less than handing it to a thread, so ``fetch_row`` outside of transactions runs where it is called;
everything else runs on the thread of its connection.
"""
