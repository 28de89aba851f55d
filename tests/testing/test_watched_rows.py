"""Statements of tests change rows that are audited or watched by data triggers, on both databases."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from codeai.cli.test import command

PROGRAM = """
config { name: "x"  default_auth: public }
entity Item { id: uuid, primary, auto  name: string, required  n: int, default(0)  traits: [audited] }
entity Part { id: uuid, primary, auto  n: int, default(0) }
entity Told { id: int, primary, auto  text: string, required }
event Low { trigger: when Item.n < 3  payload { item_id: uuid  name: string  n: int } }
event Gone { trigger: when Part.n < 0  payload { part_id: uuid } }
on Low { create Told { text: "{event.name} {event.n}" } }
on Gone { create Told { text: "gone" } }

test "once per time that it becomes true" {
    let item = create Item { name: "a", n: 5 }
    update item { n: 2 }
    expect (select Told).map(x => x.text) == ["a 2"]
    update item { n: 1 }
    expect count(Told) == 1
    update item { n: 9 }
    let again = get Item(item.id)
    update again { n: 0 }
    expect (select Told order by id).map(x => x.text) == ["a 2", "a 0"]
    delete again
    expect count(Item) == 0
    create Part { n: 4 }
    update Part set n = n - 9 where all
    expect count(Told where text == "gone") == 1
}
"""


def test_each_change_of_a_row_is_one_transaction(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database_url: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.cai").write_text(PROGRAM)
    said = CliRunner().invoke(command, ["--database", database_url])
    assert said.output.endswith("1 passed, 0 failed\n"), said.output
