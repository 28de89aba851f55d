"""What stands around endpoints where the program asks for it: limits, caches, cross-origin rules, logs, compression, Python.

An endpoint without any of it is handled by its plan alone.
"""
