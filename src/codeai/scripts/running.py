"""Runs the statements of a script, each a transaction of its own, and says where it ended."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Final, Protocol

import msgspec

from codeai.auth.acting import stated_principal
from codeai.auth.principal import SYSTEM, Principal, RoleTable
from codeai.evaluate.context import Caller, Context
from codeai.evaluate.errors import EvaluationError, ProgramFailure
from codeai.evaluate.program import Evaluator
from codeai.integrations.errors import OutboundError
from codeai.model.statement import Block
from codeai.model.validation import InvalidFields
from codeai.query.errors import QueryError
from codeai.storage.autocommit import Autocommit
from codeai.storage.errors import StorageError
from codeai.storage.interface import Database

_FAILURES: Final = (ProgramFailure, EvaluationError, InvalidFields, QueryError, StorageError, OutboundError)

_LAST: Final = 255


class Ended(msgspec.Struct, frozen=True):
    """How a script ended: its exit code, and when it failed why and where (an offset in the sources)."""

    code: int
    failure: str = ""
    at: int = -1


class Parts(Protocol):
    """What a script needs of a composed program."""

    evaluator: Evaluator
    database: Database
    roles: RoleTable
    runtime: Any


class ScriptContext(Context):
    """The context of a script: ``at`` is the statement that runs, and ``client`` the context itself, which knows ``as user``."""

    def __init__(self, parts: Parts) -> None:
        runtime = parts.runtime
        session = Autocommit(parts.database)
        super().__init__(SYSTEM, session, runtime.clock(), runtime.services, runtime.log, effects=runtime.effects)
        self.client = self
        self.at = -1
        self._database = parts.database
        self._roles = parts.roles
        self._clock: Callable[[], datetime.datetime] = runtime.clock

    @contextlib.asynccontextmanager
    async def whole(self, write: bool) -> AsyncIterator[None]:
        """The transaction of one statement, with its own time."""
        before = self.session
        async with self._database.transaction(write=write) as session:
            self.session, self.now = session, self._clock()
            try:
                yield
            finally:
                self.session = before

    def become(self, context: Context, values: Mapping[str, Any]) -> None:
        """``as user { … }`` alone: it runs the statements from here on."""
        context.user = self._principal(values)

    def act_as(self, context: Context, values: Mapping[str, Any]) -> Caller:
        """``as user { … } { … }``; the result is for ``act_again_as``."""
        before = context.user
        context.user = self._principal(values)
        return before

    def act_again_as(self, context: Context, before: Caller) -> None:
        """The end of the block of ``as user``."""
        context.user = before

    def _principal(self, values: Mapping[str, Any]) -> Principal:
        return stated_principal(values, self._roles)


async def run_script(script: Block, parts: Parts) -> Ended:
    """Runs a script to its end or to its first failure. What was committed before a failure stays."""
    context = ScriptContext(parts)
    host = parts.evaluator.script(script, "script")
    try:
        outcome = await host(context)
    except _FAILURES as error:
        at = getattr(error, "at", -1)
        return Ended(1, _said(error), at if at >= 0 else context.at)
    code = outcome.value if isinstance(outcome.value, int) else 0
    return Ended(code) if 0 <= code <= _LAST else Ended(1, f"an exit code is 0 to {_LAST}, not {code}", context.at)


def _said(error: Exception) -> str:
    hint = getattr(error, "hint", "")
    return f"{error} ({hint})" if hint else str(error)
