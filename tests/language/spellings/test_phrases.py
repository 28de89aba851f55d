"""The table of older spellings (language page, section 12), phrase by phrase: what each becomes, and which notes name it.

``phrases.txt`` holds them: a line with the phrase, the older text, what ``codeai fmt`` makes of it, and the notes. ``UPDATE=1`` writes
the last two anew; whoever does that reads the difference. All of them stand beside one program of today.
"""

import os
from functools import cache
from pathlib import Path

import pytest

from codeai.language.diagnostics import Diagnostic, Severity
from codeai.language.rendering.concise import concise
from language.samples import ASIDE, analysed
from language.test_formatter import formatted, tree

FILE = Path(__file__).parent / "phrases.txt"
HEAD, ARROW, NOTE = "### ", "=> ", "-- "
# What is not done is an error that says what to do instead; what is read and not used, or guessed, is a warning.
SAYS_SO = ("CAI0031", "CAI0032", "CAI0033", "CAI0035")

# The table names them, and they are forms of today: a key without its colon, a quoted path, and two that edition 1 has as well.
OF_TODAY = ("a quoted path", "trigger schedule", "trigger manual", "emit(E { … })", "permissions [ … ]", "cache: redis")

BESIDE = """entity User { id: uuid, primary, auto  email: email, unique }
entity Post {
    id: uuid, primary, auto
    title: string, required
    views: int, default(0)
    owner: ref(User)
    deleted_at: timestamp, soft_delete
}
event order.paid { payload { id: uuid  email: email } }
on order.paid { log info "{event.id}" }
role admin { permissions: ["*:*"] }
role editor { permissions: ["posts:read"] }
auth main { method: jwt  secret: secret(JWT_SECRET) }
middleware limited { type: rate_limiting  requests: 100  window: 1m }
integration Mail { base_url: "https://mail.example.com"  operation ping { method: POST  path: "/ping"  body { a: int } } }
"""
TODAY = formatted(BESIDE)


def blocks() -> list[tuple[str, str, str, list[str]]]:
    found = []
    for block in FILE.read_text().split(HEAD)[1:]:
        phrase, _, rest = block.partition("\n")
        lines = rest.rstrip("\n").split("\n")
        older = [line for line in lines if not line.startswith((ARROW, NOTE)) and line != ARROW.strip()]
        canonical = [line.removeprefix(ARROW) if line != ARROW.strip() else "" for line in lines if line.startswith(ARROW.strip())]
        notes = [line.removeprefix(NOTE) for line in lines if line.startswith(NOTE)]
        found.append((phrase, "\n".join(older) + "\n", "\n".join(canonical) + "\n", notes))
    return found


PHRASES = blocks()


def rewritten(older: str) -> str:
    """What the formatter makes of a text that stands beside the program."""
    if alone(older):
        return formatted(older)
    whole = formatted(f"{TODAY}\n{older}")
    assert whole.startswith(TODAY)
    return whole.removeprefix(TODAY).lstrip("\n")


def alone(text: str) -> bool:
    return text.startswith("config") and "database" in text


@cache
def findings(text: str) -> tuple[list[Diagnostic], list[str]]:
    """The findings on a text, and what they say."""
    found = analysed(text if alone(text) else f"{TODAY}\n{text}")
    inside = [item for item in found.diagnostics if item.code not in (*ASIDE, "CAI0131") and item.severity is not Severity.HINT]
    inside.sort(key=lambda item: (item.primary.start, item.code, item.message))
    said = [f"{concise(item, found.sources).split(':', 3)[3].strip()} [{item.code}]" for item in inside]
    return inside, [text.removeprefix("SyntaxError info: ").replace(" ('codeai fmt' rewrites it) [CAI0030]", "") for text in said]


def test_the_phrases_are_written_down() -> None:
    assert len({phrase for phrase, *_ in PHRASES}) == len(PHRASES) >= 80


@pytest.mark.parametrize(("phrase", "older", "canonical", "notes"), PHRASES, ids=[phrase for phrase, *_ in PHRASES])
def test_a_phrase_is_read_named_and_rewritten(phrase: str, older: str, canonical: str, notes: list[str]) -> None:
    said = findings(older)[1]
    unsupported = any("is not supported" in note for note in said)
    text = "\n" if unsupported else rewritten(older)
    if os.environ.get("UPDATE"):
        mark = [f"{ARROW}{line}".rstrip() for line in text.rstrip("\n").split("\n")]
        written = "\n".join([f"{HEAD}{phrase}", older.rstrip("\n"), *mark, *(f"{NOTE}{note}" for note in said)])
        begin = FILE.read_text().index(f"{HEAD}{phrase}\n")
        end = FILE.read_text().find(f"\n{HEAD}", begin)
        whole = FILE.read_text()
        FILE.write_text(whole[:begin] + written + "\n" + (whole[end:] if end >= 0 else ""))
        return
    assert (text, said) == (canonical, notes)
    assert said or phrase in OF_TODAY, "nothing tells that it is older"
    assert unsupported or alone(older) or tree(f"{TODAY}\n{text}") == tree(f"{TODAY}\n{older}")


@pytest.mark.parametrize(("phrase", "older", "canonical", "notes"), PHRASES, ids=[phrase for phrase, *_ in PHRASES])
def test_its_canonical_form_is_valid_and_means_the_same(phrase: str, older: str, canonical: str, notes: list[str]) -> None:
    if any("is not supported" in note for note in notes):
        assert [item.severity for item in findings(older)[0] if item.code == "CAI0031"] == [Severity.ERROR]
        return
    before, after = findings(older)[0], findings(canonical)[0]
    assert [item.message for item in (*before, *after) if item.severity is Severity.ERROR] == []
    assert [item.message for item in after if item.code == "CAI0030"] == []
    weighed = [sorted(item.message for item in found if item.code not in ("CAI0030", *SAYS_SO)) for found in (before, after)]
    assert weighed[0] == weighed[1]
