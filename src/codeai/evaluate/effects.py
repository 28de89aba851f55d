"""What statements reach beyond the rows of the database: one small protocol per kind, filled in by the composition.

Every method takes the context of the running block, so that what it leaves behind lies in the block's transaction and
commits with its rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from codeai.evaluate.errors import EvaluationError

if TYPE_CHECKING:
    from codeai.evaluate.context import Context


class Emitter(Protocol):
    """Takes in events."""

    async def emit(self, context: Context, event: str, payload: Any) -> None:
        """Writes an event in the transaction of the context.

        :param event: its wire name
        :param payload: the values by field
        """


class Operations(Protocol):
    """Calls other systems."""

    async def call(self, context: Context, integration: str, operation: str, values: Mapping[str, Any]) -> Any:
        """The checked answer of an operation; the effect lies outside of the transaction of the context.

        :param values: the arguments by name; ``idempotency_key`` is understood by every operation
        :raises Exception: one of ``integrations.errors`` when there is no answer, or the answer is an error
        """


class Starter(Protocol):
    """Starts workflows and jobs."""

    async def start(self, context: Context, kind: str, target: str, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Starts a run in the transaction of the context; the execution as programs see it.

        :param kind: ``workflow`` or ``job``
        :param values: its input by name
        """


class Python(Protocol):
    """Calls Python beside the program."""

    async def activity(self, context: Context, source: str, values: Mapping[str, Any]) -> Any:
        """The result of ``module.function`` with arguments by name."""

    async def function(self, context: Context, name: str, arguments: tuple[Any, ...]) -> Any:
        """The result of a declared extern function."""


class Sender(Protocol):
    """Takes in messages."""

    async def send(self, context: Context, channel: str, target: str | None, values: Mapping[str, Any]) -> None:
        """Leaves a message to be sent once the transaction of the context has committed.

        :param channel: ``email`` or ``slack``
        :param target: an address, or the name of a channel; there is none where the program's is null, which is an error of the evaluation
        :param values: what the statement says (``template``, ``subject``, ``message`` …)
        """


class Actor(Protocol):
    """Lets statements run as somebody else."""

    def act_as(self, context: Context, values: Mapping[str, Any]) -> Any:
        """``as user { … } { … }``: who runs the statements of the block; the result is for ``act_again_as``."""

    def act_again_as(self, context: Context, before: Any) -> None:
        """The end of the block: whoever ran the statements before it."""


class Shell(Protocol):
    """Runs commands for scripts, and takes what they print."""

    async def run(self, command: str, arguments: tuple[Any, ...], checked: bool) -> Mapping[str, Any]:
        """Runs a command whose arguments lie in its environment (``language.shell``); its output and exit code.

        :param checked: an exit code other than 0 is a failure, and the output is the script's own
        """

    def print(self, text: str) -> None:
        """Writes a line."""


class Absent:
    """Stands where a process has no such part; using it is a failure of the block, never a silent success."""

    def __init__(self, what: str) -> None:
        self._what = what

    def __getattr__(self, name: str) -> Any:
        raise EvaluationError(f"this process cannot {self._what}")


class Effects:
    """The parts by kind. They are assigned while a process is composed and not changed afterwards. ``shell`` is there in scripts only."""

    __slots__ = ("actor", "emitter", "operations", "python", "sender", "shell", "starter")

    def __init__(self) -> None:
        self.actor: Actor = Absent("run statements as a user")
        self.emitter: Emitter = Absent("emit events")
        self.operations: Operations = Absent("call integrations")
        self.python: Python = Absent("run Python functions")
        self.sender: Sender = Absent("send messages")
        self.shell: Shell | None = None
        self.starter: Starter = Absent("start workflows and jobs")
