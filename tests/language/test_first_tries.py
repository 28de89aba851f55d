"""Programs as somebody from another language writes them at first: what the first finding says, and what the edit makes of it."""

import pytest

from language.samples import errors, fixed

BLOCK = """entity User {{ id: uuid, primary, auto  name: string, required  age: int, required }}
endpoint POST /users {{ auth: public  body {{ name: string, required }}
    do {{
        {}
    }}
}}
"""


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("while 1 < 2 { log info body.name }", "unknown statement 'while' (go through a list by 'for item in items { … }'"),
        ("while (1 < 2) { log info body.name }", "unknown statement 'while' (go through"),
        ("try { log info body.name } catch (e) { fail 500 }", "unknown statement 'try' (what fails undoes what its block wrote"),
        ("switch body.name { case 1: return 1 }", "unknown statement 'switch' (write 'if state == "),
        ('match body.name { "a" => 1 }', "unknown statement 'match' (write 'if state == "),
        ("save body", "unknown statement 'save' (a row is written by 'create Entity { … }', and changed by 'update row { field: … }')"),
        ("body.save()", "undefined function 'save' (a row is written by"),
        ("db.insert(body)", "undefined variable 'db' (rows are read by 'select' and written by"),
        ("wait 5 minutes", "unknown statement 'wait' (write 'sleep 5m'"),
        ("SELECT * FROM users", "unknown statement 'SELECT' (write 'select Entity where …'"),
        ("let u = new User(1)", "expected an expression, got 'new' (rows are made by 'create Entity { … }', records by '{ … }')"),
    ],
)
def test_a_statement_that_is_not_there_says_what_is_done_instead(statement: str, said: str) -> None:
    found = errors(BLOCK.format(statement))
    assert [one[: len(said)] for one in found] == [said]


@pytest.mark.parametrize(
    ("statement", "said", "meant"),
    [
        ("return 201, body", "the status stands behind the value (write 'return … status 201')", "return body status 201"),
        (
            "let u = await get User(uuid())",
            "expected an expression, got 'await' (every line waits for the one before)",
            "let u = get User(uuid())",
        ),
        ("return select * from User", "expected an entity, got '*' (all fields are read by 'select User')", "return select User"),
    ],
)
def test_a_statement_in_other_words_is_mended(statement: str, said: str, meant: str) -> None:
    text = BLOCK.format(statement)
    assert errors(text) == [said]
    assert fixed(text) == BLOCK.format(meant)


def test_variables_may_be_called_like_statements_of_other_languages() -> None:
    text = BLOCK.format("let match = 1\n        let wait = match + 1\n        let save = wait\n        return save")
    assert errors(text) == []


PAYMENTS = """integration Pay {{
    base_url: "https://pay.example.com"
    {}
    operation charge {{ method: POST  path: "/charges"  body {{ amount: int, required }}  returns: {{ id: string }} }}
}}
workflow Checkout {{
    input {{ amount: int, required }}
    steps {{
        charge {{ call: Pay.charge {{ amount: input.amount }} }}
        {}
    }}
}}
"""


@pytest.mark.parametrize(
    ("clause", "step", "said", "meant"),
    [
        ("auth: bearer secret(KEY)", "", "expected '(', got 'secret' (write 'bearer(secret(KEY))')", ("auth: bearer(secret(KEY))", "")),
        (
            "POST /refunds as refund { body { id: string } }",
            "",
            "expected 'operation', got 'POST' (write 'operation refund { method: POST  path: \"/refunds\" … }')",
            ('operation refund { method: POST  path: "/refunds"  body { id: string } }', ""),
        ),
        (
            "",
            "rest { wait 1 hour }",
            "expected an event, got '1 hour' (write 'sleep: 1h'; what is waited for is an event)",
            ("", "rest { sleep: 1h }"),
        ),
        (
            "",
            "rest { wait: 5m }",
            "expected an event, got '5m' (write 'sleep: 5m'; what is waited for is an event)",
            ("", "rest { sleep: 5m }"),
        ),
        (
            "",
            "again: call Pay.charge({ amount: 1 })",
            "expected '{', got ':' (what a step does stands in braces: 'again { call: Pay.charge { … } }')",
            None,
        ),
        (
            "",
            "again: Pay.charge({ amount: 1 })",
            "expected '{', got ':' (what a step does stands in braces: 'again { call: Pay.charge { … } }')",
            None,
        ),
    ],
)
def test_calls_and_steps_in_other_words_are_one_finding(clause: str, step: str, said: str, meant: tuple[str, str] | None) -> None:
    text = PAYMENTS.format(clause, step)
    assert errors(text) == [said]
    if meant is not None:
        assert fixed(text).split() == PAYMENTS.format(*meant).split()


REQUEST = (
    BLOCK.format("return create User { name: body.name, age: 1 }") + 'test "t" {\n    let made = {}\n    expect made.status == 201\n}\n'
)


@pytest.mark.parametrize(
    ("request_", "said", "meant"),
    [
        (
            'POST /users with { name: "Ada" }',
            "expected '{', got 'with' (the body stands right behind the path: 'POST /x { … }')",
            'POST /users { name: "Ada" }',
        ),
        (
            'POST /users with body { name: "Ada" }',
            "expected '{', got 'with' (the body stands right behind the path: 'POST /x { … }')",
            'POST /users { name: "Ada" }',
        ),
        (
            'POST /users { name: "Ada" } as user',
            (
                "expected the end of the statement, got 'as' "
                "(who asks is said before, on a line of its own: 'as user { id: \"1\", roles: [admin] }')"
            ),
            None,
        ),
    ],
)
def test_requests_of_tests_in_other_words(request_: str, said: str, meant: str | None) -> None:
    text = REQUEST.replace("{}", request_)
    assert errors(text) == [said]
    if meant is not None:
        assert fixed(text) == REQUEST.replace("{}", meant)


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("class Book extends Model { }", "unknown declaration 'class' (rows of the database are declared by 'entity Name { … }'"),
        ("struct User {\n    id: Uuid,\n}", "unknown declaration 'struct' (rows of the database"),
        ("interface Filters { q?: string }", "unknown declaration 'interface' (rows of the database"),
        ("CREATE TABLE users (\n  id uuid PRIMARY KEY\n);", "unknown declaration 'CREATE TABLE' (write 'entity User { id: uuid"),
        ("def total(a):\n    return a\n", "unknown declaration 'def' (write 'function name(a: int) -> int { … }'"),
        ("func List(w http.ResponseWriter) {\n}", "unknown declaration 'func' (write 'function"),
        ("fn list(limit: i32) -> Vec<User> {\n}", "unknown declaration 'fn' (write 'function"),
        ("package main", "unknown declaration 'package' (all .cai files of a folder are one program"),
        ("openapi: 3.0.0\npaths:\n  /users:\n    get:\n", "unknown declaration 'openapi' (an OpenAPI document is made from the program"),
        ('datasource db {\n  provider = "postgresql"\n}', "unknown declaration 'datasource' (the database is named in 'config"),
        ('@app.get("/users")\ndef users():\n    return []\n', "unknown annotation 'app' (what answers a request is declared by 'endpoint"),
        ("@Entity()\nclass User { id: string }\n", "unknown annotation 'Entity' (rows of the database"),
        ("type User struct { name: string }", "expected '{', got 'struct'"),
    ],
)
def test_the_first_finding_of_another_language_says_how_it_is_declared_here(program: str, said: str) -> None:
    assert errors(program)[0].startswith(said)


@pytest.mark.parametrize(
    ("field", "said", "meant"),
    [
        ("x: string!", "expected ',', got '!' (what must be given is 'required', as in 'name: string, required')", "x: string, required"),
        ("x: [string!]", "this type is written 'list(string)' here", "x: list(string)"),
        (
            "belongs_to :author",
            "unknown clause 'belongs_to' (a reference is a field: 'author: ref(Author)'; the other side: 'books: many(Book.author)')",
            None,
        ),
        ("@NotNull", "expected a field, got '@' (what is said of a field stands behind its type, as in 'id: uuid, primary, auto')", None),
    ],
)
def test_a_field_of_another_language_is_one_finding(field: str, said: str, meant: str | None) -> None:
    text = "type T {{\n    y: int\n    {}\n}}\nfunction f(t: T) {{ return t.y }}\n"
    assert errors(text.format(field)) == [said]
    if meant is not None:
        assert fixed(text.format(field)) == text.format(meant)


def test_a_model_with_its_key_in_the_words_of_prisma_is_an_entity() -> None:
    text = "model User {\n  id uuid @id @default(uuid())\n  name string?\n}\n"
    assert [one.split(" (")[0] for one in errors(text)] == ["expected ',', got '@'"]
    assert errors(fixed(text)) == []
