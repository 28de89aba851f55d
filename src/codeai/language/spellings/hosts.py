"""What an older block may refer to by bare names: the parameters of its endpoint, its input, and the variables so far."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from codeai.language.lexer import NAME
from codeai.language.operators import PREFIXES, VALUES
from codeai.language.tree import expressions as ex
from codeai.language.tree import queries as q
from codeai.language.tree.node import Identifier

if TYPE_CHECKING:
    from codeai.language.parser.cursor import Cursor


class Host(msgspec.Struct):
    """The declaration around a block, as older steps see it.

    ``older`` says that it has older clauses, so that an assignment may declare; ``place`` is where ``request`` comes from,
    and ``takes_input`` whether there is one.
    """

    older: bool = False
    parameters: tuple[str, ...] = ()
    place: str = "body"
    declared: set[str] = set()
    assigned: str = ""
    entities: dict[str, str] = {}
    queries: dict[str, q.Select] = {}
    guarded: bool = False
    end: int = 0
    inputs: dict[str, set[str] | None] = {}
    failing: bool = False
    takes_input: bool = False

    def name(self, text: str, start: int, end: int) -> ex.Expression:
        """What a bare name means: a variable, a parameter of the path, a member of the input."""
        if text in self.declared or text[:1].isupper():
            return ex.Name(start, end, text)
        if text == "request" and self.older:
            return ex.Name(start, end, self.place)
        for parameter in self.parameters:
            if _folded(parameter) == _folded(text):
                return ex.Member(start, end, ex.Name(start, end, "path"), Identifier(start, end, parameter))
        if self.older and self.place == "query" and text not in ("user", "config", "path", "query"):
            return ex.Member(start, end, ex.Name(start, end, "query"), Identifier(start, end, text))
        return ex.Name(start, end, text)

    def resolved(self, value: ex.Expression) -> ex.Expression:
        """An argument of an older step, with its bare names resolved."""
        if isinstance(value, ex.Name):
            return self.name(value.text, value.start, value.end)
        if isinstance(value, ex.Member):
            return msgspec.structs.replace(value, target=self.resolved(value.target))
        if isinstance(value, ex.Index):
            return msgspec.structs.replace(value, target=self.resolved(value.target), index=self.resolved(value.index))
        if isinstance(value, ex.MapLiteral):
            return msgspec.structs.replace(value, entries=tuple(self.entry(entry) for entry in value.entries))
        if isinstance(value, ex.ListLiteral):
            return msgspec.structs.replace(value, items=tuple(self.resolved(item) for item in value.items))
        if isinstance(value, ex.Binary):
            return msgspec.structs.replace(value, left=self.resolved(value.left), right=self.resolved(value.right))
        return value

    def entry(self, entry: ex.MapEntry) -> ex.MapEntry:
        """An entry of a map, with its value resolved."""
        return msgspec.structs.replace(entry, value=self.resolved(entry.value))


def _folded(name: str) -> str:
    return name.replace("_", "").lower()


def request_place(p: Cursor) -> tuple[str, bool, bool]:
    """Where ``request`` comes from in the block that opens at the current token, whether there are older clauses, and it among them."""
    place = "body"
    older = taking = False
    if p.words.isdisjoint(("request", "response", "require_role", "from")):
        return place, older, taking
    depth, at = 0, p.i
    while p.kinds[at] != "end":
        kind = p.kinds[at]
        depth += (kind in ("{", "(", "[")) - (kind in ("}", ")", "]"))
        if depth <= 0:
            break
        if depth == 1 and kind == NAME and p.texts[at] in ("request", "response", "require_role") and p.kinds[at - 1] != ":":
            clause = p.kinds[at + 1] in (NAME, "{", ":")
            older, taking = older or clause, taking or (clause and p.texts[at] == "request")
        if depth == 1 and kind == NAME and p.texts[at] == "from" and p.kinds[at + 1] == NAME and p.texts[at + 1] != "path":
            place = p.texts[at + 1]
        at += 1
    return place, older, taking


def assigned_again(p: Cursor, name: str, stop: int) -> bool:
    """Whether a later line of the block assigns to the name, or an older step changes its row."""
    at = p.i + 1
    while at < len(p.kinds) - 3 and p.starts[at] < stop:
        if p.texts[at] == name and p.kinds[at] == NAME and p.kinds[at + 1] == "=" and p.texts[at - 1] not in ("set", ",", "."):
            return True
        if p.texts[at] in ("update", "patch") and p.kinds[at + 1] == "(" and p.texts[at + 2] == name and p.kinds[at + 3] == ",":
            return True
        at += 1
    return False


def fresh(p: Cursor, name: str) -> str:
    """The name for a row that an older step does not name, and that nothing else in the block has; it is declared with this."""
    taken = {*p.host.declared, *PREFIXES, *VALUES}
    at = p.i
    while p.kinds[at] != "end" and p.starts[at] < p.host.end:
        if p.kinds[at] == NAME and (p.kinds[at + 1] == "=" or p.texts[at - 1] in ("let", "var", "for")):
            taken.add(p.texts[at])
        at += 1
    while name in taken:
        name += "_row"
    p.host.declared.add(name)
    return name


def block_end(p: Cursor) -> int:
    """Where the block that opens at the current token ends."""
    depth, at = 0, p.i
    while p.kinds[at] != "end":
        depth += (p.kinds[at] == "{") - (p.kinds[at] == "}")
        if depth <= 0:
            break
        at += 1
    return p.ends[at]
