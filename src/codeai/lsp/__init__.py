"""The language server: the same compiler for editors.

What an answer is, is worked out by functions of a checked program and a place in it; ``server`` alone speaks the protocol
(Language Server Protocol 3.17, by pygls).
"""
