"""Query texts of operators with parameters, and their writes, on both databases."""

import asyncio
from typing import Any

import pytest
from world import Opening, World, key

from codeai.query.errors import CompilerError, ParserError, QueryError, SemanticError
from codeai.query.text import parse_query_text, parse_statement_text

PROGRAM = """
entity Author { id: uuid, primary  name: string, required  secret_name: string, secret }
entity Book {
    id: uuid, primary, auto
    title: string, required
    price: decimal(10,2), required
    kind: enum(novel, manual), default("novel")
    author: ref(Author)
    out: date
}
function twice(n: int) -> int { return n * 2 }
"""


@pytest.fixture
async def library(world_of: Opening) -> World:
    world = await world_of(PROGRAM)
    await world.insert("Author", {"id": key(1), "name": "Ada"})
    for number, (title, price) in enumerate([("One", 10), ("Two", 20), ('Three\'s "half"', 30)]):
        await world.insert("Book", {"id": key(10 + number), "title": title, "price": price, "kind": "novel", "author": key(1)})
    return world


async def run(world: World, text: str, parameters: dict[str, Any] | None = None) -> Any:
    plan = world.statements.compile(parse_statement_text(text, world.analysis.symbols, None, parameters))
    async with world.database.transaction() as session:
        return await plan.run(session, world.evaluator.values(plan.values)(world.context()))


PARAMETERS = {
    "a number": ("select Book where price > params.min order by price", {"min": 15}, ["Two", 'Three\'s "half"']),
    "a negative number": ("select Book where price > params.min and price < 15", {"min": -1}, ["One"]),
    "a fraction": ("select Book where price == params.p", {"p": 10.0}, ["One"]),
    "a text": ("select Book where title == params.t", {"t": 'Three\'s "half"'}, ['Three\'s "half"']),
    "a text that is no query": ("select Book where title == params.t", {"t": '" or true or "'}, []),
    "a uuid": ("select Book where id == params.id", {"id": str(key(11))}, ["Two"]),
    "an enum": ("count(Book where kind == params.k)", {"k": "novel"}, 3),
    "a list": ("select Book where price in params.all order by title", {"all": [10, 20]}, ["One", "Two"]),
    "a null": ("count(Book where out == params.out)", {"out": None}, 3),
    "a date": ("count(Book where out > params.day)", {"day": "2026-01-01"}, 0),
    "a truth value": ("count(Book where params.all)", {"all": True}, 3),
    "a limit": ("select Book order by title limit params.n", {"n": 1}, ["One"]),
}


@pytest.mark.parametrize(("text", "parameters", "expected"), PARAMETERS.values(), ids=PARAMETERS)
async def test_parameters_are_literals_in_their_place(library: World, text: str, parameters: dict[str, Any], expected: Any) -> None:
    found = await run(library, text, parameters)
    assert ([row["title"] for row in found] if isinstance(found, list) else found) == expected


async def test_writes_answer_their_rows(library: World) -> None:
    assert await run(library, "update Book set price = price + params.more where price >= 20", {"more": 1}) == 2
    assert await run(library, "count(Book where price > 20)") == 2
    row = await run(library, "create Book { title: params.t, price: 5, author: params.a }", {"t": "Four", "a": str(key(1))})
    assert row["title"] == "Four"
    assert await run(library, 'delete Book where title == "Four"') == 1
    assert await run(library, "select Book order by price limit 1") is not None


MISTAKES = {
    "an unknown parameter": ("select Book where price > params.min", {"max": 1}, SemanticError, "unknown parameter 'min'"),
    "an object": ("select Book where price > params.min", {"min": {"a": 1}}, SemanticError, "parameter 'min' is an object"),
    "the wrong type": ("select Book where price > params.min", {"min": "x"}, CompilerError, "type mismatch for field 'price'"),
    "an enum that is none": ("select Book where kind == params.k", {"k": "poem"}, CompilerError, "poem"),
    "a secret": ('update Author set secret_name = "x" where all', {}, CompilerError, "unknown field 'secret_name' on entity 'Author'"),
    "no condition": ("delete Book", {}, SemanticError, "a write of rows needs a condition"),
    "a function": ("update Book set price = twice(2) where all", {}, QueryError, "twice"),
    "an unknown entity": ("delete Books where all", {}, SemanticError, "unknown entity 'Books'"),
    "a write inside a value": ("count(Book where price > (update Book set price = 1 where all))", {}, QueryError, ""),
    "a start": ("start Book { }", {}, QueryError, ""),
    "nothing": ("", {}, ParserError, "unexpected end of input"),
    "too much": ("x" * 20_001, {}, ParserError, "at most 20000"),
}


@pytest.mark.parametrize(("text", "parameters", "error", "message"), MISTAKES.values(), ids=MISTAKES)
def test_mistakes_have_their_class(text: str, parameters: dict[str, Any], error: type[QueryError], message: str) -> None:
    from services.programs import analysis_of

    symbols = analysis_of(PROGRAM).symbols
    with pytest.raises(error) as caught:
        parse_statement_text(text, symbols, None, parameters)
    assert message in str(caught.value)


WRITES = ["update Book set price = 1 where all", "delete Book where all", 'create Book { title: "x", price: 1 }']


@pytest.mark.parametrize("text", WRITES)
def test_a_query_that_was_not_asked_to_write_refuses_to(text: str) -> None:
    from services.programs import analysis_of

    with pytest.raises(SemanticError, match="a query only reads"):
        parse_query_text(text, analysis_of(PROGRAM).symbols)


async def test_the_same_text_may_run_concurrently(library: World) -> None:
    found = await asyncio.gather(*(run(library, "count(Book where price > params.p)", {"p": 10 * n}) for n in range(5)))
    assert found == [3, 2, 1, 0, 0]
