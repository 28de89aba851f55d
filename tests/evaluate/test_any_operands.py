"""What the checker lets through evaluates: each built-in function and operator with an operand of each type, in a block and in queries.

Operands that the checker refuses are dropped; of the others none may stop the start or answer 500, and a block, SQLite and
PostgreSQL agree on what comes out.
"""

import bisect
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from codeai.analysis.builtins import BUILTINS
from codeai.language.diagnostics import Severity
from codeai.language.rendering.concise import concise
from codeai.server.loading import load_source
from services.postgres import PostgresServer
from services.service import Service

FIELDS = {
    "s": ("string(50)", '"abc"'),
    "word": ("text", '"2024-01-01"'),
    "colour": ("enum(red, green)", '"red"'),
    "mail": ("email", '"a@b.de"'),
    "u": ("uuid", '"0190b0b0-0000-7000-8000-000000000001"'),
    "n": ("int", "3"),
    "d": ("decimal(10,2)", "2.50"),
    "f": ("float", "1.5"),
    "b": ("bool", "true"),
    "ts": ("timestamp", '"2024-02-29T23:59:59.5Z"'),
    "dt": ("date", '"2024-02-29"'),
    "ti": ("time", '"10:00:00"'),
    "du": ("duration", "5m"),
    "j": ("json", '{ a: [1, "x"] }'),
    "li": ("list(int)", "[3, 1, 2]"),
    "ls": ("list(string)", '["b", "a"]'),
    "mp": ("map(int)", "{ a: 1 }"),
    "rec": ("{ x: int, y: string }", '{ x: 1, y: "q" }'),
    "other": ("ref(Other)", '"k1"'),
}
CONSTANTS = ("null", "2", '"x"', '"day"', "2.5", "1d", "true", "[]", '["x"]', "{ a: 1 }", "x => x", "x => true")
ROWS = (1, 2)  # one with values, one of nulls
HEAD = (
    "entity Other { key: string(10), primary }\nentity Sample { id: int, primary\n"
    + "".join(f"  {name}: {type_}\n" for name, (type_, _) in FIELDS.items())
    + '}\nendpoint POST /fill { auth: public  returns: any  do {\n  create Other { key: "k1" } as system\n  create Sample { id: 1, '
    + ", ".join(f"{name}: {value}" for name, (_, value) in FIELDS.items())
    + " } as system\n  create Sample { id: 2 } as system\n  return 1\n} }\n"
)
BASES = {"t": "s", "n": "n", "i": "2", "l": "li", "a": "s", "d": "ts", "u": "du", "f": "x => x", "b": "b", "m": "mp", "s": "s"}
OPERATORS = ("+", "-", "*", "/", "%", "==", "<", "in", "contains", "starts_with", "matches", "??")
UNSTABLE = ("uuid", "object_id", "random", "now", "today", "hash_password", "verify_password", "issue_token", "print")


def calls() -> Iterator[tuple[str, ...]]:
    """Each function with each operand in each place, the others being what they should be."""
    for name, builtin in BUILTINS.items():
        kinds = [kind for kind in builtin.kinds if kind != "*"]
        for count in range(max(builtin.minimum, 1), len(kinds) + 1):
            plain = [BASES[kind.lower()] for kind in kinds[:count]]
            for at in range(count):
                for operand in (*FIELDS, *CONSTANTS):
                    yield name + "(", *_between(", ", [*plain[:at], operand, *plain[at + 1 :]]), ")"


def _between(separator: str, parts: list[str]) -> Iterator[str]:
    for at, part in enumerate(parts):
        yield from (separator, part) if at else (part,)


def operations() -> Iterator[tuple[str, ...]]:
    """Each operator between each two operands of which one is a field, and what takes one, two or three of them."""
    operands = (*FIELDS, *CONSTANTS[:10])
    for operator in OPERATORS:
        for left in FIELDS:
            for right in operands:
                yield left, f" {operator} ", right
            for right in CONSTANTS[:10] if operator in ("in", "??", "-") else ():
                yield right, f" {operator} ", left
    for left in FIELDS:
        for right in FIELDS:
            yield left, " is null ? ", right, " : ", left
            yield right, " between ", left, " and ", left
        for type_ in ("int", "decimal", "float", "string", "bool", "uuid", "timestamp", "date", "duration", "json", "list(int)"):
            yield "((", left, f") as {type_}) is null"


def written(parts: tuple[str, ...], row: str) -> str:
    """The text of an expression, its fields being of ``row``."""
    return "".join(row + part if part in FIELDS else part for part in parts)


def endpoint(at: int, block: str) -> str:
    """One endpoint on a line of its own."""
    return f"endpoint GET /p{at}/{{id}} {{ auth: public  path {{ id: int }}  returns: any  do {{ {block} }} }}\n"


def accepted(blocks: list[str]) -> set[int]:
    """Which of the blocks the checker lets through, all read as one program."""
    lines = [endpoint(at, block) for at, block in enumerate(blocks)]
    starts = list(itertools.accumulate(map(len, lines), initial=len(HEAD)))[:-1]
    program = load_source((HEAD + "".join(lines)).encode())
    errors = [found for found in program.diagnostics if found.severity is Severity.ERROR]
    assert all(found.primary.start >= len(HEAD) for found in errors), [concise(found, program.sources) for found in errors][:3]
    places = [span.start for found in errors for span in (found.primary, *found.secondary)]
    return set(range(len(blocks))) - {bisect.bisect_right(starts, place) - 1 for place in places}


def results(folder: Path, url: str, blocks: dict[int, str]) -> dict[int, list[Any]]:
    """What each block gives for each row: its value, or the status of its problem."""
    (folder / "app.cai").write_text(HEAD + "".join(endpoint(at, block) for at, block in blocks.items()))
    service = Service(folder / "app.cai", url)
    try:
        assert service.request("POST", "/fill").status == 200
        answers = {at: [service.request("GET", f"/p{at}/{row}") for row in ROWS] for at in blocks}
    finally:
        service.close()
    broken = {blocks[at]: found for at, both in answers.items() for found in both if found.status not in (200, 422)}
    assert not broken, {block: found.body[:100] for block, found in list(broken.items())[:5]}
    return {at: [found.json["v"] if found.status == 200 else found.status for found in both] for at, both in answers.items()}


@pytest.mark.timeout(400)
@pytest.mark.parametrize("of", [calls, operations])
def test_what_the_checker_lets_through_evaluates_the_same_everywhere(of: Any, tmp_path: Path, postgres: PostgresServer) -> None:
    expressions = list(of())
    host = [f"let row = get Sample(path.id) as system  return {{ v: {written(parts, 'row.')} }}" for parts in expressions]
    query = [f"return first (select {written(parts, '')} as v from Sample where id == path.id as system)" for parts in expressions]
    in_host, in_query = accepted(host), accepted(query)
    assert len(in_host) > 500 and len(in_query) > 100
    folders = [tmp_path / name for name in ("host", "sqlite", "postgresql")]
    for folder in folders:
        folder.mkdir()
    evaluated = results(folders[0], f"sqlite:///{tmp_path}/host.db", {at: host[at] for at in sorted(in_host)})
    asked = {at: query[at] for at in sorted(in_query)}
    sqlite = results(folders[1], f"sqlite:///{tmp_path}/query.db", asked)
    postgresql = results(folders[2], postgres.create_database(), asked)
    for at in asked:
        text = written(expressions[at], "")
        if text.startswith(UNSTABLE):
            continue
        assert sqlite[at] == postgresql[at], (text, sqlite[at], postgresql[at])
        assert alike(evaluated.get(at, sqlite[at]), sqlite[at]), (text, evaluated[at], sqlite[at])


def alike(left: list[Any], right: list[Any]) -> bool:
    """Whether the values are equal; a conversion that fails is null in a query and an error in a block."""
    return all(a == b or 422 in (a, b) for a, b in zip(left, right, strict=True))
