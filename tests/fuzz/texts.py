"""What must hold for any text: the target of the fuzzer, and of the properties that hypothesis tests."""

from typing import Any

from codeai.language.diagnostics import Severity
from codeai.language.formatter import Formatted, format_module
from codeai.language.formatter.declarations import Declarations
from codeai.language.parser import Parsed, parse_expression, parse_module
from codeai.language.source import Sources
from codeai.language.tree.node import Node


def check_program(text: str) -> None:
    """Parsing does not raise, and what parses is formatted to the same tree, once and for all."""
    found = parsed_and_formatted(text)
    if found is None:
        return
    parsed, once = found[0], found[1].text
    again = Sources().add("a.cai", once)
    reparsed = parse_module(again)
    assert [found.message for found in reparsed.diagnostics if found.severity is Severity.ERROR] == [], once
    assert format_module(reparsed.module, again).text == once
    assert shape(reparsed.module) == shape(parsed.module), once


def check_printing(text: str) -> None:
    """Besides, all of it has a canonical form that says the same: nothing is left as it was written."""
    check_program(text)
    found = parsed_and_formatted(text)
    assert found is None or not found[1].kept, Declarations(found[0].module, Sources().add("a.cai", text)).module()


def parsed_and_formatted(text: str) -> tuple[Parsed, Formatted] | None:
    """Parsing does not raise and its places lie in the text; formatting what has no error does not raise."""
    file = Sources().add("a.cai", text)
    parsed = parse_module(file)
    for found in parsed.diagnostics:
        assert 0 <= found.primary.start <= found.primary.end <= len(text) + 1, found
    within(parsed.module, 0, len(text))
    if any(found.severity is Severity.ERROR for found in parsed.diagnostics):
        return None
    return parsed, format_module(parsed.module, file)


def check_query(text: str) -> None:
    """Query text is parsed or refused, with places in the text."""
    parsed = parse_expression(Sources().add("<query>", text))
    assert (parsed.expression is None) == bool(parsed.diagnostics)
    for found in parsed.diagnostics:
        assert 0 <= found.primary.start <= found.primary.end <= len(text) + 1, found


def within(value: Any, start: int, end: int) -> None:
    """Nodes lie inside of the text, with their beginning before their end."""
    if isinstance(value, tuple):
        for part in value:
            within(part, start, end)
    elif isinstance(value, Node):
        assert start <= value.start <= value.end <= end, value
        for name in value.__struct_fields__:
            within(getattr(value, name), start, end)


def shape(value: Any) -> Any:
    """A tree without positions."""
    if isinstance(value, Node):
        left_out = ("start", "end", "comments", "quoted")
        return type(value).__name__, [(name, shape(getattr(value, name))) for name in value.__struct_fields__ if name not in left_out]
    return [shape(part) for part in value] if isinstance(value, tuple) else value


def fuzz_program(data: bytes) -> None:
    """Nothing raises, places lie in the text, formatting keeps the tree."""
    check_program(text_of(data))


def fuzz_format(data: bytes) -> None:
    """What the printer gets wrong, so that the formatter leaves it as it was written: rare, and no fault for who formats."""
    check_printing(text_of(data))


def fuzz_query(data: bytes) -> None:
    check_query(data.decode("utf-8", "replace"))


def text_of(data: bytes) -> str:
    """The text of a file, as loading reads it."""
    return data.decode("utf-8", "replace").replace("\r\n", "\n").replace("\x00", " ")
