"""One mistake of those that people make in a valid program is one error, in its place: a table over all declarations.

Each row is a text of the program, and what stands there by mistake.
"""

import pytest

from codeai.language.diagnostics import Severity
from language.samples import analysed, findings

PROGRAM = """config {
    name: "shop"
    default_auth: public
}

entity Book {
    id: uuid, primary, auto
    title: string(40), required
    price: decimal(10,2), min(0)
    author: ref(Author)
    index: [title]
    allow read: public
}

entity Author { id: uuid, primary, auto  name: string, required }

type Money { amount: decimal, currency: string }

enum Tier { bronze, silver }

role admin { permissions: ["*:*"] }

auth main { method: jwt  secret: secret(KEY) }

middleware limited {
    type: rate_limiting
    requests: 10
    window: 1m
}

resource Author at /authors {
    actions: [list, get]
    list { page_size: 20 }
}

endpoint GET /books/{id} {
    auth: public
    query { full: bool }
    returns: Book status 200
    error 404: "no such book"
    do {
        let book = get Book(path.id)
        require book.price > 0 else fail 409 "no price"
        if query.full { log info "full" } else { log info "not" }
        for one in select Book where price > 3 order by title limit 3 {
            log info one.title
        }
        return book
    }
}

function total(items: list(Book)) -> decimal {
    return items.map(i => i.price ?? 0).sum()
}

event BookSold {
    payload { book_id: uuid, at: timestamp }
}

on BookSold where event.book_id != null {
    log info "sold" { id: event.book_id }
}

integration Pay {
    type: rest
    base_url: "https://pay.example"
    auth: bearer(secret(PAY))
    operation charge { method: POST  path: "/c"  body { amount: int }  returns: { id: string } }
}

webhook partner {
    event: BookSold
    url: "https://w.example"
    secret: secret(W)
}

workflow Sale {
    trigger: BookSold
    retry: 3 times with exponential_backoff
    steps {
        pay { call: Pay.charge { amount: 3 }  timeout: 30s  on_fail: rollback }
        note {
            do { update Book set price = 3 where id == trigger.book_id }
            when: steps.pay.ok
        }
    }
}

job Nightly {
    schedule: "0 6 * * *"
    do { delete Book where price == 0 }
}

test "a book" {
    let b = create Author { name: "x" }
    let r = GET /authors
    expect r.status == 200
}

seed {
    create Author { name: "a" }
}
"""
MISTAKES = [
    ("entity Author { id", "entity Author id"),
    ("enum Tier { bronze", "enum Tier bronze"),
    ("list { page_size: 20 }\n}", "list { page_size: 20 }\n"),
    ("steps {\n", "steps \n"),
    ("        return book\n    }\n}", "        return book\n    }\n"),
    ("payload { book_id", "payload book_id"),
    ('role admin { permissions: ["*:*"] }', 'role admin { permissions: ["*:*"] '),
    ('"full" } else', '"full"  else'),
    ('else { log info "not" }', 'else log info "not" }'),
    ("limit 3 {\n", "limit 3 \n"),
    ('{ name: "x" }', '{ name: "x" '),
    ("{ amount: 3 }", "{ amount: 3 "),
    ("seed {\n", "seed \n"),
    ("title: string", "title; string"),
    ("author: ref(Author)", "author = ref(Author)"),
    ("auth: public", "auth = public"),
    ('error 404: "no', 'error 404 = "no'),
    ("actions: [list, get]", "actions [list get]"),
    ("retry: 3 times", "retry = 3 times"),
    ('schedule: "0', 'schedule = "0'),
    ("index: [title]", "index: title"),
    ("allow read: public", "allow read public"),
    ('path: "/c"', 'path = "/c"'),
    ("min(0)", "min 0"),
    ("list(Book)", "list Book"),
    ("decimal(10,2)", "decimal(10;2)"),
    ("string(40)", "string[40]"),
    ("string(40)", "string(40"),
    ("ref(Author)", "ref<Author>"),
    ("entity Book", "entty Book"),
    ("entity Book", "class Book"),
    ("enum Tier", "enumm Tier"),
    ("type Money", "struct Money"),
    ("endpoint GET", "endpoint FETCH"),
    ("let book =", "const book ="),
    ("let book =", "let book :="),
    ("require book.price", "requires book.price"),
    ("else fail 409", "else throw 409"),
    ("for one in", "for one of"),
    ("for one in", "foreach one in"),
    ("return book", "returns book"),
    ("function total", "func total"),
    ("on BookSold", "when BookSold"),
    ("webhook partner", "webook partner"),
    ("workflow Sale", "workflw Sale"),
    ("trigger: BookSold", "triger: BookSold"),
    ("schedule:", "shedule:"),
    ("expect r", "assert r"),
    ("resource Author at", "resource Author on"),
    ("order by title", "orderby title"),
    ("select Book where", "select * from Book where"),
    ("select Book where", "select Book when"),
    ("exponential_backoff", "exponential backoff"),
    ("3 times with", "3 with"),
    ("role admin", "rol admin"),
    ("permissions:", "permission:"),
    ("required\n", "require\n"),
    ("middleware limited", "midleware limited"),
    ("window: 1m", "window 1 m"),
    ("operation charge", "op charge"),
    ("method: POST", "method: SEND"),
    ("with exp", "using exp"),
    ("auth: public\n", "auth: public )\n"),
    ("returns: Book", "returns: Book ]"),
    ("let book", "] let book"),
    ("primary, auto\n", "primary, , auto\n"),
    ("= get Book(path.id)", "= get Book(path.id))"),
    ("book.price > 0", "book.price >> 0"),
    ("book.price > 0", "book.price > > 0"),
    ("book.price > 0", "book.price"),
    ("price > 3", "price > 3 and"),
    ("price > 3", "and price > 3"),
    ("price > 3", "price = = 3"),
    ("price > 3", "price > 3 &"),
    ("i => i.price", "i -> i.price"),
    ("i => i.price", "=> i.price"),
    ("?? 0)", "?? )"),
    (".sum()", ".sum("),
    (".sum()", ".()"),
    ("on BookSold where", "on BookSold where where"),
    ('"sold" {', '"sold" + {'),
    ("enum Tier { bronze, silver }", "enum Tier { bronze: 1, silver: 2 }"),
    ("-> decimal", ": decimal"),
    ("-> decimal", "-> "),
    ("items: list", "list"),
    ("event BookSold", "@foo event BookSold"),
    ("endpoint GET /books", "@depricated\nendpoint GET /books"),
    ('"no such book"', '"no such book'),
    ('"no such book"', "no such book"),
    ('"no such book"', "'no such book"),
    ('log info "full"', 'log info "full'),
    ('"0 6 * * *"', '"0 6 * * *'),
    ('"0 6 * * *"', "0 6 * * *"),
    ('"https://pay.example"', "https://pay.example"),
    ('"/c"', "/c"),
    ("enum Tier", "/* enum Tier"),
    ("        return book\n", "        /* return book\n"),
    ('log info "sold"', 'log info "sold {event.}"'),
    ('name: "shop"', "name: “shop”"),
    ('name: "shop"', "name: `shop`"),
    ('"no price"', '"no \\q price"'),
    ("let book = get", "let 2book = get"),
    ("let book = get", "let my-book = get"),
    ("let book = get", "let = get"),
    ("function total", "function 1total"),
    ("function total(items", "function (items"),
    ("entity Author {", "entity {"),
    ("type Money {", "type 3Money {"),
    ("pay { call", "pay-now { call"),
    ("enum Tier {", "enum Tier-x {"),
    ("/books/{id}", "/books/{id"),
    ("/books/{id}", "/books/{the id}"),
    ("/books/{id}", "books/{id}"),
    ("/books/{id} {", "{"),
    ('test "a book"', "test a book"),
    ("job Nightly", 'job "Nightly"'),
    ("GET /authors", "GET authors"),
    ("expect r.status == 200", "expect r.status = 200"),
    ("update Book set price = 3", "update Book price = 3"),
    ("update Book set price = 3", "update Book set price == 3"),
    ("delete Book where", "delete from Book where"),
    ('create Author { name: "a" }', 'create Author(name: "a")'),
    ('create Author { name: "a" }', 'insert Author { name: "a" }'),
    ("get Book(path.id)", "get Book path.id"),
    ("get Book(path.id)", "get Book[path.id]"),
    ("steps.pay.ok", "steps.pay."),
    ("30s", "30 seconds"),
    ("30s", "30x"),
    ("limit 3", "limit"),
    ("order by title", "order title"),
    ("order by title", "order by"),
    ("return book\n", 'return book status "a"\n'),
    ("return book\n", "return book statu 201\n"),
    ('log info "full"', 'log inf "full"'),
    ("let book = get Book(path.id)", "let book = get Book(path.id) book"),
    ("where price > 3", "where price price > 3"),
    ('fail 409 "no price"', 'fail "no price" 409'),
    ("= get Book(path.id)", "= call Pay { amount: 1 }"),
    # what only a change of the text can tell: see parser/repairs.py
    ("payload { book_id", "payload {{ book_id"),
    ('{ name: "x" }', '{{ name: "x" }'),
    ("page_size: 20 }", "page_size: 20 }}"),
    ("{ id: string }", "{ id: string }}"),
    ("min(0)", "min(0))"),
    ("min(0)", "min((0)"),
    ("decimal(10,2)", "decimal((10,2)"),
    ("amount: decimal, currency", "amount amount: decimal, currency"),
    ("amount: decimal", "amount:: decimal"),
    ("amount: decimal", ": amount decimal"),
    ("(items: list(Book)) ->", "(items: list(Book) )) ->"),
    ('["*:*"] }', '["*:*"} ]'),
    ("pay { call:", "pay call { :"),
    ("steps {\n", "steps {{\n"),
    # slips of the hand, see parser/slips.py
    ("entity Author {", "entity entity Author {"),
    ("ref(Author)", "ref ref(Author)"),
    ("with exponential", "with with exponential"),
    ("trigger: BookSold", "trigger trigger: BookSold"),
    ("let book = get", "let book == get"),
    ("return book\n", "return return book\n"),
    ("return book\n", "return book book.title\n"),
    ("expect r.status", "expect .status"),
    ("expect r.status", "r expect.status"),
    ('name: "shop"', "name:"),
    ("let r = GET /authors", "let r = GET /authors/{b.id"),
    ("let r = GET /authors", "let r = GET /authors/{ b.id }"),
    ("        return book\n    }\n", "        return book\n    }}\n"),
    ("on BookSold where", "onn BookSold where"),
]


def test_the_program_is_valid() -> None:
    assert analysed(PROGRAM).valid


@pytest.mark.parametrize(("right", "wrong"), MISTAKES, ids=map(str, range(len(MISTAKES))))
def test_a_mistake_is_one_error_in_its_place(right: str, wrong: str) -> None:
    before, found, after = PROGRAM.partition(right)
    assert found
    same = next((at for at, (one, other) in enumerate(zip(right, wrong, strict=False)) if one != other), min(len(right), len(wrong)))
    line = (before + right[:same]).count("\n") + 1
    program = analysed(before + wrong + after)
    errors = [finding for finding in findings(program) if finding.severity is Severity.ERROR]
    places = [program.sources.locate(error.primary.start).line for error in errors]
    assert len(errors) == 1, [(place, error.message) for place, error in zip(places, errors, strict=True)]
    assert abs(places[0] - line) <= 1, errors[0].message


@pytest.mark.parametrize(
    ("right", "wrong", "uses"),
    [
        ("event BookSold", "event BookSodl", 3),
        ("payload { book_id", "payload { bok_id", 3),
        ("    price: decimal(10,2)", "    prize: decimal(10,2)", 5),
        ("entity Author", "entity Autor", 4),
    ],
)
def test_a_name_that_is_declared_wrongly_is_one_error_with_all_its_places(right: str, wrong: str, uses: int) -> None:
    (error,) = [found for found in findings(analysed(PROGRAM.replace(right, wrong, 1))) if found.severity is Severity.ERROR]
    assert len(error.secondary) == uses - 1
    assert {span.label for span in error.secondary} == {"and here"}
