"""What agents are answered, by a client of the protocol's own library."""

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from codeai.cli.main import cli
from codeai.mcp.manual import pages
from codeai.mcp.programs import Unusable
from codeai.mcp.server import serving
from codeai.mcp.tests import run_tests
from mcp import Client, StdioServerParameters

ROOT = Path(__file__).parents[2]
VALID = "entity Book { id: uuid, primary, auto  title: string, required }\n"
WRONG = "entity Book { id: uuid, primary, auto  title: strng, required }\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "programs"
    found.mkdir()
    (found / "wrong.cai").write_text(WRONG)
    (found / "notes.txt").write_text("nobody's business")
    (tmp_path / "outside.cai").write_text(VALID)
    return found


async def asked(folder: Path, tool: str, **arguments):
    async with Client(serving(folder)) as client:
        answer = await client.call_tool(tool, arguments)
    return "\n".join(part.text for part in answer.content), answer.structured_content, answer.is_error


async def test_a_program_is_checked_with_what_to_write_instead(folder):
    text, data, refused = await asked(folder, "check", program=WRONG)
    assert not refused
    assert "did you mean 'string'?" in text
    assert (data["valid"], data["errors"], data["left_out"]) == (False, 1, 0)
    finding = data["diagnostics"][0]
    assert (finding["code"], finding["place"]["start"]["line"], finding["edits"][0]["replacement"]) == ("CAI0201", 1, "string")


async def test_a_valid_program_is_said_to_be_valid(folder):
    assert (await asked(folder, "check", program=VALID))[:2] == (
        "valid",
        {"valid": True, "errors": 0, "warnings": 0, "diagnostics": [], "left_out": 0},
    )


async def test_a_program_is_checked_by_its_path(folder):
    text, data, _ = await asked(folder, "check", path="wrong.cai")
    assert data["errors"] == 1
    assert "wrong.cai:1:47" in text


async def test_errors_are_shown_first_and_no_more_than_wanted(folder):
    program = "function f() -> int { return 1 }\n" + "".join(
        WRONG.replace("Book", f"Book{n}").replace("strng", f"Strange{n}Thing") for n in range(70)
    )
    text, data, _ = await asked(folder, "check", program=program)
    assert (len(data["diagnostics"]), data["left_out"], data["errors"]) == (50, 21, 70)
    assert "21 more findings are left out" in text
    assert {found["severity"] for found in data["diagnostics"]} == {"error"}
    assert len((await asked(folder, "check", program=program, limit=1))[1]["diagnostics"]) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, "give the program as text in 'program', or its file or folder in 'path'"),
        ({"program": VALID, "path": "wrong.cai"}, "give the program as text"),
        ({"path": "../outside.cai"}, "leads out of the folder"),
        ({"path": "/etc/passwd"}, "leads out of the folder"),
        ({"path": "link.cai"}, "leads out of the folder"),
        ({"path": "nothing.cai"}, "there is no 'nothing.cai' in the folder that is served; it has wrong.cai"),
        ({"path": "notes.txt"}, "'notes.txt' is no program; it has wrong.cai"),
        ({"path": "a\0b"}, "this is no path"),
        ({"path": "x" * 5000}, "this is no path"),
        ({"path": "empty"}, "no .cai files"),
        ({"program": VALID, "limit": 0}, "greater than or equal to 1"),
        ({"program": 5}, "valid string"),
    ],
    ids=lambda value: "" if isinstance(value, dict) else value[:30],
)
async def test_what_cannot_be_checked_is_refused_with_what_to_ask(folder, arguments, said):
    (folder / "link.cai").symlink_to(folder.parent / "outside.cai")
    (folder / "empty").mkdir()
    text, data, refused = await asked(folder, "check", **arguments)
    assert refused
    assert data is None
    assert said in text
    assert "Traceback" not in text


@pytest.mark.parametrize("program", ["", "\0", "\ud800", "{" * 5000, 'exec { rm -rf / }\n"', "\u202e" * 100], ids=range(6))
async def test_any_text_gets_an_answer(folder, program):
    for tool in ("check", "fix", "format"):
        text, _, _ = await asked(folder, tool, program=program)
        assert "Traceback" not in text


async def test_safe_fixes_are_applied_and_the_rest_is_told(folder):
    text, data, _ = await asked(folder, "fix", program=WRONG)
    assert data == {"program": VALID, "fixes": 1, "valid": True}
    assert "1 applied. valid" in text
    _, data, _ = await asked(folder, "fix", program="entity Book { title: strng }\n")
    assert (data["program"], data["valid"]) == ("entity Book { title: string }\n", False)


async def test_a_program_is_formatted_and_a_broken_one_is_not(folder):
    assert (await asked(folder, "format", program="entity   Book{id:uuid,primary,auto}"))[0] == "entity Book { id: uuid, primary, auto }\n"
    text, _, refused = await asked(folder, "format", program="entity Book {")
    assert refused
    assert "program.cai:1:" in text


async def test_no_tool_writes_a_file(folder):
    before = {path: path.read_bytes() for path in folder.parent.rglob("*") if path.is_file()}
    for tool in ("check", "fix", "format"):
        await asked(folder, tool, program=WRONG)
    assert {path: path.read_bytes() for path in folder.parent.rglob("*") if path.is_file()} == before


async def test_codes_are_explained(folder):
    text, _, _ = await asked(folder, "explain", code="cai0102")
    assert text.startswith("# CAI0102: Duplicate declaration\n")
    assert "```cai\n" in text
    text, _, refused = await asked(folder, "explain", code="CAI1020")
    assert refused
    assert "did you mean" in text or "findings have one" in text


async def test_the_manual_is_read_page_by_page(folder):
    text, _, _ = await asked(folder, "reference")
    assert text == (ROOT / "docs/llms/codeai.md").read_text()
    for page in pages():
        assert (await asked(folder, "reference", page=page))[0] == (ROOT / f"docs/language/{page}.md").read_text()
    assert (await asked(folder, "reference", page="Workflow"))[0].startswith("# Workflows")
    text, _, refused = await asked(folder, "reference", page="../../README")
    assert refused
    assert "the manual has no page" in text


async def test_the_same_texts_are_resources(folder):
    async with Client(serving(folder)) as client:
        assert [str(one.uri) for one in (await client.list_resources()).resources] == ["codeai://reference"]
        page = (await client.read_resource("codeai://manual/jobs")).contents[0]
        assert page.text == (ROOT / "docs/language/jobs.md").read_text()
        code = (await client.read_resource("codeai://codes/CAI0201")).contents[0]
        assert code.text.startswith("# CAI0201")


async def test_each_tool_says_what_it_does_and_whether_it_runs_anything(folder):
    async with Client(serving(folder)) as client:
        tools = (await client.list_tools()).tools
    assert {tool.name for tool in tools} == {"check", "fix", "format", "explain", "reference", "test"}
    for tool in tools:
        assert tool.description
        assert tool.annotations.read_only_hint == (tool.name != "test")  # that runs the program, and its Python functions
        assert all(part.get("description") for part in tool.input_schema["properties"].values())


async def test_over_a_process_tests_are_run_and_what_fails_is_told(folder):
    (folder / "tested.cai").write_text(VALID + 'test "fails" { expect 1 == 2 }\ntest "holds" { expect 1 == 1 }\n')
    guide = (ROOT / "docs/guides/agents.md").read_text()
    shown = json.loads(guide.split("```json\n")[1].split("```")[0])["mcpServers"]["codeai"]
    (folder / "--help.cai").write_bytes((folder / "tested.cai").read_bytes())
    server = StdioServerParameters(command=str(Path(sys.executable).parent / shown["command"]), args=shown["args"], cwd=folder)
    async with Client(server) as client:
        answer = await client.call_tool("test", {"path": "tested.cai"})
        wrong = await client.call_tool("check", {"path": "wrong.cai"})
        broken = await client.call_tool("test", {"path": "wrong.cai"})
        dashed = await client.call_tool("test", {"path": "--help.cai", "name": "hol"})
    assert (answer.structured_content["passed"], answer.structured_content["failed"]) == (1, 1)
    assert "FAIL fails (tested.cai:2:" in answer.content[0].text
    assert "\n --> wrong.cai:1:47\n" in wrong.content[0].text  # named as it is named in the folder
    assert dashed.content[0].text == "1 passed, 0 failed"  # a name is no option
    assert broken.is_error
    assert "unknown type 'strng'" in broken.content[0].text


async def test_tests_that_do_not_end_are_ended(folder):
    (folder / "endless.cai").write_text('test "waits" { sleep 10m }\n')
    with pytest.raises(Unusable, match=r"did not end within 0\.1 s"):
        await run_tests(folder / "endless.cai", seconds=0.1)


def test_without_the_library_it_says_what_to_install(monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *more: None if name == "mcp" else found(name, *more))
    done = CliRunner().invoke(cli, ["mcp"])
    assert done.exit_code == 3
    assert done.output == "codeai: the protocol's library is not installed; install it with: pip install 'codeai[mcp]'\n"


def test_nothing_else_loads_the_library():
    codeai = shutil.which("codeai", path=Path(sys.executable).parent)
    script = f"import sys; sys.argv = ['codeai', 'version']\ntry:\n  exec(open({codeai!r}).read())\nfinally:\n  print('mcp' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1] == "False", done.stderr
