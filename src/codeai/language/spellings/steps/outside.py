"""Steps beyond the rows: ``call``, ``check``, ``log``, and those that have no canonical form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from codeai.language.lexer import is_name
from codeai.language.spellings.steps.call import Call, Result, dotted
from codeai.language.tree import expressions as ex
from codeai.language.tree import queries as q
from codeai.language.tree import statements as st
from codeai.language.tree.node import Identifier, Reference

if TYPE_CHECKING:
    from codeai.language.parser.queries import Queries


FOREIGN: Final = {
    "exec_sql": "write the statement as select, update or delete, or call an extern function",
    "import": "write 'extern function name(…) from \"module.name\"' and call it",
}


def call_operation(p: Queries, call: Call) -> Result | None:
    """``call("Payments.charge", { … })`` and ``call(Payments.charge, …)``."""
    if not 1 <= len(call.values) <= 3:
        return None
    parts = dotted(call.values[0])
    rest = list(call.values[1:])
    if parts is not None and len(parts) == 1 and rest and isinstance(rest[0], ex.StringLiteral):
        second = rest.pop(0)
        parts = (*parts, Identifier(second.start, second.end, second.value if isinstance(second, ex.StringLiteral) else ""))
    if parts is None or len(parts) != 2 or not all(is_name(part.text) for part in parts):
        return None
    if len(rest) > 1 or (rest and not isinstance(rest[0], ex.MapLiteral)):
        return None
    values = rest[0].entries if rest and isinstance(rest[0], ex.MapLiteral) else ()
    name = Reference(parts[0].start, parts[-1].end, parts)
    quoted = isinstance(call.values[0], ex.StringLiteral) and not p.outline.declares("operation", name.text)
    operation = msgspec.structs.replace(name, quoted=quoted)
    p.older(call.name.start, call.end, f"call {operation.text} {{ … }}")
    return Result(q.CallOperation(call.name.start, call.end, operation, values))


def check(p: Queries, call: Call) -> Result | None:
    """``check(database)``: a statement that the database has to answer."""
    if len(call.values) != 1 or not isinstance(call.values[0], ex.Name | ex.Member):
        return None
    entity = next(iter(p.outline.entities), None)
    start, end = call.name.start, call.end
    if entity is None:
        p.fail("there is no entity to ask the database for", "CAI0034", start, end, help_text="GET /health checks the database")
    p.older(start, end, f"exists {entity}")
    asked = q.Select(start, end, "exists", Identifier(start, end, entity), as_system=True)
    return Result(ex.Binary(start, end, "or", asked, ex.BooleanLiteral(start, end, True)))


def log(p: Queries, call: Call) -> Result | None:
    """``log(tag, value)``, ``log_warning("…", { … })``."""
    if not 1 <= len(call.values) <= 2:
        return None
    start, end = call.name.start, call.end
    word = call.name.text.removeprefix("log").removeprefix("_").replace("warning", "warn")
    data: tuple[ex.MapEntry, ...] = ()
    if len(call.values) == 2:
        value = call.values[1]
        name = value.text if isinstance(value, ex.Name) else "value"
        entry = ex.MapEntry(value.start, value.end, Identifier(value.start, value.end, name), value)
        data = value.entries if isinstance(value, ex.MapLiteral) else (entry,)
    p.older(start, end, f"log {word} …" if word else "log …")
    level = Identifier(start, start, word) if word else None
    return Result(after=(st.Log(start, end, level, call.values[0], data),))


def foreign(p: Queries, call: Call) -> Result | None:
    """What the language does not do."""
    p.unsupported(call.name.start, call.end, f"'{call.name.text}'", FOREIGN[call.name.text])
    return Result(ex.NullLiteral(call.name.start, call.end))
