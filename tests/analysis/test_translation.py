"""What the checker keeps out of queries is what no dialect computes; what it lets in, both do."""

import pytest

from codeai.analysis.translation import NOT_IN_QUERIES
from codeai.evaluate.program import Evaluator
from codeai.model.endpoint import RunBlock
from codeai.query.statements import Statements
from language.samples import analysed

PROGRAM = """
entity Author {{ id: uuid, primary, auto  name: string, required  books: many(Book.author) }}
entity Book {{
    id: int, primary
    title: string, required
    price: decimal(10,2), required
    stock: int, default(0)
    author: ref(Author)
    tags: list(string)
    data: json
    scores: map(int)
    born: date
    span: duration
    seen: timestamp
    label: string = "{{title}}:{{stock}}"
}}
function double(n: int) -> int {{ return n * 2 }}
function stocked(n: int) -> int {{ return count(Book where stock > n) }}
endpoint POST /x {{ auth: optional  body {{ n: int  t: text }}  do {{ return {} }} }}
"""
RIGHT = [
    "count(Book where upper(trim(title)) == 'X' and length(title) > 1 and replace(title, 'a', 'b') != label)",
    "count(Book where abs(stock) + round(price, 1) > max(price, 3) and floor(price) > ceil(price))",
    "count(Book where tags.any(t => t == 'x') and tags contains title and title in tags)",
    "count(Book where data.k.x == 5 or scores.p == 1 or data.k == title or data.k == body.n)",
    "count(Book where add_days(born, 1) > today() and seen + span > now() and diff_days(born, today()) > 1)",
    "count(Book where price as int == 5 and born as timestamp > now() and data.k as string == 'x')",
    "count(Book where title matches body.t and stock == double(body.n) and title == slug(body.t))",
    "count(Book where title in [label, 'x'] and stock in [double(1), 2])",
    "count(Author where books.length > 1 and books.any(b => b.price > 1) and books.filter(b => b.stock > 1).length > 1)",
    "count(Author where books.map(b => b.price).sum() > 1 and sum(Book.price where author == Author.id) > 1)",
    "count(Author where (first Book where author == Author.id).title == 'a' and exists(Book where author == Author.id))",
    "count(Author where id in (select Book).map(b => b.author))",
    "count(Book where author in (select Author where name == 'x').ids)",
    """count(Book where (stock > 1 ? 'a' : 'b') == 'a' and "{title}-{price}" == 'x')""",
    "select Book order by label, author.name desc, author.books.length",
    "select upper(title) as u, count(*) as n, sum(stock * 2) as s from Book group by upper(title) having n > double(1) order by u",
    "[1].map(x => double(x)).sum()",
    "(select Book).map(b => b.author.books.length)",
]
WRONG = {
    "count(Book where slug(title) == 'x')": "'slug' cannot be computed in a query",
    "count(Book where tags[0] == 'x')": "an element by its place cannot be computed in a query",
    "count(Book where tags.map(t => upper(t)).length > 1)": "'map' cannot be computed in a query",
    "count(Book where title matches label)": "a pattern of a row cannot be computed in a query",
    "count(Book where [stock, 5] == [1, 2])": "a list cannot be computed in a query",
    "count(Book where title as int == 5)": "string as int cannot be computed in a query",
    "count(Book where data.k as date > today())": "json as date cannot be computed in a query",
    "count(Book where data.k == stock)": "int as json cannot be computed in a query",
    'count(Book where "{data}" == title)': "json in a text cannot be computed in a query",
    "count(Author where books.first().title == 'a')": "'first' cannot be computed in a query",
    "count(Book where author in (select Author))": "rows as values (take their '.ids') cannot be computed in a query",
    "select Book order by split(title, 'a').length": "'split' cannot be computed in a query",
    "select first(tags) as s from Book": "'first' cannot be computed in a query",
    "update Book set title = slug(title) where all": "'slug' cannot be computed in a query",
    "update Book set data = { a: title } where all": "a map cannot be computed in a query",
    "delete Book where hash(title) == 'x'": "'hash' cannot be computed in a query",
    "[1].map(x => count(Book))": "a query or call cannot stand in a lambda",
    "[1].map(x => stocked(x))": "the function 'stocked', which reads or writes, cannot stand in a lambda",
    "['a'].map(x => hash_password(x))": "'hash_password' cannot stand in a lambda",
    "(select Book).map(b => update b { stock: 1 })": "a query or call cannot stand in a lambda",
}


def compiled(program, dialect: str) -> None:
    evaluator = Evaluator(program.application, Statements(program.application, dialect), {})
    evaluator.compile_functions()
    for endpoint in program.application.endpoints:
        assert isinstance(endpoint.action, RunBlock)
        evaluator.block(endpoint.action.body, endpoint.name)


@pytest.mark.parametrize("value", RIGHT)
def test_what_the_checker_lets_in_both_dialects_compute(value: str) -> None:
    program = analysed(PROGRAM.format(value))
    assert [found.message for found in program.diagnostics if found.severity.value == "error"] == []
    for dialect in ("sqlite", "postgresql"):
        compiled(program, dialect)


@pytest.mark.parametrize(("value", "message"), WRONG.items(), ids=WRONG)
def test_what_no_database_computes_is_said_before_the_start(value: str, message: str) -> None:
    found = [found for found in analysed(PROGRAM.format(value)).diagnostics if found.severity.value == "error"]
    assert [(item.message, item.code in ("CAI0337", "CAI0338")) for item in found] == [(message, True)]


def test_the_built_ins_that_are_kept_out_are_those_without_a_form_in_sql() -> None:
    assert NOT_IN_QUERIES.isdisjoint({"upper", "lower", "trim", "length", "round", "abs", "any", "all", "sum", "count", "add_days", "now"})
