"""One older spelling per line, with its canonical form; and texts made of pieces of spellings, which the parser survives."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codeai.language.diagnostics import Severity
from codeai.language.formatter import format_module
from codeai.language.parser import parse_module
from codeai.language.source import Sources
from codeai.language.tree.node import Node, children
from language.test_formatter import formatted, tree

ENTITY = "entity Post { id: uuid, primary, auto, title: string, views: int }\n\n"
MAIL = "integration Mail { operation ping { body { a: int } } }\n\n"
STEP = "workflow w {{ trigger: manual  steps {{ {} }} }}\n"
DO = "endpoint POST /x/{{id}} {{ do {{ {} }} }}\n"
GUARDED = "endpoint POST /x/{{id}} {{ auth: required  do {{ require {} else fail 403 }} }}\n"
ROLES = "role admin { permissions: [] }\n\n"
OLDER = 'endpoint GET "/x" {{ response json  do {{ {} }} }}\n'
OLDER_NOW = "endpoint GET /x {{ returns: json  do {{ {} }} }}\n"
CONDITIONS = [
    ("trim(title) ILIKE '%A%'", 'lower(trim(title)) contains "a"'),
    ("Post.title ILIKE 'A%'", 'lower(Post.title) starts_with "a"'),
    ("views > 1 AND title NOT ILIKE '%A%'", 'views > 1 and not lower(title) contains "a"'),
    ("title NOT LIKE '%A'", 'not title ends_with "A"'),
    ("(title) ILIKE 'A'", 'lower(title) == "a"'),
]
PIECES = [
    # data
    ("entity A { a: int32, b: int64, c: bigint, d: varchar(3) }\n", "entity A { a: int  b: int  c: int  d: string(3) }\n"),
    ("entity A { a: boolean, b: jsonb, c: binary, d: datetime }\n", "entity A { a: bool, b: json, c: bytes, d: timestamp }\n"),
    ("entity A { a: object, b: array(double), c: numeric(4,2) }\n", "entity A { a: json  b: list(float)  c: decimal(4,2) }\n"),
    ("entity A { posts: has_many(Post.a) }\n", "entity A { posts: many(Post.a) }\n"),
    ('entity A { state: enum("a", "b") }\n', "entity A { state: enum(a, b) }\n"),
    ('entity A { owner: uuid references "users(id)" }\n', "entity A { owner: ref(User) }\n"),
    ("entity A { updated_at: timestamp, auto }\n", "entity A { updated_at: timestamp, auto_update }\n"),
    ("entity A { index(a, b desc)  unique_index(c) }\n", "entity A { index: [a, b desc]  index: [c] unique }\n"),
    ("type T { a: Empty }\n", "type T { a: void }\n"),
    # integrations
    ('integration I { auth: bearer("Bearer $K") }\n', "integration I { auth: bearer(secret(K)) }\n"),
    ('integration I { auth bearer { token: "Bearer $K" } }\n', "integration I { auth: bearer(secret(K)) }\n"),
    (
        'integration I { retry: 3 times  timeout: 5s  retry_delays: ["1s", 5] }\n',
        "integration I { retry: 3 times { delays: [1s, 5s] }  timeout: 5s }\n",
    ),
    ("integration I { retry_delays: [1s]  retry: 2 times }\n", "integration I { retry: 2 times { delays: [1s] } }\n"),
    # queries
    ("function f() { return find Post where views > 3 }\n", "function f() { return select Post where views > 3 }\n"),
    ("function f() { return select Post order_by views desc }\n", "function f() { return select Post order by views desc }\n"),
    ("function f() { return select Post include owner }\n", "function f() { return select Post with owner }\n"),
    ('function f(a) { return sum(a, "b * c") }\n', "function f(a) { return sum(a, item => item.b * item.c) }\n"),
    *(
        (ENTITY + DO.format(f'find(Post) where "{older}"'), ENTITY + DO.format(f"select Post where {canonical}"))
        for older, canonical in CONDITIONS
    ),
    # steps of blocks
    (
        ENTITY + 'endpoint POST "/x/:n" { request { title: string } from body  do { find(Post) where "title = :title AND views = :n" } }\n',
        ENTITY + "endpoint POST /x/{n} { body { title: string }  do { select Post where title == body.title and views == path.n } }\n",
    ),
    (ENTITY + DO.format("find(Post, id)"), ENTITY + DO.format("get Post(path.id)")),
    (ENTITY + DO.format('find(Post) where "views <> 3"'), ENTITY + DO.format("select Post where views != 3")),
    (
        ENTITY + DO.format("find(Post) where \"trim(title) ILIKE '%A%'\""),
        ENTITY + DO.format('select Post where lower(trim(title)) contains "a"'),
    ),
    (
        ENTITY + DO.format("find(Post) where \"Post.title ILIKE 'A%'\""),
        ENTITY + DO.format('select Post where lower(Post.title) starts_with "a"'),
    ),
    (
        ENTITY + DO.format("find(Post) where \"views > 1 AND title NOT ILIKE '%A%'\""),
        ENTITY + DO.format('select Post where views > 1 and not lower(title) contains "a"'),
    ),
    (ENTITY + DO.format("find(Post) where \"title NOT LIKE '%A'\""), ENTITY + DO.format('select Post where not title ends_with "A"')),
    (ENTITY + DO.format("find(Post) where \"(title) ILIKE 'A'\""), ENTITY + DO.format('select Post where lower(title) == "a"')),
    (
        ENTITY + OLDER.format("posts = find(Post)  page = paginate(posts, 10, 20)"),
        ENTITY + OLDER_NOW.format("let posts = select Post  let page = select Post limit 10 offset 20  return page"),
    ),
    (ENTITY + DO.format("find(Post) where \"title ILIKE '%A%'\""), ENTITY + DO.format('select Post where lower(title) contains "a"')),
    (
        ENTITY + DO.format("findOne(Post) where \"title LIKE 'a%' OR NOT views BETWEEN 1 AND 2\""),
        ENTITY + DO.format('first Post where title starts_with "a" or not (views between 1 and 2)'),
    ),
    (ENTITY + DO.format("create(Post, { title: 'a' })"), ENTITY + DO.format("create Post { title: 'a' }")),
    (ENTITY + DO.format('insert("posts", body)'), ENTITY + DO.format("create Post from body")),
    (ENTITY + DO.format("delete(row)"), ENTITY + DO.format("delete row")),
    (DO.format("patch(row, body)"), DO.format("update row from body")),
    (DO.format("update(row.a = 3)"), DO.format("update row { a: 3 }")),
    (DO.format('update(row, "a", 3)'), DO.format("update row { a: 3 }")),
    (MAIL + DO.format('call("Mail.ping", { a: 1 })'), MAIL + DO.format("call Mail.ping { a: 1 }")),
    (MAIL + DO.format('call("Mail", "ping", { a: 1 })'), MAIL + DO.format("call Mail.ping { a: 1 }")),
    (DO.format('call("Mail.ping", { a: 1 })'), DO.format('call "Mail.ping" { a: 1 }')),
    (MAIL + DO.format('call("Mail.pong")'), MAIL + DO.format('call "Mail.pong"')),
    (DO.format('log("tag", value)'), DO.format('log "tag" { value: value }')),
    (DO.format('log_error("bad", { a: 1 })'), DO.format('log error "bad" { a: 1 }')),
    (DO.format("transform(list, x => x.a)"), DO.format("list.map(x => x.a)")),
    (ROLES + DO.format('authorize(request, "admin")'), ROLES + GUARDED.format("user.has_role(admin)")),
    (ROLES + DO.format("authorize(request, admin)"), ROLES + GUARDED.format("user.has_role(admin)")),
    (ROLES + DO.format('authorize("admin")'), ROLES + GUARDED.format("user.has_role(admin)")),
    (ROLES + DO.format("authorize(admin)"), ROLES + GUARDED.format("user.has_role(admin)")),
    (
        ROLES + DO.format('authorize(request, ["admin", "posts:write"])'),
        ROLES + GUARDED.format('user.has_role(admin) or user.has_permission("posts:write")'),
    ),
    (
        DO.format('authorize(request, "a:b")'),
        'endpoint POST /x/{id} { auth: required  do { require user.has_permission("a:b") else fail 403 } }\n',
    ),
    # events and what listens
    ("event a.b { schema { c uuid } }\n", "event a.b { payload { c: uuid } }\n"),
    ('event "a.b" { payload { c: uuid } }\n', "event a.b { payload { c: uuid } }\n"),
    # documents
    (
        "database mongodb { collection X { _id: objectid  n: int } }\n",
        'entity X { _id: string(24), primary, default(object_id()), pattern("^[0-9a-f]{24}$")  n: int }\n',
    ),
    (
        "database mongodb { collection X { id: uuid, primary  at: embedded { x: int }  indexes { index: [at] text } } }\n",
        "entity X { id: uuid, primary  at: { x: int } }\n",
    ),
    # integrations
    (
        "integration A { circuit_breaker: 5 consecutive failures }\n",
        "integration A { circuit_breaker { threshold: 5 consecutive failures } }\n",
    ),
    (
        "integration A { circuit_breaker 5 failures in 1m { reset_after: 30s } }\n",
        "integration A { circuit_breaker { threshold: 5 failures in 1m  reset_after: 30s } }\n",
    ),
    ("integration A { circuit_breaker: 5 }\n", "integration A { circuit_breaker { threshold: 5 consecutive failures } }\n"),
    # workflows
    (
        STEP.format('a { for_each: input.orders  activity "m.f"  input { x: item.id, y: order.id } }'),
        STEP.format("a for_each item in input.orders { activity: m.f { x: item.id, y: item.id } }"),
    ),
    (
        STEP.format('a { for_each: input.orders  activity "m.f"  input { y: order.id } }'),
        STEP.format("a for_each order in input.orders { activity: m.f { y: order.id } }"),
    ),
    (STEP.format('a { activity "m.f"  input { x: "steps.b.y" } }'), STEP.format("a { activity: m.f { x: steps.b.y } }")),
    (STEP.format('a { if "trigger.x > 1"  sleep: 1h }'), STEP.format("a { when: trigger.x > 1  sleep: 1h }")),
    (STEP.format('a { sleep: 1h  on_fail: reject("no") }'), STEP.format('a { sleep: 1h  on_fail: fail("no") }')),
    (
        STEP.format("a { for_each: trigger.list  parallel: 3  sleep: 1h }"),
        STEP.format("a for_each item in trigger.list parallel 3 { sleep: 1h }"),
    ),
    ("job j { retry { max_attempts 2 }  do { log 'x' } }\n", "job j { retry: 2 times  do { log 'x' } }\n"),
    ('job j { timeout "90s"  do { log error_message } }\n', "job j { timeout: 90s  do { log error.message } }\n"),
    # settings
    ('role r { permissions: "a:b, c:*"  inherits: "v, w" }\n', 'role r { permissions: ["a:b", "c:*"]  inherits: [v, w] }\n'),
    ('endpoint GET /x { roles: "v, w" }\n', "endpoint GET /x { roles: [v, w] }\n"),
    ("middleware m cors { max_age: 60 }\n", "middleware m { type: cors  max_age: 1m }\n"),
    ('auth a jwt { secret "$KEY" }\n', "auth a { method: jwt  secret: secret(KEY) }\n"),
    ('config { database_host: "db" }\n', 'config { database: postgres { host: "db" } }\n'),
    ("@rateLimit(5)\nendpoint GET /x { auth: none }\n", '@rate_limit("5 per 1m by user")\nendpoint GET /x { auth: public }\n'),
    ('type T { description: "Text."  a: int }\n', "/// Text.\ntype T { a: int }\n"),
]


def parsed(text: str):
    return parse_module(Sources().add("a.cai", text))


@pytest.mark.parametrize(("older", "canonical"), PIECES)
def test_an_older_piece_is_the_canonical_one(older: str, canonical: str) -> None:
    assert formatted(older) == formatted(canonical)
    assert tree(older) == tree(canonical)
    notes = [found for found in parsed(older).diagnostics if found.severity is Severity.INFO]
    assert notes or "for_each" in older  # clauses of a step and its header are both canonical
    assert [found.message for found in parsed(canonical).diagnostics if found.severity is Severity.INFO] == []


@pytest.mark.parametrize(
    "text",
    [
        "type T { value: int, status: string, on: bool, description: string, request: int, model: string }",
        "entity Index { id: uuid, primary, auto  index: int  indexes: int  references: int  table: int  check: int }",
        "function f(find, query, call, log) { return find(1) + query(2) + call(3) + log(4) }",
        "function validate(a) { return a }\nfunction f() { return validate(1) }",
        "endpoint GET /x { do { let request = 3\n let limit = request\n return { request: request, limit: limit } } }",
        "workflow w { trigger: manual  steps { input { sleep: 1s } activity { sleep: 1s } description { sleep: 1s } } }",
        "function f(a) { return a.find(x => x) ?? a.sum(x => x.price) }",
        "function f(a) { return find(a, x => x == 1) }",
    ],
)
def test_words_of_older_spellings_stay_names(text: str) -> None:
    assert [found.message for found in parsed(text).diagnostics] == []


FRAGMENTS = [
    *(
        "model X",
        "database postgres",
        "database mongodb",
        "collection c",
        "users",
        "id uuid primary_key",
        'default "now()"',
    ),
    *(
        "index(a)",
        "indexes",
        "endpoint GET",
        '"/a/:id"',
        "middleware m",
        "require_role",
        "request CreateX from body",
    ),
    *(
        "response X status 201",
        "do",
        "x = find(X, id)",
        'where "a IS NULL AND b = :c"',
        "create(X, request)",
    ),
    *(
        'update("t", id, request)',
        "authorize(request,",
        'emit("a.b", x)',
        "paginate(1, 2)",
        "event a.b",
        "schema",
    ),
    *(
        'on "a.b" do workflow "w" async',
        "integration I",
        'auth bearer { token: "$T" }',
        "circuit_breaker",
        "threshold 5",
    ),
    *(
        "webhook w",
        'retry 5 initial_interval "1s" backoff 2.0',
        "workflow w",
        'trigger event "a.b"',
        "steps",
    ),
    *(
        'activity "a.b"',
        "input",
        'if "steps.a.b == true"',
        "for_each: list",
        "on_success",
        "on_fail",
        "on_empty: skip('x')",
    ),
    *(
        "var x = 1",
        "upsert X set a = 1 where b = 2",
        "job j",
        'task "a.b"',
        'queue "low"',
        'run_at: "x"',
        "auth n jwt",
    ),
    *(
        "jwks",
        "role r",
        "permissions [",
        "config",
        "database_host: 1",
        "exec {",
        "exec",
        'description: "d"',
    ),
    *(
        "sum(a, 'b * c')",
        "exec_sql(1)",
        "import(2)",
        "batching",
        "method internal",
        "error_message",
        "{",
        "}",
        "{",
        "}",
        "(",
    ),
    *(
        ")",
        "[",
        "]",
        ",",
        ":",
        "\n",
        "\n",
        '"',
        "'",
        "=",
        "// c",
        "/// d",
        "$",
        "'{x}'",
        '"""',
    ),
]


@settings(deadline=None, max_examples=300)
@given(st.lists(st.sampled_from(FRAGMENTS), max_size=30).map(" ".join))
def test_no_text_of_fragments_makes_the_parser_raise(text: str) -> None:
    file = Sources().add("a.cai", text)
    found = parse_module(file)

    def inside(node: Node) -> None:
        assert 0 <= node.start <= len(text)
        assert 0 <= node.end <= len(text)
        for child in children(node):
            inside(child)

    inside(found.module)
    for diagnostic in found.diagnostics:
        assert 0 <= diagnostic.primary.start <= diagnostic.primary.end <= len(text)
    if not any(diagnostic.severity is Severity.ERROR for diagnostic in found.diagnostics):
        format_module(found.module, file)
