"""Pages by cursor: forwards and back they are the whole list once, whatever the order, with ties and nulls; other texts are refused."""

import base64
import datetime
import json
from decimal import Decimal
from typing import Any

import pytest
from world import Opening, World, key

from codeai.query.errors import InvalidValue

FIELDS = ["name", "size", "price", "part", "at", "day", "hour", "span", "yes", "kind"]
PROGRAM = f"""
enum Kind {{ small, large }}
entity Thing {{
    id: uuid, primary
    name: string  size: int  price: decimal(8,2)  part: float  at: timestamp  day: date  hour: time  span: duration  yes: bool  kind: Kind
    number: int, required
}}
entity Other {{ id: uuid, primary  number: int, required }}
resource Thing at /things {{ list {{ sort_by: [number, {", ".join(FIELDS)}]  page_size: 3 }} }}
resource Other at /others {{ list {{ sort_by: [number]  page_size: 3 }} }}
"""
_BEGIN = datetime.datetime(2026, 1, 1, 23, 59, 59, 123456, tzinfo=datetime.UTC)


def row(at: int) -> dict[str, Any]:
    """Values that stand several times, and nulls."""
    step = at % 4
    values = {
        "name": f"n'{step}",
        "size": step - 2,
        "price": Decimal(step) / 8,
        "part": step * 0.1,
        "at": _BEGIN + datetime.timedelta(microseconds=step),
        "day": _BEGIN.date() + datetime.timedelta(days=step),
        "hour": datetime.time(step),
        "span": datetime.timedelta(milliseconds=step * 1500),
        "yes": step > 1,
        "kind": ("small", "large")[step % 2],
    }
    return {"id": key(at), "number": at % 3, **{name: None if at % 5 == 0 else value for name, value in values.items()}}


@pytest.fixture
async def world(world_of: Opening) -> World:
    found = await world_of(PROGRAM)
    await found.insert("Thing", *(row(at) for at in range(1, 14)))
    await found.insert("Other", *({"id": key(at), "number": at} for at in range(1, 6)))
    return found


async def walked(world: World, sort: str) -> tuple[list[str], list[str]]:
    """The keys of all pages from the first to the last, and from there back."""
    plan = world.list_plan("list_things")
    pages = [await world.page(plan, sort=sort, cursor="")]
    while pages[-1]["pagination"]["has_next"]:
        pages.append(await world.page(plan, sort=sort, cursor=pages[-1]["pagination"]["next_cursor"]))
    there = [each["id"] for page in pages for each in page["data"]]
    page, back = pages[-1], [each["id"] for each in pages[-1]["data"]]
    while page["pagination"]["has_previous"]:
        page = await world.page(plan, sort=sort, cursor=page["pagination"]["prev_cursor"])
        back = [each["id"] for each in page["data"]] + back
    return there, back


@pytest.mark.parametrize("sign", ["", "-"])
async def test_pages_there_and_back_are_the_list(world: World, sign: str) -> None:
    for sort in (*(sign + field for field in FIELDS), f"{sign}number", f"number,{sign}at", f"-number,{sign}price,name"):
        whole = await world.page(world.list_plan("list_things"), sort=sort, limit=20)
        expected = [each["id"] for each in whole["data"]]
        assert len(expected) == 13
        assert await walked(world, sort) == (expected, expected), sort


def _changed(text: str, **parts: Any) -> str:
    """A cursor with other parts."""
    mark, direction, key_ = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    document = [parts.get("mark", mark), parts.get("direction", direction), parts.get("key", key_)]
    return base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()


async def test_other_texts_are_refused(world: World) -> None:
    plan, others = world.list_plan("list_things"), world.list_plan("list_others")
    good = (await world.page(plan, sort="number", cursor=""))["pagination"]["next_cursor"]
    foreign = (await world.page(others, sort="number", cursor=""))["pagination"]["next_cursor"]
    identity = str(key(1))
    refused = {
        "foreign": [foreign, (await world.page(plan, sort="-number", cursor=""))["pagination"]["next_cursor"]],
        "malformed": [
            *("x", "!", "é", good[:-3], good + "A", "A" * 5000, good.replace(good[4], "*"), base64.urlsafe_b64encode(b"[" * 2000).decode()),
            _changed(good, direction="sideways"),
            *(_changed(good, key=wrong) for wrong in ([], [1], [1, identity, 1], ["1", identity], [1.5, identity])),
            *(_changed(good, key=wrong) for wrong in ([1, "no uuid"], [1, None], None, {}, [[1], identity], [True, identity])),
        ],
    }
    for code, texts in refused.items():
        for text in texts:
            with pytest.raises(InvalidValue) as raised:
                await world.page(plan, sort="number", cursor=text)
            assert raised.value.reason == code, text
    page = await world.page(plan, sort="number", cursor=_changed(good))
    assert len(page["data"]) == 3
