"""Programs of somebody new: first drafts get the diagnostics that helped, what came of them is canonical and passes its tests."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from codeai.language.diagnostics import Severity
from codeai.language.formatter import format_module
from codeai.language.parser import parse_module
from codeai.language.rendering.concise import concise
from codeai.language.source import Sources
from codeai.server.loading import load_program
from services.postgres import PostgresServer

HERE = Path(__file__).parent / "newcomers"
NEWEST = ("auction", "helpdesk", "school", "warehouse")
NAMES = ("billing", "chat", "clinic", "desk", "energy", "hotel", "library", "parcels", "tickets", *NEWEST)
# The wrong lines of the first drafts, with their codes.
FIRST = {
    "auction": {140: "CAI0010", 240: "CAI0023"},
    "billing": {155: "CAI0301"},
    "chat": {},
    "clinic": {346: "CAI0312"},
    "helpdesk": {85: "CAI0127", 95: "CAI0312", 97: "CAI0312", 177: "CAI0361", 222: "CAI0010"},
    "library": {296: "CAI0606"},
    "parcels": {35: "CAI0218", 235: "CAI0615"},
    "school": {212: "CAI0312"},
    "warehouse": {136: "CAI0131", 152: "CAI0131", 154: "CAI0309", 242: "CAI0312", 275: "CAI0032"},
}


@pytest.mark.parametrize("name", FIRST)
def test_a_first_draft_is_told_what_is_wrong(name: str) -> None:
    program = load_program(HERE / "first" / f"{name}.cai")
    found = [found for found in program.diagnostics if found.severity is not Severity.INFO]
    assert {program.sources.locate(one.primary.start).line: one.code for one in found} == FIRST[name]


@pytest.mark.parametrize("name", NAMES)
def test_what_came_of_it_is_valid_and_canonical_and_its_tests_pass(name: str) -> None:
    path = HERE / f"{name}.cai"
    program = load_program(path)
    assert [concise(found, program.sources) for found in program.diagnostics if found.severity is not Severity.INFO] == []
    file = Sources().add(path.name, path.read_text())
    assert format_module(parse_module(file).module, file).text == file.text
    passes(name)


@pytest.mark.parametrize("name", ["auction", "warehouse"])
def test_its_tests_pass_on_postgresql(name: str, postgres: PostgresServer) -> None:
    passes(name, "--database", postgres.create_database())


def passes(name: str, *options: str) -> None:
    command = [sys.executable, "-m", "codeai", "test", str(HERE / f"{name}.cai"), *options]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "LOG_LEVEL": "error"}, timeout=280)
    assert done.stdout.endswith(" 0 failed\n"), done.stdout + done.stderr
    assert not done.stdout.startswith("0 passed")
