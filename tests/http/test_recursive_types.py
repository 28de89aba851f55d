"""Types that hold values of their own kind: trees, and many types that hold one another."""

import time

import pytest

from language.samples import analysed

TREE = """
type Node { name: string, required  due: date  children: list(Node) }
entity Plan { id: uuid, primary, auto  root: Node, required }
endpoint POST /echo { auth: public  body: Node  returns: Node  do { return body } }
endpoint POST /plans { auth: public  body { root: Node, required }  returns: Plan  do { return create Plan { root: body.root } } }
endpoint GET /made { auth: public  returns: Node  do { return { name: "a"  children: [{ name: "b"  children: [{ name: "c" }] }] } } }
endpoint POST /first { auth: public  body: Node  returns: { name: string? }  do { return { name: body.children[0].children[0].name } } }
"""
DEEP = {"name": "a", "due": None, "children": [{"name": "b", "children": [{"name": "c", "due": "2026-11-26"}]}]}


@pytest.fixture(scope="module")
def service(sqlite_service_of, tmp_path_factory):
    program = tmp_path_factory.mktemp("tree") / "app.cai"
    program.write_text(TREE)
    return sqlite_service_of(program)


def test_a_tree_is_taken_given_and_kept(service):
    assert service.request("POST", "/echo", DEEP).json == DEEP
    assert service.request("POST", "/plans", {"root": DEEP}).json["root"] == DEEP
    assert service.request("GET", "/made").json == {"name": "a", "children": [{"name": "b", "children": [{"name": "c"}]}]}
    assert service.request("POST", "/first", DEEP).json == {"name": "c"}


@pytest.mark.parametrize(
    ("node", "field", "code"),
    [
        ({"name": 5}, "name", "wrong_type"),
        ({"name": "a", "children": [{}]}, "children.0.name", "required"),
        ({"name": "a", "children": [{"name": "b", "children": [{"name": "c", "due": "x"}]}]}, "children.0.children.0.due", "wrong_type"),
        ({"name": "a", "children": [{"name": "b", "children": [{"name": "c", "x": 1}]}]}, "children.0.children.0.x", "unknown_field"),
        ({"name": "a", "children": [{"name": "b", "children": ["c"]}]}, "children.0.children.0", "wrong_type"),
        ({"name": "a", "children": [{"name": "b", "children": "c"}]}, "children.0.children", "wrong_type"),
    ],
)
def test_what_is_wrong_deep_within_is_named(service, node, field, code):
    assert service.request("POST", "/echo", node).fields == [(field, code)]


def test_a_tree_that_is_too_deep_is_refused(service):
    for depth in (60, 1_000, 40_000):
        body = b'{"name":"n","children":[' * depth + b'{"name":"leaf"}' + b"]}" * depth
        answer = service.request("POST", "/echo", body=body, headers={"content-type": "application/json"})
        assert answer.status in (400, 422), answer.body[:300]


def test_the_description_of_a_tree_refers_to_itself(service):
    schemas = service.request("GET", "/openapi.json").json["components"]["schemas"]
    assert "#/components/schemas/Node" in str(schemas["Node"]["properties"]["children"])


def test_what_a_type_holds_of_its_kind_is_checked():
    wrong = TREE + 'endpoint GET /w { auth: public  returns: Node  do { return { name: "a"  children: [{ nme: "b" }] } } }\n'
    assert [found.message for found in analysed(wrong).diagnostics if found.code.startswith(("CAI01", "CAI03"))] == [
        "unknown field 'nme' in Node"
    ]


def test_types_that_all_hold_one_another_cost_no_more_than_they_are(sqlite_service_of, tmp_path):
    names = [f"T{number}" for number in range(20)]
    types = [f"type {name} {{ x: int  {' '.join(f'to_{other}: {other}' for other in names if other != name)} }}" for name in names]
    program = tmp_path / "app.cai"
    program.write_text("\n".join(types) + "\nendpoint POST /x { auth: public  body: T0  returns: T1  do { return body.to_T1 } }\n")
    before = time.process_time()
    service = sqlite_service_of(program)
    sent = {"x": 1, "to_T1": {"x": 2, "to_T0": {"x": 3, "to_T1": {"x": 4}}}}
    assert service.request("POST", "/x", sent).json == sent["to_T1"]
    assert service.request("GET", "/openapi.json").status == 200
    assert time.process_time() - before < 20  # unrolled, it would end with the memory
