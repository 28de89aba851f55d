"""Combinations that are right and seldom written: each is valid, and answers the same on both databases.

``rare/statements.txt`` has a block of an endpoint on each line (``;;`` is a line end) and what it answers below.
``UPDATE=1`` writes the answers anew; whoever does that reads the difference.
"""

import os
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "rare"
LINES = (FOLDER / "statements.txt").read_text().splitlines()
CASES = list(zip(LINES[::2], LINES[1::2], strict=True))
BODY = {"n": 3, "t": "abc", "o": "01890a5d-ac96-774b-bcce-b302099a8057"}
ENDPOINT = "endpoint POST /case{} {{ auth: optional  body {{ n: int  t: text  o: uuid }}  do {{\n{}\n}} }}\n"


@pytest.fixture(scope="module")
def service(service_of, tmp_path_factory):
    program = tmp_path_factory.mktemp("rare") / "app.cai"
    blocks = (ENDPOINT.format(number, block.replace(" ;; ", "\n")) for number, (block, _) in enumerate(CASES))
    program.write_text((FOLDER / "base.cai").read_text() + "".join(blocks))
    found = service_of(program)
    assert found.request("POST", "/fill").status == 204
    return found


def test_every_combination_answers_as_the_language_says(service):
    answers = [service.request("POST", f"/case{number}", BODY, token=service.token(BODY["o"])) for number in range(len(CASES))]
    told = [answer.body.decode() if answer.status < 400 else f"{answer.status} {answer.json['detail']}" for answer in answers]
    if os.environ.get("UPDATE"):
        lines = (line for (block, _), text in zip(CASES, told, strict=True) for line in (block, f"    {text}"))
        (FOLDER / "statements.txt").write_text("\n".join(lines) + "\n")
        return
    wrong = [(block, wanted.strip(), text) for (block, wanted), text in zip(CASES, told, strict=True) if wanted.strip() != text]
    assert wrong == []
