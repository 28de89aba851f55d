"""Brings a database to the tables of a program, or says why not."""

from __future__ import annotations

import asyncio
import sqlite3
from typing import Literal

import msgspec
import sqlalchemy as sa

from codeai.model.application import Application
from codeai.storage import errors
from codeai.storage.causes import cause_of
from codeai.storage.fingerprint import fingerprint
from codeai.storage.postgresql.functions import FUNCTIONS
from codeai.storage.schema import renaming
from codeai.storage.schema.metadata import CheckText, metadata
from codeai.storage.settings import DatabaseSettings
from codeai.storage.sqlite.functions import register
from codeai.storage.sqlite.translation import with_remedy

# Any number that only this program uses, for PostgreSQL's advisory lock during changes of the schema.
_LOCK = 0x434149_534348


class SyncReport(msgspec.Struct, frozen=True):
    """What was done: ``created`` from nothing, ``unchanged``, or ``changed`` by the additive ``changes``."""

    outcome: Literal["created", "unchanged", "changed"]
    changes: tuple[str, ...] = ()


def synchronise(
    settings: DatabaseSettings,
    application: Application,
    check_text: CheckText,
    *,
    development: bool,
    reset: bool = False,
) -> SyncReport:
    """Creates the tables in an empty database; brings those of the runtime to their version, in development those of the program to it,
    as far as nothing is lost and no row is in the way.

    :param check_text: SQL of an entity's check, without parameters
    :param reset: drop the tables of the program first (``codeai db reset``)
    :raises SchemaMismatch: the database differs by more than may be added; it lists the differences
    :raises DatabaseUnavailable: the database cannot be reached
    """
    target = metadata(application, settings.dialect, check_text)
    work = _Work(application, target, development, reset)
    try:
        if settings.dialect == "sqlite":
            return _on_sqlite(settings, work)
        return asyncio.run(_on_postgresql(settings, work))
    except (sa.exc.OperationalError, sa.exc.InterfaceError, OSError, TimeoutError) as error:
        cause = getattr(error, "orig", None) or error
        raise errors.DatabaseUnavailable(f"cannot connect to {settings.shown}: {cause_of(cause)}") from error
    except sa.exc.DatabaseError as error:
        if type(error) is not sa.exc.DatabaseError or not isinstance(error.orig, sqlite3.Error):
            raise
        raise errors.DatabaseUnavailable(f"cannot open {settings.shown}: {with_remedy(error.orig)}") from error


def _on_sqlite(settings: DatabaseSettings, work: _Work) -> SyncReport:
    assert settings.path is not None
    try:
        settings.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise errors.DatabaseUnavailable(f"cannot create the folder of {settings.shown}: {error.strerror or error}") from error
    engine = sa.create_engine(f"sqlite:///{settings.path}", isolation_level=None)
    sa.event.listen(engine, "connect", lambda connection, _: register(connection))
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode = WAL")
            connection.exec_driver_sql("PRAGMA foreign_keys = OFF")  # as tables that are made anew need it
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            try:
                report = work.run(connection)
            except BaseException:
                connection.exec_driver_sql("ROLLBACK")
                raise
            connection.exec_driver_sql("COMMIT")
            return report
    finally:
        engine.dispose()


async def _on_postgresql(settings: DatabaseSettings, work: _Work) -> SyncReport:
    import asyncpg
    from asyncpg import exceptions as pg
    from sqlalchemy.ext.asyncio import create_async_engine

    from codeai.storage.postgresql.connecting import connected
    from codeai.storage.postgresql.refusals import not_permitted, refused
    from codeai.storage.postgresql.translation import DRIVER

    async def connect() -> asyncpg.Connection:
        try:
            return await connected(settings, statement_cache_size=0 if settings.pooler == "transaction" else 100)
        except DRIVER as error:
            raise refused(settings, error) from error

    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect)
    try:
        async with engine.begin() as connection:
            await connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            return await connection.run_sync(work.run)
    except sa.exc.ProgrammingError as error:
        if getattr(error.orig, "sqlstate", "") != pg.InsufficientPrivilegeError.sqlstate:
            raise
        raise not_permitted(settings, str(error.orig).rpartition(": ")[2]) from error
    finally:
        await engine.dispose()


class _Work:
    """One synchronisation, on an open connection in a transaction."""

    def __init__(self, application: Application, target: sa.MetaData, development: bool, reset: bool) -> None:
        self._application = application
        self._target = target
        self._development = development
        self._reset = reset

    def run(self, connection: sa.Connection) -> SyncReport:
        """Compares and changes."""
        names = set(sa.inspect(connection).get_table_names())
        if self._reset:
            self._drop(connection, names)
            names = set()
        wanted = fingerprint(self._application)
        if not names & set(self._target.tables):
            _create_functions(connection)
            self._target.create_all(connection)
            self._remember(connection, wanted)
            return SyncReport("created")
        if "codeai_schema" in names:
            row = connection.execute(sa.text("SELECT fingerprint FROM codeai_schema WHERE id = 1")).first()
            if row is not None and row[0] == wanted:
                return SyncReport("unchanged")
        return self._change(connection, wanted)

    def _drop(self, connection: sa.Connection, names: set[str]) -> None:
        present = sa.MetaData()
        ours = [name for name in self._target.tables if name in names]
        for name in names:
            if name.startswith("codeai_search_") and "_".join(name.split("_")[2:]) in self._target.tables:
                connection.exec_driver_sql(f'DROP TABLE "{name}"')
        present.reflect(connection, only=ours, resolve_fks=False)
        present.drop_all(connection)

    def _remember(self, connection: sa.Connection, wanted: str) -> None:
        connection.execute(sa.text("DELETE FROM codeai_schema"))
        connection.execute(sa.text("INSERT INTO codeai_schema (id, fingerprint) VALUES (1, :wanted)"), {"wanted": wanted})

    def _change(self, connection: sa.Connection, wanted: str) -> SyncReport:
        # To import this costs a quarter of the start of a server, and tables are rather made than compared.
        from codeai.storage.schema.comparison import Comparison

        _create_functions(connection)
        renamed = renaming.outstanding(connection, self._application)
        if renamed and not self._development:
            raise errors.SchemaMismatch(tuple(map(str, renamed)))
        for each in renamed:
            renaming.apply(connection, each)
        compared = Comparison(connection, self._application, self._target, beside=not self._development)
        texts = (*map(str, renamed), *compared.texts)
        if not compared.additive or (compared.of_program and not self._development):
            raise errors.SchemaMismatch(texts)
        compared.mend()
        self._remember(connection, wanted)
        return SyncReport("changed", texts) if texts else SyncReport("unchanged")


def _create_functions(connection: sa.Connection) -> None:
    """The functions that queries call on PostgreSQL; on SQLite they belong to the connection."""
    if connection.dialect.name == "postgresql":
        for statement in FUNCTIONS:
            connection.exec_driver_sql(statement)
