"""Python beside the program: checked by its text, run where it is called."""

import asyncio
import datetime
import threading
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest

from codeai.analysis.program import analyse
from codeai.evaluate.context import Context
from codeai.functions.calling import FunctionFailed, PythonFunctions
from codeai.functions.checking import problems
from codeai.language.parser import parse_module
from codeai.language.source import Sources
from codeai.model.application import Application

MODULE = """
import threading
import time
from codeai.functions.calling import idempotency_key

raised = "at import" if False else None

class Final(Exception):
    retryable = False

def label(order, copies=1):
    return {"order": order, "copies": copies, "thread": threading.current_thread().name}

async def later(order):
    return [order, idempotency_key.get()]

def key(order):
    return idempotency_key.get()

def fails(order):
    raise ValueError("no ink")

def fails_for_good(order):
    raise Final("no printer")

def nothing_sensible(order):
    return object

def leaves(order):
    raise SystemExit(7)

def stops(order):
    return next(iter(()))

def total(a, b):
    return a + b
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "activities").mkdir()
    (tmp_path / "activities" / "shipping.py").write_text(MODULE)
    (tmp_path / "activities" / "broken.py").write_text("def f(:\n")
    (tmp_path / "activities" / "dangerous.py").write_text("raise SystemExit('it was run')\ndef f(): pass\n")
    return tmp_path


def program(text: str) -> Application:
    sources = Sources()
    return analyse([parse_module(sources.add("app.cai", text)).module], sources).application


def activity(call: str) -> Application:
    return program(f"workflow W {{ input {{ order: string }} steps {{ a {{ activity: {call} }} }} }}")


@pytest.mark.parametrize(
    ("call", "wanted"),
    [
        ('shipping.label { order: "a" }', []),
        ('shipping.label { order: "a", copies: 2 }', []),
        ("dangerous.f { }", []),
        ("shipping.label { copies: 2 }", ["'shipping.label' needs order"]),
        ('shipping.label { order: "a", colour: "red" }', ["'shipping.label' takes no colour"]),
        ('shipping.lable { order: "a" }', ["'activities/shipping.py' has no function 'lable'"]),
        ('post.label { order: "a" }', ["there is no 'activities/post.py' for 'post.label'"]),
        ("broken.f { }", ["'activities/broken.py' is no Python"]),
    ],
)
def test_activities_are_checked_without_being_run(folder: Path, call: str, wanted: list[str]) -> None:
    found = [problem.message for problem in problems(activity(call), folder)]
    assert len(found) == len(wanted)
    assert all(message.startswith(expected) for message, expected in zip(found, wanted, strict=True))


@pytest.mark.parametrize(("parameters", "wanted"), [("a: int, b: int", 0), ("a: int", 1), ("a: int, b: int, c: int", 1)])
def test_extern_functions_are_checked_by_their_number_of_arguments(folder: Path, parameters: str, wanted: int) -> None:
    found = problems(program(f'extern function total({parameters}) -> int from "shipping.total"'), folder)
    assert len(found) == wanted


def call(folder: Path, source: str, values: Mapping[str, Any], key: str | None = None) -> Any:
    async def run() -> Any:
        context = cast("Context", type("Given", (), {"values": {"@key": key}})())
        return await PythonFunctions(Application(name="t"), folder).activity(context, source, values)

    return asyncio.run(run())


def test_plain_functions_run_on_threads(folder: Path) -> None:
    found = call(folder, "shipping.label", {"order": "a"})
    assert (found["order"], found["copies"]) == ("a", 1)
    assert found["thread"] != threading.main_thread().name


def test_functions_know_the_key_of_their_step(folder: Path) -> None:
    assert call(folder, "shipping.later", {"order": "a"}, "execution/step") == ["a", "execution/step"]
    assert call(folder, "shipping.key", {"order": "a"}, "execution/step") == "execution/step"


@pytest.mark.parametrize(
    ("source", "message", "code", "retryable"),
    [
        ("shipping.fails", "'shipping.fails' failed: no ink", "ValueError", True),
        ("shipping.fails_for_good", "'shipping.fails_for_good' failed: no printer", "Final", False),
        ("shipping.nothing_sensible", "'shipping.nothing_sensible' returned type, which is no data", "bad_result", False),
        ("shipping.absent", "'shipping.absent' failed: module", "AttributeError", True),
        ("shipping.leaves", "'shipping.leaves' failed: 7", "SystemExit", True),
        ("shipping.stops", "'shipping.stops' failed: StopIteration", "RuntimeError", True),
        ("dangerous.f", "'dangerous.f' failed: it was run", "SystemExit", True),
        ("absent.f", "'absent.f' failed: there is no", "FileNotFoundError", True),
    ],
)
def test_what_functions_raise_is_a_failed_step(folder: Path, source: str, message: str, code: str, retryable: bool) -> None:
    with pytest.raises(FunctionFailed) as failure:
        call(folder, source, {"order": "a"})
    assert str(failure.value).startswith(message)
    assert (failure.value.code, failure.value.retryable) == (code, retryable)


def test_results_are_data(folder: Path) -> None:
    (folder / "activities" / "values.py").write_text(
        "import datetime, decimal\nclass R:\n    def __init__(self):\n        self.a = 1\n        self._b = 2\n"
        "def f():\n    return {'d': decimal.Decimal('1.50'), 't': datetime.date(2026, 1, 2), 'r': R(), 's': (1, 2)}\n"
    )
    assert call(folder, "values.f", {}) == {"d": Decimal("1.50"), "t": datetime.date(2026, 1, 2), "r": {"a": 1}, "s": [1, 2]}
