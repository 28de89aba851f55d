"""Programs with odd tokens: each is refused, or printed to the same tree; and what the fuzzer has found before."""

import random

import pytest

from fuzz.mutating import mutated, programs
from fuzz.texts import check_printing

PROGRAMS = 1_000
FOUND = [
    'enum Status { "a.b", c }',
    "endpoint POST /auth/2fa { auth: public  do { return 1 } }",
    "endpoint POST /a^b'c { auth: public  do { return 1 } }",
    'endpoint DELETE "*posts/:id" { auth: public  do { return 1 } }',
    'endpoint DELETE "/u" { do { (a) = call("Mail.ping") } }',
    'endpoint DELETE "/u" { do { delete("a-b")  delete(-1)  update("a-b".state = "seen") } }',
    'endpoint DELETE "/u" { do { place = call(Maps, "1x") } }',
    'endpoint DELETE "/u" { do { answer = call(x) } }',
    'endpoint GET "/y" { auth: main  do { authorize(request, "0 6 * * *") } }',
    "on Pong { emit (a) { n: event.n } }",
    "endpoint POST /go { do { run Ship { }  { } } }",
    'database postgres { orders { id uuid primary_key  owner uuid references "*/" } }',
    "workflow W { trigger manual  retry 2 initial_interval { }  steps { a { sleep: 1s } } }",
    'test "x" { let far = GET /a//b headers { a: "x" } }\n/// An order\nentity A { id: uuid, primary, auto }',
    'test "x" { let far = GET /a"b c"/x\n expect far.status == 1 }',
    'test "x" { { }\n POST /{ /*c*/ } { } }',
    'integration A { operation a { path /*c*/ : "/a" } }',
    'integration A { operation a { path // c\n : "/a" } }',
    'integration A { auth (a)("$K")  base_url "https://a.example" }',
    'integration A { auth basic("Bearer $A") }',
    'integration A { auth apikey { header "$K" } }',
    "integration A { retry { max_attempts 3  backoff 2.0 } }",
    'endpoint GET "/a/:id" { do { find(Post, id) where "state = \'draft\'" } }',
    'endpoint GET "/a" { request PostFilters from query  do { find(Post) where "a = 1" paginate(limit, { }) } }',
    'endpoint DELETE "/a/:id" { do { delete("null", id) } }',
    "endpoint GET /a { do { require a, b } }",
    "endpoint GET /a { do { let a = 1; (where) = 2 } }",
    "function f() { return { title: delete Ban where: x } }",
    "function f() { let a = (create) starts_with 'x'; (if) + 1; (not) == 1; (log)(x); (return)(x) }",
    "function f(first) { (log) < 1; log(error); log(info, x); first in [a]; [(if), (not)]; { a: (create)  b: 1 } }",
    "function f() { emit\n(a)\nredirect x\nstatus = 1\nreturn (headers)\n{ } }",
    "function f() { return create A from b; { } }",
    "function f() { return \"a{('b')}c{x}{('{')}\" }",
    "function f() { return\nexists A - 1 }",
    "send answer = call Bank.pay { amount: 1 }",
    "workflow Ship { trigger: manual  on_fail: (a)  steps { } }",
    'endpoint GET "/y" { auth: main  do { authorize(request, "null") } }',
    "first minus = -a - -b",
    "let count = 1\ncount = event order.paid 1",
    "expect (a).status == 409",
    "auth main create { secret: x }",
    'config { database_type "null"  database_host { a: 1 } }',
    'database postgres { posts { id uuid primary_key default "{x}"  a text default "\'{x}\'" } }',
    "workflow W { trigger manual  steps { a { do { }  retry 1 times } } }",
    "workflow W { trigger: event",
    'exec\n{; curl "if"://example.com/{a,b} }',
    'endpoint POST "/count/:name" { response json  do { upsert where set views = 5 where title == name } }',
    'endpoint DELETE "/u" { do { delete(as) } }',
    "log POST /notes { a { b: x } }",
    "function f() { log info POST / x; log { } { a: b }; log POST / x }",
    "workflow Ship { trigger: manual  on_fail: rollback, steps { } }",
    'endpoint PATCH "/posts/:id/title" { do { update(1.5, status, "changed") } }',
    'config { name: "broken"  scheduler: { queues: 3 initial_interval "1s" } }',
    'workflow chase { trigger event,  steps { ask { call: "Letters.print" { id: 1 } } } }',
    'test "x" { let far = GET /a/{b .id}/c  expect far.status == 1 }',
    'endpoint GET "/mine" { do { mine = query(("posts"), "views > 3") } }',
    'endpoint DELETE "/posts/:id" { do { delete("posts". id) } }',
    "enum A { open } validate(request)",
    "function f() { return\n/// a\nb\n== c }",
    "function f() { let found = get in returns ?? text }",
    "function f() { var post = get contains 34.b.post }",
    'function f() { return\nminutes\n== "00" or a }',
    "function f() { (update == total) or order and let contains first(a) }",
    'integration Stars { base_url let  circuit_breaker: 5 failures in 1m  operation count { path "/count" } }',
    "/// a\nevent /// b\nOrderFailed /// c\n{ /// d\npayload /// e\n{ /// f\nid: uuid /// g\n, /// h\nreason: text } }",
]


@pytest.mark.parametrize("program", FOUND)
def test_what_was_found_holds(program: str) -> None:
    check_printing(program)


@pytest.mark.parametrize("seed", range(4))
def test_odd_tokens_are_refused_or_keep_the_tree(seed: int) -> None:
    choose = random.Random(seed)
    for _ in range(PROGRAMS):
        check_printing(mutated(choose.choice(programs()), choose))
