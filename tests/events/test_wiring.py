"""Handlers keep their names from version to version, wherever they stand; what has no handler any more is a dead letter that says so."""

import pytest

from codeai.events.wiring import Named, Naming, succeeding, wiring_of
from services.programs import application_of


@pytest.mark.parametrize(
    ("before", "after", "names", "edited"),
    [
        ("a b c", "a b c", "1 2 3", {}),
        ("a b c", "c a b", "3 1 2", {}),
        ("a b c", "b c", "2 3", {}),
        ("a b c", "new a b c", "4 1 2 3", {}),
        ("a b c", "a edited c", "1 4 3", {"2": "4"}),
        ("a b c", "edited c a", "4 3 1", {"2": "4"}),
        ("a b", "x y", "3 4", {"1": "3", "2": "4"}),
        ("a b", "x y z", "3 4 5", {}),
        ("a b c", "x", "4", {}),
        ("a a", "a a a", "1 2 3", {}),
        ("a a b", "b a", "3 1", {}),
        ("", "a", "1", {}),
    ],
)
def test_a_handler_keeps_its_number_as_long_as_it_says_the_same(before, after, names, edited):
    known = [Named(content, f"placed#{number}", f"placed#{number}") for number, content in enumerate(before.split(), 1)]
    naming = Naming("placed", known, len(known))
    found = naming.of(after.split())
    assert [one.name for one in found] == [f"placed#{number}" for number in names.split()]
    assert naming.edited == {f"placed#{old}": f"placed#{new}" for old, new in edited.items()}
    assert len({one.name for one in found}) == len(found)


def test_what_stands_in_the_place_of_others_is_known_over_versions():
    first = wired(on("one"), on("two"))
    second = succeeding(wired(on("one"), on("2")), first)
    third = succeeding(wired(on("one"), on("zwei")), second)
    assert [one.name for one in third.handlers["placed"]] == ["placed#1", "placed#4"]
    assert third.successors == {"placed#2": "placed#4", "placed#3": "placed#4"}
    assert third.handlers["placed"][1].line == "placed#2"
    back = succeeding(wired(on("one"), on("two"), on("three")), third)
    assert [one.name for one in back.handlers["placed"]] == ["placed#1", "placed#5", "placed#6"]
    assert back.successors == {}


def on(text):
    return f'on Placed {{ log info "{text}" }}'


EVENT = "config { default_auth: public }  event Placed { payload { n: int, required } }\n"
ONE, TWO = 'on Placed { log info "one" }', 'on Placed where event.n > 1 { log info "two" }'


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (ONE + "\n" + TWO, f"\n\n// moved down\n{ONE}\n{TWO}", True),
        (ONE, ONE.replace("one", "1"), False),
        (TWO, TWO.replace("> 1", "> 2"), False),
        (ONE + "\n" + TWO, TWO + "\n" + ONE, False),
        (ONE, ONE + '\nwebhook w { event: Placed  url: "https://example.com" }', False),
        (ONE, ONE + "\nworkflow W { trigger: Placed  steps { a { check: true } } }", False),
        (ONE, ONE + "\nendpoint GET /x { returns: int  do { return 1 } }", True),
    ],
)
def test_a_version_is_what_events_lead_to(one, other, same):
    assert (version_of(one) == version_of(other)) is same


def version_of(text):
    return wired(text).version()


def wired(*texts):
    application = application_of(EVENT + "\n".join(texts))
    return wiring_of(application, {event.wire: () for event in application.events}, ())
