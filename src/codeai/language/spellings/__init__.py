"""Older spellings of the language (language page, section 12), one module per construct.

Each function here reads an older spelling at the position of the parser and gives the nodes of the canonical form, so that
nothing behind the parser knows how a program was written. It notes the spelling (``Cursor.older``) with the canonical form, and
returns None, with nothing taken, where the text is canonical after all. The parser asks at few places: before a clause or a
declaration is looked up by its keyword, behind a call in a block, and where a quoted text may be more than a text.
"""
