"""The extension of Visual Studio Code says of itself what its source does. It is built and tested by ``make extension``."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from codeai.cli.main import cli

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "editors/vscode"
PACKAGE = json.loads((FOLDER / "package.json").read_text())
LOCK = json.loads((FOLDER / "package-lock.json").read_text())
SOURCE = (FOLDER / "src/extension.ts").read_text()
COMMAND = (FOLDER / "src/command.ts").read_text()


def test_commands_are_those_that_the_source_registers() -> None:
    offered = {one["command"] for one in PACKAGE["contributes"]["commands"]}
    assert offered == set(re.findall(r'registerCommand\("([\w.]+)"', SOURCE))


def test_settings_are_those_that_the_source_reads() -> None:
    read = {f"codeai.{name}" for name in re.findall(r'getConfiguration\("codeai"\)\.get<string>\("(\w+)"', SOURCE)}
    client = {f"{name}.trace.server" for name in re.findall(r'new LanguageClient\("(\w+)"', SOURCE)}  # read by the library under its id
    assert set(PACKAGE["contributes"]["configuration"]["properties"]) == read | client


def test_the_language_is_the_one_that_the_client_serves() -> None:
    (language,) = PACKAGE["contributes"]["languages"]
    assert language["extensions"] == [".cai"]
    assert set(re.findall(r'language: "(\w+)"', SOURCE)) == {language["id"]}
    for file in (language["configuration"], PACKAGE["contributes"]["grammars"][0]["path"]):
        assert (FOLDER / file).is_file()


def test_what_is_built_is_what_is_loaded() -> None:
    assert f"--outfile={PACKAGE['main'].removeprefix('./')}" in PACKAGE["scripts"]["build"]
    assert f"!{PACKAGE['main'].removeprefix('./')}" in (FOLDER / ".vscodeignore").read_text().splitlines()
    assert (
        PACKAGE["engines"]["vscode"].lstrip("^").rsplit(".", 1)[0]
        == PACKAGE["devDependencies"]["@types/vscode"].lstrip("~").rsplit(".", 1)[0]
    )


def test_the_lock_is_of_this_package() -> None:
    own = LOCK["packages"][""]
    assert {key: own[key] for key in ("version", "dependencies", "devDependencies", "engines")} == {
        key: PACKAGE[key] for key in ("version", "dependencies", "devDependencies", "engines")
    }


def test_the_command_that_it_starts_is_there() -> None:
    (arguments,) = re.findall(r"args: (\[[^\]]*\])", SOURCE)
    done = CliRunner().invoke(cli, [*json.loads(arguments), "--stdio", "--help"])
    assert done.exit_code == 0 and "language server" in done.output


@pytest.mark.parametrize("page", [ROOT / "docs/guides/editors.md", FOLDER / "README.md"])
def test_pages_name_the_package_as_it_is(page: Path) -> None:
    text = page.read_text()
    assert f"{PACKAGE['name']}-{PACKAGE['version']}.vsix" in text
    assert set(re.findall(r"`(codeai\.\w+)`", text)) <= set(PACKAGE["contributes"]["configuration"]["properties"])
    titles = {f"*{one['category']}: {one['title']}*" for one in PACKAGE["contributes"]["commands"]}
    assert set(re.findall(r"\*CodeAI: [^*]+\*", text)) == titles
