"""What ``emit``, ``on_success`` and data triggers write, and what becomes of it."""

import json

from services.polling import eventually

PROGRAM = """
config { name: "shop"  default_auth: public }
entity Product { id: uuid, primary, auto  name: string, required  quantity: int, default(0)  price: decimal(10,2) }
entity Note { id: uuid, primary, auto  text: text, required }

event ProductSold {
    payload { product_id: uuid, required, quantity: int, required, min(1)  total: decimal(10,2)  at: timestamp, default(now()) }
    key: product_id
}
event ProductAdded { payload { product_id: uuid, required, name: string, required, added_at: timestamp, changes: json } }
event ProductChanged { payload { product_id: uuid, required, changes: json } }
event ProductGone { payload { product_id: uuid, required, name: string } }
event LowStock { trigger: when Product.quantity < 10  payload { product_id: uuid, required, quantity: int } }
event Unheard { payload { text: text } }

on ProductSold where event.quantity > 2 { create Note { text: "sold {event.quantity} for {event.total} ({event.name})" } }
on ProductAdded { create Note { text: "added {event.name}" } }
on LowStock { create Note { text: "low {event.quantity}" } }

endpoint POST /products { body: Product.create  returns: Product  on_success: emit(ProductAdded) }
endpoint PATCH /products/{id} { body: Product.update  returns: Product  on_success: emit(ProductChanged) }
endpoint DELETE /products/{id} { returns: void  on_success: emit(ProductGone) }
endpoint POST /products/{id}/sales {
    path { id: uuid }
    body { quantity: int, required }
    returns: void
    do {
        let product = get Product(path.id)
        update product { quantity: product.quantity - body.quantity }
        emit ProductSold { product_id: product.id, quantity: body.quantity, total: product.price * body.quantity }
        require body.quantity < 100 else fail 409 "too many"
    }
}
endpoint POST /clearances {
    body { quantity: int, required }
    returns: int
    do { return update Product set quantity = body.quantity where all }
}
endpoint POST /silence { returns: void  do { emit Unheard { text: "nobody" } } }
"""


async def events(app, name):
    rows = await app.rows(f"SELECT payload, key FROM codeai_events WHERE name = '{name}' ORDER BY id")
    return [(json.loads(payload), key) for payload, key in rows]


async def product(app, **values):
    answer = await app.http.post("/products", json={"name": "Tea", "quantity": 50, "price": 2.5, **values})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def test_an_event_commits_with_its_change_and_reaches_its_handler(run_program):
    app = await run_program(PROGRAM)
    key = await product(app)
    assert (await app.http.post(f"/products/{key}/sales", json={"quantity": 3})).status_code == 204
    await app.idle()
    [(payload, order)] = await events(app, "product.sold")
    assert payload["product_id"] == key == order
    assert (payload["quantity"], payload["total"]) == (3, 7.5)
    assert payload["at"].endswith("Z") or "+" in payload["at"]
    notes = sorted(row[0] for row in await app.rows("SELECT text FROM notes"))
    assert notes == ["added Tea", "sold 3 for 7.50 (product.sold)"]


async def test_a_failed_block_leaves_no_event(run_program):
    app = await run_program(PROGRAM)
    key = await product(app)
    assert (await app.http.post(f"/products/{key}/sales", json={"quantity": 100})).status_code == 409
    assert await events(app, "product.sold") == []
    assert await app.one("SELECT quantity FROM products") == 50


async def test_a_payload_that_breaks_its_schema_fails_the_block(run_program):
    app = await run_program(PROGRAM)
    key = await product(app)
    answer = await app.http.post(f"/products/{key}/sales", json={"quantity": 0})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "ProductSold.quantity"
    assert await events(app, "product.sold") == []


async def test_a_handler_hears_only_what_its_condition_wants(run_program):
    app = await run_program(PROGRAM)
    key = await product(app)
    await app.http.post(f"/products/{key}/sales", json={"quantity": 1})
    await app.idle()
    assert [row for row in await app.deliveries() if row[1].startswith("product.sold")] == []


async def test_on_success_fills_payloads_by_name(run_program):
    app = await run_program(PROGRAM)
    key = await product(app)
    await app.http.patch(f"/products/{key}", json={"price": 3})
    await app.http.delete(f"/products/{key}")
    [(added, _)] = await events(app, "product.added")
    assert (added["product_id"], added["name"]) == (key, "Tea")
    assert added["added_at"] is not None
    [(changed, _)] = await events(app, "product.changed")
    assert changed == {"product_id": key, "changes": {"price": 3}}
    [(gone, _)] = await events(app, "product.gone")
    assert gone == {"product_id": key, "name": "Tea"}


async def test_a_refused_creation_leaves_no_event(run_program):
    app = await run_program(PROGRAM)
    answer = await app.http.post("/products", json={"quantity": 1})
    assert answer.status_code == 422
    assert await app.one("SELECT count(*) FROM codeai_events") == 0


async def test_a_data_trigger_fires_when_a_write_makes_its_condition_true(run_program):
    app = await run_program(PROGRAM)
    full, low = await product(app), await product(app, quantity=5)
    assert [payload["product_id"] for payload, _ in await events(app, "low.stock")] == [low]
    await app.http.patch(f"/products/{low}", json={"quantity": 4})  # was low already
    await app.http.patch(f"/products/{full}", json={"name": "Green tea"})  # is not low
    await app.http.patch(f"/products/{full}", json={"quantity": 9})
    await app.http.post(f"/products/{full}/sales", json={"quantity": 1})
    assert [(payload["product_id"], payload["quantity"]) for payload, _ in await events(app, "low.stock")] == [(low, 5), (full, 9)]
    await app.http.patch(f"/products/{full}", json={"quantity": 20})
    await app.http.patch(f"/products/{full}", json={"quantity": None})  # null is not less than ten
    assert len(await events(app, "low.stock")) == 2


async def test_a_bulk_update_fires_once_for_each_row_that_becomes_true(run_program):
    app = await run_program(PROGRAM)
    await product(app), await product(app), await product(app, quantity=1)
    answer = await app.http.post("/clearances", json={"quantity": 3})
    assert answer.json() == 3
    assert [payload["quantity"] for payload, _ in await events(app, "low.stock")] == [1, 3, 3]
    await app.idle()
    assert sorted(row[0] for row in await app.rows("SELECT text FROM notes WHERE text LIKE 'low%'")) == ["low 1", "low 3", "low 3"]


async def test_what_nobody_hears_is_kept_and_wakes_nobody(run_program):
    app = await run_program(PROGRAM)
    await app.http.post("/silence")
    assert not app.composition.eventing._tasks  # the sweep will see to it
    await app.idle()
    assert await app.rows("SELECT name, relayed FROM codeai_events") == [("unheard", 1)]


OLD = "config { default_auth: public } entity Note { id: uuid, primary, auto  text: text, required }  event Old { payload { text: text } }"
OLD_HANDLER = "on Old { create Note { text: event.text } }  endpoint POST /old { returns: void  do { emit Old { text: 'old' } } }"
NEW = "event Fresh { payload { text: text } }  on Fresh { create Note { text: event.text } }"


async def test_an_event_waits_for_the_version_of_the_program_that_knows_it(run_program):
    old = await run_program(f"{OLD} {OLD_HANDLER}")
    row = "'018f0000-0000-7000-8000-000000000001', 'fresh', '2026-01-01 00:00:00', NULL, NULL, '{\"text\": \"fresh\"}', 0"
    await old.database.writing().execute(f"INSERT INTO codeai_events (id, name, at, actor, key, payload, relayed) VALUES ({row})", ())
    assert (await old.http.post("/old")).status_code == 204

    async def handled():
        return await old.rows("SELECT text FROM notes") == [("old",)]

    await eventually(handled)
    assert await old.rows("SELECT relayed FROM codeai_events WHERE name = 'fresh'") == [(0,)]
    new = await run_program(f"{OLD} {OLD_HANDLER} {NEW}", url=old.url)
    await new.idle()
    assert sorted(await new.rows("SELECT text FROM notes")) == [("fresh",), ("old",)]
