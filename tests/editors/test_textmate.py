"""The TextMate grammar, run by the engine of Visual Studio Code: strings, comments and declarations are seen as our lexer sees them."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from codeai.language.lexer import NAME, RAW, STRING, Tokens, tokenize
from codeai.language.operators import LEVELS
from codeai.language.parser.statements import KEYWORDS

ROOT = Path(__file__).parents[2]
GRAMMAR = ROOT / "editors/vscode/syntaxes/codeai.tmLanguage.json"
FILES = sorted([*(ROOT / "examples").rglob("*.cai"), *(ROOT / "tests/corpus/valid").glob("*.cai"), ROOT / "docs/language/shop.cai"])
BLOCKS = ("payload", "path", "query", "body", "do", "steps", "input", "compensate", "parallel", "on_fail", "retry", "headers", "schema")
ENGINE = ("vscode-textmate@9", "vscode-oniguruma@2")


@pytest.fixture(scope="module")
def scopes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("node and npm are needed to run the engine of the editor")
    folder = tmp_path_factory.mktemp("engine")
    installed = subprocess.run(
        [npm, "install", "--prefix", str(folder), "--no-audit", "--no-fund", *ENGINE], capture_output=True, text=True, timeout=280
    )
    if installed.returncode:
        pytest.skip(f"the registry of npm cannot be reached: {installed.stderr.strip()[-200:]}")
    command = [node, str(Path(__file__).parent / "scopes.mjs"), str(folder), str(GRAMMAR), *map(str, FILES)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def scope_at(found: dict[str, Any], offset: int) -> str:
    return next((" ".join(scopes) for start, end, scopes in found["tokens"] if start <= offset < end), "")


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_strings_comments_and_declarations_have_their_scopes(file: Path, scopes: dict[str, Any]) -> None:
    found, text = scopes[str(file)], file.read_text()
    tokens = tokenize(text)
    for kind, start, word in zip(tokens.kinds, tokens.starts, tokens.texts, strict=True):
        if kind in (STRING, RAW):
            assert "string.quoted" in scope_at(found, start), (word, scope_at(found, start))
    for comment in tokens.comments:
        assert "comment." in scope_at(found, comment.start), comment.text
    at = 0
    for line in text.splitlines(keepends=True):
        word = line.split(" ")[0]
        if word in ("entity", "endpoint", "workflow", "function", "job", "test", "role", "event"):
            assert "storage.type" in scope_at(found, at), line
        at += len(line)
    assert found["open"] == 0, "something is still open at the end of the file"


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_every_keyword_has_a_scope(file: Path, scopes: dict[str, Any]) -> None:
    found, text = scopes[str(file)], file.read_text()
    tokens = tokenize(text)
    plain = []
    for at, (kind, start, word) in enumerate(zip(tokens.kinds, tokens.starts, tokens.texts, strict=True)):
        if kind == NAME and _is_keyword(tokens, at) and not any(not name.startswith("source.") for name in scope_at(found, start).split()):
            plain.append((text.count("\n", 0, start) + 1, word))
    assert plain == []


def _is_keyword(tokens: Tokens, at: int) -> bool:
    word, following = tokens.texts[at], tokens.kinds[at + 1]
    begins = tokens.breaks[at] or (at > 0 and tokens.kinds[at - 1] in ("{", "}"))
    if at and tokens.kinds[at - 1] == ".":
        return False
    if word in KEYWORDS or word in ("select", "create", "update", "delete", "allow", "hide"):
        return begins and following in (NAME, STRING, "integer")
    if word in LEVELS:
        return tokens.texts[at - 1] == "log" and following == STRING
    return word in BLOCKS and following == "{" and begins


def test_the_extension_names_files_that_are_there() -> None:
    folder = ROOT / "editors/vscode"
    package = json.loads((folder / "package.json").read_text())["contributes"]
    named = [package["languages"][0]["configuration"], package["grammars"][0]["path"]]
    assert all(json.loads((folder / name).read_text()) for name in named)
    assert package["grammars"][0]["scopeName"] == json.loads(GRAMMAR.read_text())["scopeName"]
