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


WORDS = ["order", "item", "customer", "product", "invoice", "payment", "shipment", "address", "status", "total", "created", "name", "price"]


def many() -> list[str]:
    choose = random.Random(1)
    return sorted({f"{choose.choice(WORDS)}_{choose.choice(WORDS)}_{choose.randrange(10_000)}" for _ in range(10_000)})


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("custmer_identification", "customer_identification"),
        ("CUSTOMER_IDENTIFICATION", "customer_identification"),
        ("customer_identificatoin", "customer_identification"),
        ("cutsomer_identification", "customer_identification"),
        ("entirely_else", None),
        ("x", None),
        ("Prodct3212", "Product3212"),
        ("Product_77", "Product77"),
    ],
)
def test_the_nearest_of_ten_thousand_names_is_suggested(written: str, meant: str | None) -> None:
    names = [*many(), *(f"Product{number}" for number in range(5_000)), "customer_identification"]
    assert suggest(written, names) == meant


def test_among_ten_thousand_names_only_few_are_compared() -> None:
    names = many()
    text = "\n".join(["", *names, ""]).encode()
    for wanted in (b"custmer_identification", b"payment_payment_12a", b"entirely_else", b"order_item_1"):
        assert len(suggestions._sharing(wanted, text, 2)[0]) < 1_000
    family = "\n".join(["", *(f"product_field_{number:05}" for number in range(10_000)), ""]).encode()
    assert len(suggestions._sharing(b"product_feild_00012", family, 2)[0]) < 1_000


def test_no_suggestion_is_sure_where_too_many_names_share_a_part() -> None:
    family = [f"product_field_{number:05}" for number in range(0, 2_000, 20)]
    assert nearest("product_feild_00020", [*family, "customer"]) == suggestions.Suggestion("product_field_00020", True)
    family = [f"product_field_{number:05}" for number in range(2_000)]
    assert nearest("product_feild_00020", [*family, "customer"]) == suggestions.Suggestion("product_field_00020", False)
    assert nearest("custmer", [*family, "customer"]) == suggestions.Suggestion("customer", True)


def test_one_letter_is_not_taken_for_another() -> None:
    assert [suggest("x", ["y", "z"]), suggest("x", [*many(), "y"])] == [None, None]


def test_names_of_several_lines_are_no_harm_among_many() -> None:
    names = [*many(), "two\nlines", "customer_identification"]
    assert suggest("custmer_identification", names) == "customer_identification"


@given(st.text(max_size=12))
def test_any_text_is_an_answer_or_none_among_many(name: str) -> None:
    found = suggest(name, [*MANY, name])
    assert found is None or (found in MANY and found != name)


MANY = many()
