"""Names of tables, columns, indexes and constraints: none is too long or taken, on both kinds of database."""

from pathlib import Path

import pytest

from codeai.server.database import synchronise_here
from codeai.server.loading import load_program
from codeai.storage.settings import from_url

LONG = "AVeryLongNameOfAnEntityThatSomebodyWroteOnceBecause"
PROGRAMS = {
    "a unique field with the index that it has by itself": """
entity Thing { id: uuid, primary, auto  sku: string, unique  index: [sku] unique }""",
    "two indexes of one name": """
entity Thing { id: uuid, primary, auto  part_a: int  index: [part_a] }
entity Part { id: uuid, primary, auto  a: int  table: "things_part"  index: [a] }""",
    "a table called like the index of another": """
entity Thing { id: uuid, primary, auto  a: int  index: [a] }
entity Other { id: uuid, primary, auto  a: int, unique  table: "things_a_idx" }""",
    "long names": f"""
entity {LONG} {{
    id: uuid, primary, auto
    a_field_with_a_rather_long_name_too: int, unique, min(1)
    another_field_with_a_rather_long_name: ref({LONG})
    {"x" * 63}: string, searchable
    {"y" * 63}: enum(a, b)
    index: [a_field_with_a_rather_long_name_too, another_field_with_a_rather_long_name]
    check: a_field_with_a_rather_long_name_too > 1
    check: a_field_with_a_rather_long_name_too > 1
}}
entity {LONG[:-1]}k {{ id: uuid, primary, auto  {"x" * 63}: string, searchable }}""",
    "names that mean the number of a row": """
entity Thing { id: uuid, primary, auto  rowid: int  name: string, searchable  oid: int }""",
}


@pytest.mark.parametrize("said", PROGRAMS)
def test_a_program_has_tables_that_stay_as_they_are(said: str, database_url: str, tmp_path: Path) -> None:
    file = tmp_path / "app.cai"
    file.write_text(PROGRAMS[said])
    program = load_program(file)
    assert [found.message for found in program.diagnostics if found.code != "CAI0131"] == []
    settings = from_url(database_url)
    assert synchronise_here(settings, program.application, True, False) == ("created", ())
    assert synchronise_here(settings, program.application, True, False) == ("unchanged", ())
