"""What the printer gets wrong stays as it was written, and what it leaves is told."""

import pytest

from codeai.language.formatter import Formatted, format_module
from codeai.language.formatter.declarations import Declarations
from codeai.language.parser import parse_module
from codeai.language.source import SourceFile, Sources
from codeai.language.tree.equality import same
from codeai.language.tree.module import Module
from codeai.language.tree.node import Identifier, Node

PROGRAM = """// first
enum Status   {{ a, b }}
// second
enum   Odd {{ {member},   // a comment
  d }} // behind
enum Last   {{ e }}
"""
KEPT = """// first
enum Status {{ a, b }}

// second
enum   Odd {{ {member},   // a comment
  d }}  // behind

enum Last {{ e }}
"""


def parsed(text: str) -> tuple[Module, SourceFile]:
    file = Sources().add("a.cai", text)
    found = parse_module(file)
    assert found.diagnostics == []
    return found.module, file


class Misprinting(Declarations):
    """Loses a member of an enum, or what stands behind one."""

    def enum_member(self, node: Identifier) -> str:
        return {"lost": "", "endless": "endless } {"}.get(node.text, super().enum_member(node))


@pytest.mark.parametrize("member", ["lost", "endless"])
def test_a_declaration_that_would_say_something_else_stays_as_it_is_written(member: str) -> None:
    module, file = parsed(PROGRAM.format(member=member))
    formatted = format_module(module, file, printer=Misprinting)
    assert formatted.kept == (module.declarations[1],)
    assert formatted.text == KEPT.format(member=member)
    assert same(parsed(formatted.text)[0].declarations, module.declarations)
    assert format_module(*parsed(formatted.text), printer=Misprinting).text == formatted.text


def test_a_file_whose_declarations_say_something_else_together_stays_as_it_is_written() -> None:
    class Gluing(Declarations):
        def module(self) -> str:
            return super().module().replace("}", "/* } */")

    module, file = parsed(PROGRAM.format(member="c"))
    assert format_module(module, file, printer=Gluing) == Formatted(file.text, module.declarations)


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ("enum A { b }", "enum  A {\n b }  // c", True),
        ("enum A { b }", "enum A { c }", False),
        ("enum A { b }", "enum A { b, c }", False),
        ("enum A { b }", "type A { b: int }", False),
        ('import "a.cai"', 'import "b.cai"', False),
        ("function f() { return 1 }", "function f() { return 1.0 }", False),
        ("function f() { return a + b * c }", "function f() { return a + (b * c) }", True),
        ("function f() { return a + b * c }", "function f() { return (a + b) * c }", False),
        ("function f() { return null }", "function f() { return false }", False),
    ],
)
def test_trees_are_the_same_when_they_say_the_same(one: str, other: str, equal: bool) -> None:
    assert same(parsed(one)[0].declarations, parsed(other)[0].declarations) is equal


def test_trees_of_one_node_are_the_same() -> None:
    node: Node = Identifier(0, 1, "a")
    assert same(node, node)
    assert not same(node, "a")
