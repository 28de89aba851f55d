"""Did you mean."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

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


LETTERS = "abcdefghijklmnopqrstuvwxyz_0123456789"


def misspelt(name: str, choose: random.Random) -> str:
    """A name with one slip: a letter left out, put in or exchanged, or two that change places."""
    at = choose.randrange(len(name))
    slips = (name[at + 1 :], choose.choice(LETTERS) + name[at:], choose.choice(LETTERS) + name[at + 1 :])
    return name[:at] + choose.choice([*slips, name[at + 1 : at + 2] + name[at : at + 1] + name[at + 2 :]])


def scope(kind: str, choose: random.Random) -> list[str]:
    """Two thousand names."""
    words = [f"{choose.choice(WORDS)}_{choose.choice(WORDS)}_{choose.randrange(1_000)}" for _ in range(2_000)]
    return {
        "snake case": words,
        "camel case": ["".join(part.title() for part in word.split("_")) for word in words],
        "numbered": [f"Product{number}" for number in range(2_000)],
        "numbered field": [f"product_field_{number:05}" for number in range(2_000)],
        "letters": ["".join(choose.choices(LETTERS, k=choose.randrange(3, 20))) for _ in range(2_000)],
    }[kind]


@pytest.mark.parametrize("kind", ["snake case", "camel case", "numbered", "numbered field", "letters"])
def test_what_is_one_slip_away_among_many_is_found_by_comparing_few(kind: str) -> None:
    choose = random.Random(kind)
    names = scope(kind, choose)
    for _ in range(50):
        written = misspelt(choose.choice(names), choose)
        wanted = written.lower()
        if len(written) < 3 or written in names:
            continue
        distances = {name: OSA.distance(wanted, name.lower(), score_cutoff=2) for name in names}
        least = min(distances.values())
        found = nearest(written, names)
        assert found is not None, written
        assert distances[found.name] == least, (written, found)
        assert not found.sure or list(distances.values()).count(least) == 1, (written, found)
        assert len(suggestions._alike(wanted.encode(), "\n".join(["", *names, ""]).lower().encode(), 2)[0]) <= 600


def test_no_suggestion_is_sure_where_too_many_names_share_both_parts() -> None:
    family = [f"product_field_{number:05}" for number in range(2_000)]
    assert nearest("product_feild_00020", family) == suggestions.Suggestion("product_field_00020", True)
    alike = [f"first_{number:03}_last" for number in range(1_000)]
    assert nearest("first_10_last", alike) == suggestions.Suggestion("first_100_last", False)
    assert nearest("custmer", [*alike, "customer"]) == suggestions.Suggestion("customer", True)


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
