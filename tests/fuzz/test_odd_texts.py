"""Programs in which single names and values are exchanged for odd ones: each is refused, or formatted to the same tree.

This reaches the older spellings, in which a text is often a name, more quickly than a fuzzer that goes by characters.
"""

import random

import pytest

from codeai.language.lexer import tokenize
from fuzz.seeds import seeds
from fuzz.texts import check_program

ODD = [
    *('""', '"a b"', '"1x"', '"a.b"', '"é"', '"*/"', '"//"', '"{x}"', r'"\{x}"', r'"a\"b"', '"if"', '"a.b.c"', '"a-b"', "'a'", r'"\n"'),
    *('"steps.a.b"', '"$A"', '"Bearer $A"', '"a,b"', '"5m"', '"0 6 * * *"', '"x = 1"', '"""a"b"""', '".a"', '"a."', '"-1"', '"null"'),
    *("x", "5", "null", "1.5", "5m", "[a]", "{ }", "-1", "not a", "a.b", "a ?? b", "(a)"),
]
EXCHANGED = ("name", "string", "raw", "integer", "duration")
LONGEST = 6_000
PROGRAMS = 400
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
]


@pytest.mark.parametrize("program", FOUND)
def test_what_was_found_holds(program: str) -> None:
    check_program(program)


@pytest.mark.parametrize("seed", range(5))
def test_odd_names_and_values_are_refused_or_keep_the_tree(seed: int) -> None:
    choose = random.Random(seed)
    programs = [text for text in (one.decode() for one in seeds("format")) if len(text) < LONGEST]
    for _ in range(PROGRAMS):
        text = choose.choice(programs)
        tokens = tokenize(text)
        places = [at for at, kind in enumerate(tokens.kinds) if kind in EXCHANGED]
        if places:
            at = choose.choice(places)
            check_program(text[: tokens.starts[at]] + choose.choice(ODD) + text[tokens.ends[at] :])
