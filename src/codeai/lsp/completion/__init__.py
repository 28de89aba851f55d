"""What could stand at the cursor.

The compiler itself is asked: a name that nothing has is put at the cursor. Whatever the parser expects there, and the names among which the
analysis looks for it, are what could stand there (``asking``). So editors offer exactly what the checker accepts.
"""
