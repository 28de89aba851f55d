"""What the checker accepts starts: its tables are made and its parts composed, unless a finding named the file that is missing."""

from pathlib import Path

import pytest

from codeai.server.composition import Composition
from codeai.server.database import synchronise_here
from codeai.server.errors import StartError
from codeai.server.loading import load_program
from codeai.server.settings import read_settings
from codeai.storage.opening import open_database
from codeai.storage.settings import from_url

CORPUS = Path(__file__).parent
PROGRAMS = sorted([*(CORPUS / "valid").glob("*.cai"), *(CORPUS / "canonical").glob("*.cai")])


@pytest.mark.parametrize("file", PROGRAMS, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_a_valid_program_starts_or_was_told_what_is_missing(file: Path, tmp_path: Path) -> None:
    program = load_program(file)
    missing = [found.message for found in program.diagnostics if found.code == "CAI0612"]
    wanted = (found.value.name for found in program.application.requirements if found.value.default is None)
    environment = {"JWT_SECRET": "a secret for tests that is long enough", **{name: name.lower() for name in wanted}}
    settings = from_url(f"sqlite:///{tmp_path}/x.db")
    synchronise_here(settings, program.application, development=True)
    try:
        database = open_database(settings)
        Composition(program.application, read_settings(environment, {}), database, environment, folder=tmp_path, recording=True)
    except StartError as error:
        assert [said for said in missing if "middleware" in said or said == str(error)], str(error)
