"""The syntax tree: what the author wrote, node by node, with positions; one module per group of nodes.

Import the modules and name nodes by them (``expressions.Call``): several nodes have namesakes among statements, types and the
resolved model.
"""
