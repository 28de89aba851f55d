"""Queries: expressions to SQL for both dialects, policies, statement plans, lists and pages, query text at run time.

Plans are built once, when the program starts. A plan names the expressions whose values it needs (``plan.values``); the host
evaluates them and calls ``plan.run``. Nothing here evaluates an expression in Python, and nothing outside sees SQL.
Schemas are not here (``storage.schema``), nor are connections (``storage``). What changes rows lives in ``writes``.
"""
