"""The compiler and the manual for agents: ``codeai mcp``, over the Model Context Protocol (https://modelcontextprotocol.io).

What is here only answers; nothing of it writes a file. Findings, edits, the canonical form and the results of tests are those of
the command line.
"""
