"""``codeai workflow``."""

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from click.testing import CliRunner

from codeai.cli.main import cli

SAGA = str(Path(__file__).parent.parent / "corpus" / "valid" / "saga.cai")


def test_graph_prints_mermaid() -> None:
    done = CliRunner().invoke(cli, ["workflow", "graph", "OrderFulfillment", "--program", SAGA])
    assert done.exit_code == 0
    assert done.stdout.startswith("flowchart TD\n")


def test_graph_writes_svg_to_a_file(tmp_path: Path) -> None:
    target = tmp_path / "saga.svg"
    done = CliRunner().invoke(cli, ["workflow", "graph", "DailyReport", "--format", "svg", "--program", SAGA, "--output", str(target)])
    assert (done.exit_code, done.stdout) == (0, "")
    assert ET.parse(target).getroot().tag.endswith("svg")


FAILURES = {
    "an unknown name": (["OrderFulfilment"], 2, "no workflow or job 'OrderFulfilment', did you mean 'OrderFulfillment'?"),
    "an unknown format": (["OrderFulfillment", "--format", "png"], 2, "'png' is not one of 'mermaid', 'svg'"),
    "a missing file": (["X", "--program", "missing.cai"], 2, "no such file"),
}


@pytest.mark.parametrize(("arguments", "code", "text"), FAILURES.values(), ids=FAILURES)
def test_graph_says_what_is_wrong(arguments: list[str], code: int, text: str) -> None:
    options = [] if "--program" in arguments else ["--program", SAGA]
    done = CliRunner().invoke(cli, ["workflow", "graph", *arguments, *options])
    assert done.exit_code == code
    assert text in done.stderr
