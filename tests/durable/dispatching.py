"""Workers with a handler that remembers, and databases that fail them."""

import asyncio
from collections.abc import Callable

from shared_engine import SharedEngine

from codeai.durable.dispatch.dbos.dispatcher import DbosDispatcher
from codeai.durable.dispatch.local import LocalDispatcher
from codeai.durable.dispatch.protocol import Claim
from codeai.storage.errors import DatabaseUnavailable
from codeai.storage.interface import Database, Session
from services.polling import eventually


class Time:
    def __init__(self) -> None:
        self.now = 1_000_000_000_000

    def __call__(self) -> int:
        return self.now


class Worker:
    """A dispatcher with a handler that remembers."""

    def __init__(self, database: Database, engine: SharedEngine | None = None, **arguments: object) -> None:
        self.database = database
        self.dispatcher: LocalDispatcher = (
            LocalDispatcher(database, **arguments)  # type: ignore[arg-type]
            if engine is None
            else DbosDispatcher(database, engine.share(), **arguments)  # type: ignore[arg-type]
        )
        self.seen: list[str] = []
        self.claims: list[Claim] = []
        self.running = 0
        self.most = 0
        self.action: Callable[[Claim], object] | None = None
        self.dispatcher.register("work", self._handle)

    async def _handle(self, claim: Claim) -> None:
        self.claims.append(claim)
        self.seen.append(claim.subject)
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            if self.action is not None and await self.action(claim):  # type: ignore[misc]
                return
            async with self.database.transaction() as session:
                await self.dispatcher.done(session, claim)
        finally:
            self.running -= 1

    def pause(self) -> asyncio.Event:
        """Lets every handler wait for what is returned."""
        gate = asyncio.Event()

        async def wait(claim: Claim) -> None:
            await gate.wait()

        self.action = wait
        return gate

    async def begin(self, *subjects: str) -> None:
        """Offers, and waits until the handler works on all of it."""
        for subject in subjects:
            await self.offer(subject)
        if isinstance(self.dispatcher, DbosDispatcher):
            await self.dispatcher._open()
        await self.dispatcher._fill()
        await eventually(lambda: len(self.seen) == len(subjects))

    async def offer(self, subject: str, **arguments: object) -> None:
        async with self.database.transaction() as session:
            await self.dispatcher.offer(session, "work", subject, **arguments)  # type: ignore[arg-type]


Make = Callable[..., Worker]


async def rows(database: Database) -> list[tuple[object, ...]]:
    """What is left to do."""
    return [tuple(row) for row in await database.fetch("SELECT subject, state, fence, attempts FROM codeai_activations ORDER BY id", ())]


class Trips:
    """A session that counts the ways to the database."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.made = 0

    def __getattr__(self, name: str) -> object:
        self.made += name != "after_commit"
        return getattr(self._session, name)


class Away:
    """A database that refuses writes while it is ``gone``."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.gone = False

    def __getattr__(self, name: str) -> object:
        return getattr(self._database, name)

    def writing(self) -> Session:
        if self.gone:
            raise DatabaseUnavailable("gone")
        return self._database.writing()


class Mute(Away):
    """Loses its next answer to a write: what was written is written."""

    def writing(self) -> Session:
        return self

    async def fetch(self, *arguments: object) -> object:
        found = await self._database.writing().fetch(*arguments)
        if self.gone and found:
            self.gone = False
            raise DatabaseUnavailable("gone")
        return found

    async def execute(self, *arguments: object) -> object:
        return await self._database.writing().execute(*arguments)


class Slow(Mute):
    """Answers a claim only when the gate is open, long after the database has done it."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.gate = asyncio.Event()
        self.claimed = asyncio.Event()

    async def fetch(self, *arguments: object) -> object:
        found = await self._database.writing().fetch(*arguments)
        if self.gone and found:
            self.claimed.set()
            await self.gate.wait()
        return found


class Odd(Away):
    """Fails as no database does, once for each statement of a worker."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.failed: set[object] = set()

    def writing(self) -> Session:
        return self

    async def fetch(self, statement: str, values: object) -> object:
        if statement not in self.failed:
            self.failed.add(statement)
            raise RuntimeError("the transport is closed")
        return await self._database.writing().fetch(statement, values)

    async def execute(self, *arguments: object) -> object:
        return await self._database.writing().execute(*arguments)
