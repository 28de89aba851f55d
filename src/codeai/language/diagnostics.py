"""Diagnostics as data: what is wrong, where, and how to mend it. Rendering lives elsewhere (``rendering``)."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Severity(StrEnum):
    """How much a diagnostic weighs: only errors make a program invalid."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"
    HINT = "hint"


class DiagnosticClass(StrEnum):
    """The kind of mistake, named in every rendering (language page, sections 7 and 13)."""

    SYNTAX = "SyntaxError"
    SCOPE = "ScopeError"
    TYPE = "TypeError"
    FUNCTION = "FunctionError"
    SEMANTIC = "SemanticError"
    LEXER = "LexerError"
    PARSER = "ParserError"
    COMPILER = "CompilerError"
    EXECUTION = "ExecutionError"


class Span(msgspec.Struct, frozen=True, gc=False):
    """A stretch of program text: offsets in the space of the program's sources, end exclusive, with an optional label."""

    start: int
    end: int
    label: str = ""


class Edit(msgspec.Struct, frozen=True, gc=False):
    """A replacement of text; ``safe`` edits keep the meaning that the author must have had, and ``--fix`` applies them."""

    start: int
    end: int
    replacement: str
    safe: bool = True


PROGRAM = "the program"
HERE = ""
SETTING = "config."


class Subject(msgspec.Struct, frozen=True, gc=False):
    """What a finding is about, in names of the program: by them it is known which findings follow from one another.

    :param name: what is not known, not used or misses something
    :param owner: what should have it: a declaration by its name, HERE for the one in which the finding stands, PROGRAM for all of it,
        and SETTING begins the one of a setting
    :param meant: the known name that is suggested for it
    :param lacking: what it should have
    """

    name: str
    owner: str = PROGRAM
    meant: str = ""
    lacking: tuple[str, ...] = ()


class Diagnostic(msgspec.Struct, frozen=True, gc=False):
    """One finding. ``code`` is a stable ``CAI…`` number of the registry in ``codes``; ``message`` has no full stop."""

    code: str
    kind: DiagnosticClass
    message: str
    primary: Span
    severity: Severity = Severity.ERROR
    secondary: tuple[Span, ...] = ()
    expected: tuple[str, ...] = ()
    help: str = ""
    note: str = ""
    edits: tuple[Edit, ...] = ()
    subject: Subject | None = None
