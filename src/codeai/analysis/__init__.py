"""Tree to model: names, types, checks, and the resolved program, in one pass (elaboration).

Pure like ``language``: no I/O, no environment. Every finding is a diagnostic; nothing is raised on any tree.
"""
