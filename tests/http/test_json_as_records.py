"""JSON that a client sends where the program wants a record, a list of them or a map: it is one, or the request is refused."""

from pathlib import Path

from surroundings import served

PROGRAM = """
type A { s: string, required  n: int, default(3) }
entity E { id: int, primary, auto  a: A  l: list(A)  m: map(int) }
function f(a: A) -> string { return "{upper(a.s)}{a.n ?? 0}" }
endpoint POST /record { auth: public  body { j: json }  returns: E  do { return create E { a: body.j } } }
endpoint POST /list { auth: public  body { j: json }  returns: E  do { return create E { l: body.j } } }
endpoint POST /map { auth: public  body { j: json }  returns: E  do { return create E { m: body.j } } }
endpoint POST /call { auth: public  body { j: json }  returns: json  do { return f(body.j) } }
"""
CASES = [
    *[(path, value, 422) for path in ("record", "call") for value in (5, "x", [], [1], {"s": "a", "n": "x"}, {"s": "a", "n": 1.5})],
    *[("list", value, 422) for value in (5, {"s": "a"}, [5], [{"s": "a", "n": []}])],
    *[("map", value, 422) for value in (5, [1], {"a": "x"})],
    *[("record", {"s": "a", "n": 4}, 200), ("call", {"s": "a"}, 200), ("list", [{"s": "a"}], 200), ("map", {"a": 1, "b": None}, 200)],
    *[(path, None, 200) for path in ("record", "list", "map", "call")],
]


def test_it_fits_or_is_refused(tmp_path: Path) -> None:
    service = served(tmp_path, PROGRAM)
    found = [(path, value, service.request("POST", f"/{path}", {"j": value}).status) for path, value, _ in CASES]
    service.close()
    assert found == CASES
