"""Workflows that were registered while servers run: every process takes them up at once, also after a restart.

Processes tell each other; where no notices pass, and in case one was missed, each looks from time to time.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Final

from codeai.durable.definitions import DefinitionMissing, Definitions
from codeai.evaluate.errors import NotCompilable
from codeai.model.workflow import Workflow
from codeai.storage.errors import StorageError
from codeai.storage.interface import Database
from codeai.storage.notices import Notices

_LOG: Final = logging.getLogger("codeai.control")
_EVERY: Final = 2.0  # seconds, where nobody tells
_SAFETY: Final = 30.0
_TOPIC: Final = "workflows"
_KNOWN: Final = "SELECT name, version FROM workflows WHERE source IS NOT NULL AND status <> 'archived' ORDER BY name"
OnChange = Callable[[Mapping[str, Workflow]], Awaitable[None]]


class Registered:
    """The workflows of the database that are not of the program.

    :param on_change: told of all of them whenever that changes
    :param notices: by which processes tell each other
    """

    def __init__(self, database: Database, definitions: Definitions, on_change: OnChange, notices: Notices) -> None:
        self._notices = notices
        self._told = asyncio.Event()
        notices.on(_TOPIC, lambda _: self._told.set())
        notices.on_hearing(self._told.set)
        self._database = database
        self._definitions = definitions
        self._on_change = on_change
        self._versions: dict[str, str] = {}
        self._task: asyncio.Task[None] | None = None
        self.workflows: dict[str, Workflow] = {}
        self.unable: dict[str, Workflow] = {}  # those that this program cannot run: what events start of them waits for one that can

    async def _known(self) -> dict[str, str]:
        return {str(row[0]): str(row[1]) for row in await self._database.reading().fetch(_KNOWN, ())}

    async def stale(self) -> bool:
        """Whether something was registered or archived that was not taken up yet (see ``events.relay.News``)."""
        return await self._known() != self._versions

    async def refresh(self) -> None:
        """Takes up what was registered or archived since."""
        versions = await self._known()
        if versions == self._versions:
            return
        for name in self._versions.keys() - versions.keys():
            self._definitions.forget("workflow", name)
            self.workflows.pop(name, None)
            self.unable.pop(name, None)
        for name, version in versions.items():
            if self._versions.get(name) != version:
                await self._adopt(name, version)
        self._versions = versions
        await self._on_change(self.workflows)

    async def announce(self) -> None:
        """Takes up what this process has just written, and tells the others."""
        await self.refresh()
        self._notices.tell(_TOPIC, "")

    async def _adopt(self, name: str, version: str) -> None:
        try:
            run = (await self._definitions.adopt(version)).run
        except (NotCompilable, DefinitionMissing) as error:
            _LOG.error("a registered workflow cannot run in this program", extra={"workflow": name, "cause": str(error)})
            self.workflows.pop(name, None)
            stored = await self._definitions.stored(version)
            if isinstance(stored, Workflow):
                self.unable[name] = stored
            return
        assert isinstance(run, Workflow)
        self.unable.pop(name, None)
        self.workflows[name] = run

    async def start(self) -> None:
        """Takes them up now and keeps looking."""
        await self.refresh()
        self._task = asyncio.create_task(self._loop())

    async def _loop(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(_SAFETY if self._notices.possible else _EVERY):
                    await self._told.wait()
            self._told.clear()
            try:
                await self.refresh()
            except StorageError as error:
                _LOG.debug("registered workflows were not looked for", extra={"cause": str(error)})

    async def stop(self) -> None:
        """Looks no more."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
