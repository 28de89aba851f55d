"""What the answer of the compiler means for the cursor."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lsprotocol.types import CompletionItemKind as Kind

from codeai.analysis.arguments import argument_problem
from codeai.analysis.builtins import BUILTINS
from codeai.analysis.names import PLACES
from codeai.analysis.scope import Scope, Variable
from codeai.analysis.symbols import EntitySymbol
from codeai.analysis.types import must_send
from codeai.language import types as t
from codeai.language.tree import expressions as ex
from codeai.language.tree import statements as st
from codeai.language.tree import types as ty
from codeai.language.tree.node import Node, Reference
from codeai.language.written import written
from codeai.lsp.completion.asking import MARK, Answer
from codeai.lsp.completion.items import Candidate, functions, words
from codeai.lsp.words import words as table

_KINDS: Final = {
    "CAI0104": Kind.Class,
    "CAI0105": Kind.Field,
    "CAI0106": Kind.Field,
    "CAI0107": Kind.Property,
    "CAI0108": Kind.Property,
    "CAI0109": Kind.EnumMember,
    "CAI0110": Kind.Function,
    "CAI0113": Kind.Field,
    "CAI0120": Kind.Event,
    "CAI0121": Kind.Module,
    "CAI0122": Kind.Method,
    "CAI0124": Kind.Function,
    "CAI0128": Kind.Module,
    "CAI0129": Kind.Event,
    "CAI0132": Kind.Property,
    "CAI0134": Kind.Value,
    "CAI0307": Kind.EnumMember,
}
_UNDEFINED: Final = "CAI0101"
_TYPE: Final = "CAI0201"
_FIELD: Final = "CAI0105"
_LITERALS: Final = ("true", "false", "null")
_QUERIES: Final = ("select", "first", "get", "exists", "create", "update", "delete", "call", "start", "run")
_OF_TESTS: Final = ("expect", "mock", "advance")
_ON_VALUES: Final = "tldsmnuif"  # kinds of parameters of which a method makes sense
ENTITY: Final = ("allow", "hide", "index", "check", "table", "traits")
ACTIONS: Final = ("list", "get", "create", "update", "delete")


def candidates(answer: Answer, block: str) -> Iterator[Candidate]:
    """All candidates.

    :param block: the word that opens the block in which the cursor begins an item; empty elsewhere
    """
    yield from words(_kind_of_words(answer), answer.words)
    if block in ("entity", "model"):
        yield from words("clause", ENTITY)
    if block == "resource":
        yield from words("clause", ACTIONS)
    keyed = bool(answer.around) and isinstance(_inner(answer, 1), ex.MapEntry) and len(answer.names) > 1
    for code, names in answer.names.items():
        if code == _TYPE:
            yield from _types(answer, names)
        elif code == _UNDEFINED:
            if not keyed:
                yield from _expression(answer)
        else:
            yield from _names(answer, code, names)
    if _UNDEFINED not in answer.names and isinstance(answer.marked, ex.Member):
        yield from _methods(answer, answer.marked)
    yield from _of_reference(answer)


def _kind_of_words(answer: Answer) -> str:
    known = set(answer.words)
    return next((kind for kind in ("declaration", "modifier", "clause") if known and known <= set(table()[kind])), "clause")


def _inner(answer: Answer, at: int) -> Node | None:
    return answer.around[-1 - at] if len(answer.around) > at else None


# -- names ----------------------------------------------------------------------------------------------------------------


def _names(answer: Answer, code: str, names: list[str]) -> Iterator[Candidate]:
    kind = _KINDS.get(code, Kind.Value)
    entity = next((one for one in answer.symbols.entities.values() if one.member_names() == names), None) if code == _FIELD else None
    node = _inner(answer, 1)
    keys = isinstance(node, ex.MapEntry) and node.key is _inner(answer, 0)
    given = _given(answer) if keys else set()
    for name in names:
        if name in given or (keys and entity is not None and name not in entity.fields):
            continue
        detail = _detail(entity, name) if entity is not None else ""
        needed = keys and entity is not None and must_send(entity.fields[name])
        yield Candidate(name, kind, detail, snippet=f"{name}: $0" if keys else "", first=0 if needed else 1)


def _given(answer: Answer) -> set[str]:
    """Keys that stand in the map already."""
    map_ = _inner(answer, 2)
    entries = map_.entries if isinstance(map_, ex.MapLiteral) else getattr(map_, "values", ())
    return {entry.key.text for entry in entries}


def _detail(entity: EntitySymbol, name: str) -> str:
    if name in entity.fields:
        field = entity.fields[name]
        return written(t.optional(field.type) if field.nullable else field.type)
    if name in entity.computed:
        return written(entity.computed[name])
    relation = entity.relations.get(name)
    if relation is None:
        return ""
    return relation.entity if relation.kind == "one" else f"list({relation.entity})"


def _types(answer: Answer, names: list[str]) -> Iterator[Candidate]:
    yield from words("type", table()["type"], 6)
    symbols = answer.symbols
    for name in names:
        if name in symbols.entities or name in symbols.records or name in symbols.enums:
            yield Candidate(name, Kind.Enum if name in symbols.enums else Kind.Class, first=1)


def _of_reference(answer: Answer) -> Iterator[Candidate]:
    """``many(Order.…)``: the references of the other entity."""
    reference, type_ = _inner(answer, 1), _inner(answer, 2)
    if not isinstance(reference, Reference) or not isinstance(type_, ty.NamedType) or len(reference.parts) != 2:
        return
    entity = answer.symbols.entities.get(reference.parts[0].text)
    for name, field in entity.fields.items() if entity is not None else ():
        if isinstance(t.required(field.type), t.Ref):
            yield Candidate(name, Kind.Field, written(field.type), first=1)


# -- expressions ------------------------------------------------------------------------------------------------------------


def _expression(answer: Answer) -> Iterator[Candidate]:
    marked = answer.marked
    seen = answer.seen.get(marked) if marked is not None else None
    if seen is None or marked is None:
        return
    scope, host = seen.scope, seen.scope.host
    yield from _constants(answer)
    for variable in _variables(scope):
        if variable.node is None or variable.node.start < _declared_until(answer, marked):
            yield Candidate(variable.name, Kind.Variable, written(variable.type), first=1)
    for range_ in reversed(scope.ranges):
        entity = answer.symbols.entities[range_.entity]
        yield from (Candidate(name, Kind.Field, _detail(entity, name), first=2) for name in entity.member_names())
    for name, type_ in host.values.items():
        yield Candidate(name, Kind.Variable, written(type_), first=2)
    given: tuple[str, ...] = ("user", "config") if host.user else ("config",)
    places = (*PLACES, *given) if host.inputs is not None else given
    yield from (Candidate(name, Kind.Variable, "of the request" if name in PLACES else "", first=3) for name in places)
    for function in answer.symbols.functions.values():
        taken = ", ".join(f"{name}: {written(type_)}" for name, type_ in function.parameters)
        detail, text = f"({taken}) -> {written(function.result)}", function.declaration.description
        yield Candidate(function.name, Kind.Function, detail, text, f"{function.name}({'$0' if taken else ''})", 3)
    yield from (Candidate(name, Kind.Enum, first=4) for name in answer.symbols.enums)
    yield from functions(BUILTINS)
    yield from words("literal", _LITERALS, 7)
    if host.database and not scope.query:
        yield from words("statement", _QUERIES, 4)
    if isinstance(_inner(answer, 1), st.ExpressionStatement):
        yield from words("statement", _statements(host.test), 2)


def _declared_until(answer: Answer, marked: Node) -> int:
    """The place before which a variable must be declared to be in sight: a value does not see the variable that it is for."""
    for node in answer.around:
        value = node.value if isinstance(node, st.Let) else node.items if isinstance(node, st.For) else None
        if value is not None and value.start <= marked.start <= value.end:
            return node.start
    return marked.start


def _statements(test: bool) -> list[str]:
    return [word for word in table()["statement"] if word not in _QUERIES and (test or word not in _OF_TESTS)]


def _variables(scope: Scope | None) -> Iterator[Variable]:
    known: set[str] = set()
    while scope is not None:
        for name, variable in scope.variables.items():
            if name not in known and name != MARK:
                known.add(name)
                yield variable
        scope = scope.parent


def _constants(answer: Answer) -> Iterator[Candidate]:
    """The members of the enum with which something is compared, or which its place wants."""
    node = _inner(answer, 1)
    types = [seen.expected for seen in (answer.seen.get(answer.marked),) if seen is not None] if answer.marked is not None else []
    if isinstance(node, ex.Binary):
        types += [seen.value.type for side in (node.left, node.right) if (seen := answer.seen.get(side)) is not None]
    for type_ in types:
        enum = t.required(type_) if type_ is not None else None
        if isinstance(enum, t.Enum):
            yield from (Candidate(f'"{name}"', Kind.EnumMember, enum.name, first=0) for name in enum.members)


def _methods(answer: Answer, node: ex.Member) -> Iterator[Candidate]:
    """Functions that may be called on the value before the dot."""
    seen = answer.seen.get(node.target)
    type_ = t.required(seen.value.type) if seen is not None else t.Unknown()
    if isinstance(type_, t.Unknown):
        return
    if isinstance(type_, t.Principal):
        yield from (Candidate(name, Kind.Method, snippet=f"{name}($0)") for name in ("has_role", "has_permission"))
        return
    if isinstance(type_, t.List | t.Many):
        yield Candidate("count", Kind.Property, "int", first=1)
        if isinstance(type_, t.List) and isinstance(type_.item, t.Row):
            yield Candidate("ids", Kind.Property, f"keys of {type_.item.entity}", first=1)
    if isinstance(type_, t.Row | t.Ref | t.Record | t.Json):
        return
    named = [name for name, builtin in BUILTINS.items() if builtin.kinds and builtin.kinds[0] in _ON_VALUES]
    yield from functions((name for name in named if argument_problem(BUILTINS[name].kinds[0], type_) is None), method=True)
