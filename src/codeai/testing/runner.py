"""Runs ``test`` blocks and reports."""

from __future__ import annotations

import time
from typing import Any, Protocol

import msgspec

from codeai.auth.principal import SYSTEM
from codeai.evaluate.context import Context
from codeai.evaluate.errors import EvaluationError, ProgramFailure
from codeai.evaluate.operations import text, to_json
from codeai.evaluate.program import Evaluator
from codeai.evaluate.statements import ExpectationFailed
from codeai.integrations.errors import OutboundError
from codeai.language.source import Sources
from codeai.model.application import Test
from codeai.model.validation import InvalidFields
from codeai.query.errors import QueryError
from codeai.storage.autocommit import Autocommit
from codeai.storage.errors import StorageError
from codeai.storage.interface import Database
from codeai.testing.background import failures
from codeai.testing.client import TestClient


class Result(msgspec.Struct, frozen=True):
    """What became of one test; ``failure`` is empty when it passed. ``seconds`` is its duration."""

    name: str
    failure: str
    seconds: float
    at: int = -1


class Parts(Protocol):
    """What a test needs of a composed program."""

    evaluator: Evaluator
    database: Database
    runtime: Any


async def run_test(test: Test, parts: Parts, client: TestClient, sources: Sources) -> Result:
    """Runs one test in the given database.

    Statements of a test run as the system, each in a transaction of its own, so that requests see their effects.
    """
    began = time.perf_counter()
    failure, at = "", test.at
    runtime = parts.runtime
    session = Autocommit(parts.database)
    context = Context(SYSTEM, session, runtime.clock(), runtime.services, runtime.log, client=client, effects=runtime.effects)
    try:
        await parts.evaluator.test(test.body, test.name)(context)
    except ExpectationFailed as error:
        failure, at = await _expectation(error, sources, parts, client), error.at
    except (ProgramFailure, EvaluationError, InvalidFields, QueryError, StorageError, OutboundError) as error:
        failure = f"{type(error).__name__}: {error}"
        at = getattr(error, "at", -1) if getattr(error, "at", -1) >= 0 else test.at
    if client.unanswered:
        hint = "".join(f"\nno answer for {name}: write 'mock {name} returns …'" for name in dict.fromkeys(client.unanswered))
        failure += hint if failure else hint.lstrip()
    return Result(test.name, failure, time.perf_counter() - began, at)


async def _expectation(error: ExpectationFailed, sources: Sources, parts: Parts, client: TestClient) -> str:
    """The line with the values of both sides, and what may explain them: the refusal before it, what failed in the background."""
    place = sources.locate(error.at)
    told = [sources.file_at(error.at).line_text(place.line).strip()]
    if error.compared:
        told += [f"left   {_shown(error.left)}", f"right  {_shown(error.right)}"]
    if client.refused:
        told.append(client.refused)
    return "\n    ".join([*told, *await failures(parts.database)])


def _shown(value: object) -> str:
    found = to_json(value)
    if found is None:
        return "null"
    shown = repr(found) if isinstance(found, str | dict | list) else text(found)
    return shown if len(shown) <= 300 else shown[:297] + "…"
