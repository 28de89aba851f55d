"""An older program and its canonical form do the same when they run."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from codeai.cli.main import cli
from codeai.server.loading import load_program

CORPUS = Path(__file__).parents[2] / "corpus"


@pytest.mark.parametrize("folder", ["valid", "canonical"])
def test_the_tests_of_the_older_program_pass_in_both_forms(folder: str) -> None:
    result = CliRunner().invoke(cli, ["test", str(CORPUS / folder / "spellings_running.cai")])
    assert result.exit_code == 0, result.output
    assert "1 passed, 0 failed" in result.output


def test_a_shape_is_derived_from_an_entity_of_another_file(tmp_path: Path) -> None:
    (tmp_path / "app.cai").write_text(
        "config { default_auth: public }\n"
        'endpoint POST "/tags" { request CreateTag from body  response Tag  do { tag = insert("labels", request) } }\n'
    )
    (tmp_path / "data.cai").write_text('entity Tag { id: uuid, primary, auto  name: string, required  table: "labels" }\n')
    program = load_program(tmp_path)
    assert program.valid, [found.message for found in program.diagnostics]
    body = program.application.endpoints[0].inputs.body
    assert body is not None
    assert (body.entity, [field.name for field in body.fields]) == ("Tag", ["name"])
    assert not [found for found in program.diagnostics if found.code == "CAI0033"]
