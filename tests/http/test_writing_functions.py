"""A block that writes by a function has the transaction of one that writes itself: all or nothing, on both databases."""

PROGRAM = """
config { default_auth: public }
entity Item { id: int, primary, auto  name: string, required, min_length(1) }
function both(second: string) { create Item { name: "first" }  create Item { name: second } }
function outer(second: string) { both(second) }
endpoint POST /both/{second} { auth: public  do { outer(path.second)  return { items: count(Item) } } }
endpoint POST /failing { auth: public  do { outer("b")  fail 409 "not so" } }
endpoint GET /count { auth: public  do { return { items: count(Item) } } }
"""


def test_a_function_writes_in_the_transaction_of_its_block(service_of) -> None:
    service = service_of(PROGRAM)
    assert service.request("POST", "/failing").status == 409
    assert service.request("GET", "/count").json == {"items": 0}
    answer = service.request("POST", "/both/b")
    assert (answer.status, answer.json) == (200, {"items": 2})
    assert service.request("GET", "/count").json == {"items": 2}
