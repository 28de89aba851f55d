"""Did you mean."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeai.language import suggestions
from codeai.language.suggestions import nearest, suggest

KNOWN = ["required", "total", "Book", "customer_id", "created_at", "workflow", "title", "status", "user", "read"]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("requird", "required"),
        ("totl", "total"),
        ("bok", "Book"),
        ("BOOK", "Book"),
        ("customerid", "customer_id"),
        ("createdAt", "created_at"),
        ("wrkflw", "workflow"),
        ("titel", "title"),
        ("xotal", "total"),
        ("x", None),
        ("", None),
        ("entirely_else", None),
        ("total", None),
    ],
)
def test_the_nearest_name_is_suggested(written: str, meant: str | None) -> None:
    assert suggest(written, KNOWN) == meant


def test_a_suggestion_is_sure_only_when_no_other_is_as_near() -> None:
    assert nearest("titl", ["title", "status"]) == suggestions.Suggestion("title", True)
    assert nearest("titl", ["title", "titles", "tittl"]) == suggestions.Suggestion("title", False)
    assert nearest("wrkflw", ["workflow"]) == suggestions.Suggestion("workflow", False)


def test_no_names_give_no_suggestion() -> None:
    assert suggest("a", []) is None


@given(st.text(max_size=12), st.lists(st.text(max_size=12), max_size=20))
def test_any_text_is_an_answer_or_none(name: str, known: list[str]) -> None:
    found = suggest(name, known)
    assert found is None or (found in known and found != name)


def test_among_ten_thousand_names_only_few_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    words = [
        "order",
        "item",
        "customer",
        "product",
        "invoice",
        "payment",
        "shipment",
        "address",
        "status",
        "total",
        "created",
        "name",
        "price",
        "author",
    ]
    choose = random.Random(1)
    names = sorted({f"{choose.choice(words)}_{choose.choice(words)}_{choose.randrange(10_000)}" for _ in range(10_000)})
    compared = 0
    distance = suggestions._distance

    def counted(left: bytes, right: bytes, limit: int) -> int:
        nonlocal compared
        compared += 1
        return distance(left, right, limit)

    monkeypatch.setattr(suggestions, "_distance", counted)
    assert suggest("custmer_identification", [*names, "customer_identification"]) == "customer_identification"
    assert compared < 20
    assert suggest("entirely_else", names) is None
    assert compared < 200
