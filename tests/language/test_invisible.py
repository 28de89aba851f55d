"""Characters that nobody sees (Trojan Source): what is reported, what is left alone, and that mending keeps what the program says."""

import pytest

from codeai.language.rendering.text import rich
from language.samples import analysed, findings, fixed

RLO, LRI, LRM, ZWSP, ZWJ, ZWNJ, TAG = "\u202e", "\u2066", "\u200e", "\u200b", "\u200d", "\u200c", "\U000e0067"


def reported(text: str) -> list[tuple[str, str]]:
    """What is said of a program, and of what place of it."""
    program = analysed(text)
    return [(found.code, text[found.primary.start : found.primary.end]) for found in findings(program)]


@pytest.mark.parametrize(
    "text",
    [
        f'config {{ name: "shop{RLO}" }}',
        f"config {{ name: 'shop{LRI}' }}",
        f'config {{ name: """shop{LRM}""" }}',
        f'config {{ name: "shop" }} // {RLO}',
        f'/* {LRI} */ config {{ name: "shop" }}',
        f'/// all of {ZWSP}it\nconfig {{ name: "shop" }}',
        f'config {{ name: "pay{ZWJ}ment" }}',
        f'config {{ name: "pay{TAG}" }}',
        f"config {{ name: \"shop {{'a{RLO}'}}\" }}",
    ],
)
def test_a_mark_in_a_text_or_a_comment_is_a_warning(text: str) -> None:
    [(code, place)] = reported(text)
    assert code == "CAI0008"
    assert not place.isascii()


@pytest.mark.parametrize(
    "name",
    [
        "שלום עולם",
        "مرحبا",
        f"می{ZWNJ}خواهم",
        f"👩{ZWJ}👩{ZWJ}👧",
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "日本語",
        "\\u202e",
    ],
)
def test_what_scripts_and_emoji_need_is_left_alone(name: str) -> None:
    assert reported(f'// {name}\nconfig {{ name: "{name}" }}') == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (f'config {{ na{RLO}me: "shop" }}', "CAI0001"),
        (f'endpoint GET "/a{RLO}b" {{ auth: public  do {{ return 1 }} }}', "CAI0020"),
        (f'config {{ name: "shop{RLO} }}', "CAI0002"),
        (f'config {{ name: "shop" }}\nendpoint GET /a {{ auth: public  do {{ return "{{con{ZWSP}fig.name}}" }} }}', "CAI0001"),
    ],
)
def test_where_the_text_is_wrong_already_it_is_one_finding(text: str, code: str) -> None:
    assert [found for found, _ in reported(text)] == [code]


@pytest.mark.parametrize(
    "text",
    [
        f"\ufeff{ZWSP}config {{ name: 1 }}",
        f"config {{ na{RLO}me: 1 }}",
        f"config {{ n{ZWSP}am{ZWSP}e{LRI}: 1 }}",
        f"config {{ {ZWSP}{ZWJ}name: 1 }}",
        f"{TAG}config {{ name: 1 }}",
        f"config {{ name{ZWSP}: {ZWSP}1 }}",
    ],
)
def test_a_mark_in_a_name_is_taken_out_and_nothing_else_follows_from_it(text: str) -> None:
    assert {code for code, _ in reported(text)} == {"CAI0001", "CAI0505"}  # and what is wrong besides: a name is a text
    assert fixed(text).removeprefix("\ufeff") == "config { name: 1 }"


def test_several_marks_of_one_text_are_one_finding() -> None:
    assert len(reported(f'config {{ name: "{RLO}sh{LRI}op{LRM}" }}')) == 1


def test_mending_keeps_the_value_of_a_text_and_takes_marks_out_of_comments() -> None:
    assert fixed(f'config {{ name: "a{RLO}b{TAG}" }} // c{LRI}d') == 'config { name: "a\\u202eb\\udb40\\udc67" } // cd'
    assert fixed(f'config {{ name: """a{RLO}""" }}') == f'config {{ name: """a{RLO}""" }}'


def test_the_finding_names_the_mark_and_shows_none() -> None:
    program = analysed(f'config {{ name: "shop{RLO}" }}')
    [found] = findings(program)
    assert found.message == "invisible 'right-to-left override' (U+202E) in a text"
    assert RLO not in rich(found, program.sources)
