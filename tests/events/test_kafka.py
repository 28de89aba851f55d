"""``publish_to: [kafka("topic")]`` with a broker, without one, and without the extra."""

import asyncio
import json

import pytest

from codeai.server.errors import StartError
from services.kafka import KafkaBroker
from services.polling import eventually
from services.ports import free_port

PROGRAM = """
config { name: "shop"  default_auth: public }
event OrderPlaced { payload { number: int, required, total: decimal(10,2) }  key: number  publish_to: [kafka("orders")] }
endpoint POST /orders { body { number: int, required }  returns: void  do { emit OrderPlaced { number: body.number, total: 2.50 } } }
"""


@pytest.fixture
def broker():
    found = KafkaBroker()
    yield found
    found.close()


async def test_an_event_becomes_a_record_with_its_key(run_program, broker):
    app = await run_program(PROGRAM, KAFKA_BROKERS=broker.address)
    for number in (1, 2, 1):
        await app.http.post("/orders", json={"number": number})
    await app.idle()
    records = await asyncio.to_thread(broker.records, "orders", 3)
    identifiers = {str(row[0]) for row in await app.rows("SELECT id FROM codeai_events")}
    assert {headers["event-id"].decode() for _, _, headers in records} == identifiers
    assert sorted(key for key, _, _ in records) == [b"1", b"1", b"2"]
    first = json.loads(records[0][1])
    assert (first["type"], first["data"]["total"]) == ("order.placed", 2.5)
    places = {row[0].partition("@")[0] for row in await app.rows("SELECT answer FROM codeai_attempts")}
    assert all(place.startswith("orders/") for place in places)
    assert all(row[1:3] == ("orders", "delivered") for row in await app.deliveries())


async def test_a_broker_that_is_away_is_tried_again(run_program, monkeypatch):
    monkeypatch.setattr("codeai.events.kafka.TIMEOUT", 0.5)
    app = await run_program(PROGRAM, KAFKA_BROKERS=f"127.0.0.1:{free_port()}")
    await app.http.post("/orders", json={"number": 1})

    async def tried():
        return await app.one("SELECT coalesce(max(attempts), 0) FROM codeai_deliveries") == 1

    await eventually(tried)
    assert "did not take it" in await app.one("SELECT error FROM codeai_deliveries")


@pytest.mark.parametrize("installed", [True, False])
async def test_what_is_missing_stops_the_start(run_program, monkeypatch, installed):
    monkeypatch.setattr("codeai.server.wiring.events.available", lambda: installed)
    said = "set KAFKA_BROKERS" if installed else r"pip install 'codeai\[kafka\]'"
    with pytest.raises(StartError, match=said):
        await run_program(PROGRAM)
