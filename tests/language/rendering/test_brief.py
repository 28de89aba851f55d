"""What somebody who runs a program is told: older spellings as a number."""

import pytest

from codeai.language.rendering.brief import brief
from language.samples import analysed

OLDER = 'endpoint GET "/x" { response json  do { return 1 } }\n'


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("config { default_auth: public }\n" + OLDER, "note: 1 older spelling; "),
        ("config { default_auth: public }\n" + OLDER + OLDER.replace("/x", "/y"), "note: 2 older spellings; "),
    ],
)
def test_older_spellings_are_counted(program: str, said: str) -> None:
    found = analysed(program)
    text = brief(found.diagnostics, found.sources)
    assert text.startswith(said), text
    assert text.endswith("'codeai fmt' rewrites them, 'codeai validate' shows them\n\n")
    assert text.count("\n") == 2


def test_what_is_wrong_is_shown_in_full_before_them() -> None:
    found = analysed(OLDER)
    text = brief(found.diagnostics, found.sources)
    assert text.startswith("warning[CAI0504]"), text
    assert "note: 1 older spelling;" in text


def test_nothing_is_said_of_a_program_without_findings() -> None:
    assert brief(analysed("").diagnostics, analysed("").sources) == ""
