"""What lies beneath a node is found by the kinds of its fields."""

from pathlib import Path

from codeai.language.parser import parse_module
from codeai.language.source import SourceFile
from codeai.language.tree.node import Node, children

PROGRAM = Path(__file__).parents[2] / "examples/bookshop/orders.cai"


def test_no_node_is_left_out() -> None:
    waiting: list[Node] = [parse_module(SourceFile("orders.cai", PROGRAM.read_text(encoding="utf-8"))).module]
    seen = 0
    while waiting:
        node = waiting.pop()
        values = [getattr(node, name) for name in node.__struct_fields__]
        everything = [one for value in values for one in (value if isinstance(value, tuple) else (value,)) if isinstance(one, Node)]
        assert list(children(node)) == everything
        waiting += everything
        seen += 1
    assert seen > 300
