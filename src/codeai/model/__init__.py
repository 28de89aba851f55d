"""The application that a program describes: frozen classes, one module per noun; ``analysis`` makes them.

None of them can lead back to itself, so that they are left out of garbage collection (``gc=False``), which would go through all of a
large program again and again while it is checked.
"""
