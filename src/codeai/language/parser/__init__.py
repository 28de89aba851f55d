"""Tokens to tree: recursive descent with Pratt expressions, recovery at every item, no exception on any text."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from codeai.language.diagnostics import Diagnostic, DiagnosticClass
from codeai.language.invisible import invisible
from codeai.language.lexer import END, tokenize
from codeai.language.parser.braces import mend_braces
from codeai.language.parser.declarations import Parser
from codeai.language.parser.foreign_files import prepared
from codeai.language.parser.repairs import repaired
from codeai.language.parser.reporting import ParseFailure
from codeai.language.source import SourceFile
from codeai.language.spellings.outline import Outline, merged, outline_of
from codeai.language.tree.expressions import Expression
from codeai.language.tree.module import Module


class Parsed(msgspec.Struct, frozen=True):
    """A module and what is wrong with its text; ``incomplete`` when an older spelling asked what other files declare."""

    module: Module
    diagnostics: list[Diagnostic]
    incomplete: bool = False


class ParsedExpression(msgspec.Struct, frozen=True):
    """An expression (None when the text is none) and what is wrong with it."""

    expression: Expression | None
    diagnostics: list[Diagnostic]


def parse_module(file: SourceFile, outline: Outline | None = None) -> Parsed:
    """Parses the text of a program file. Never raises; whatever the tree lacks is in the diagnostics.

    :param outline: what the whole program declares, which some older spellings depend on; without it, what this file does
    """
    tokens = tokenize(file.text, file.base)
    parser = Parser(file, tokens)
    parser.known = outline
    prepared(parser)
    mend_braces(parser)
    module = parser.module()
    known = parser.known
    module, diagnostics = repaired(file, module, parser.diagnostics, lambda: known or outline_of(tokenize(file.text, file.base)))
    diagnostics.extend(invisible(file, tokens, diagnostics))
    return Parsed(module, diagnostics, parser.incomplete)


Parse = Callable[[SourceFile, Outline | None], Parsed]


def completed(files: Sequence[SourceFile], parsed: Sequence[Parsed], parse: Parse = parse_module) -> list[Parsed]:
    """Parses those files of a program anew whose older spellings depend on what its other files declare.

    :param parse: how they are parsed
    """
    if len(files) < 2 or not any(one.incomplete for one in parsed):
        return list(parsed)
    outline = declared_in(files)
    return [parse(file, outline) if one.incomplete else one for file, one in zip(files, parsed, strict=True)]


def declared_in(files: Sequence[SourceFile]) -> Outline:
    """What the files of a program declare together."""
    return merged(outline_of(tokenize(file.text, file.base)) for file in files)


def parse_expression(file: SourceFile) -> ParsedExpression:
    """Parses query text at run time: a condition, or a query (language page, section 4), which must take up the whole text.

    The diagnostics have the classes ``LexerError`` and ``ParserError``.
    """
    tokens = tokenize(file.text, file.base, error=DiagnosticClass.LEXER)
    tokens.breaks[:] = [False] * len(tokens.breaks)  # the text is one expression, however many lines it has
    parser = Parser(file, tokens, query=True)
    expression: Expression | None = None
    try:
        expression = parser.expression()
        if not parser.at(END):
            parser.fail_expected("end of input")
    except ParseFailure:
        expression = None
    if parser.diagnostics:
        expression = None
    return ParsedExpression(expression, parser.diagnostics)
