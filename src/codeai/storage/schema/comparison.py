"""How a database differs from a program: what is said of it, and what of it can be mended without losing anything."""

from __future__ import annotations

import re
from typing import Any, Final

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from codeai.model.application import Application
from codeai.storage.fulltext import searchable
from codeai.storage.schema import changes, checks, search
from codeai.storage.schema.rebuilding import rebuild

_SEARCH: Final = re.compile(r"_search(_idx|_[0-9a-f]{6})$")


class Comparison:
    """The differences, found on an open connection.

    On SQLite the rules of a table belong to its text: columns bring theirs along, all others are changed by making the table anew.

    :param beside: other versions of the program may use the database too, so that what they have added is none of the differences
    """

    def __init__(self, connection: sa.Connection, application: Application, target: sa.MetaData, *, beside: bool = False) -> None:
        self._connection = connection
        self._target = target
        self._sqlite = connection.dialect.name == "sqlite"
        present = set(sa.inspect(connection).get_table_names()) & set(target.tables)
        compared = self._compared()
        carried = changes.brought_along(compared)
        self._renamed = changes.renamed_uniques(compared)
        same = {id(item) for pair in (*self._renamed, *changes.unnamed_references(connection, compared)) for item in pair}
        compared = [each for each in compared if id(each[1]) not in same]
        self._found = [each for each in compared if not changes.noise(each) and not (each[0] == "add_fk" and each[1].name in carried)]
        newer = changes.newer_columns(self._found) if beside else set()
        if beside:
            self._found = [each for each in self._found if not changes.left_by_newer(each, newer)]
        conditions = [
            each
            for each in checks.differences(connection, target, present)
            if each.text is not None or not any(each.belongs_to(table, column) for table, column in newer)
        ]
        self._conditions = [each for each in conditions if not (self._sqlite and each.name in carried)]
        self._entities = [entity for entity in application.entities if entity.table in present]
        self._searched = search.outdated(connection, self._entities)

    def _compared(self) -> list[changes.Difference]:
        context = MigrationContext.configure(self._connection, opts={"compare_type": True, "include_object": self._ours})
        found = compare_metadata(context, self._target)
        return [part for each in found for part in (each if isinstance(each, list) else [each])]

    def _ours(self, item: Any, name: str | None, kind: str, reflected: bool, compared: Any) -> bool:
        """Tables that are not of the program are not our business; indexes for search are compared by themselves."""
        if kind == "table":
            return not reflected or (name in self._target.tables)
        return not (kind == "index" and _SEARCH.search(name or ""))

    @property
    def _rest(self) -> tuple[str, ...]:
        return (*map(str, self._conditions), *(f"the search index of '{entity.table}' is another" for entity in self._searched))

    @property
    def texts(self) -> tuple[str, ...]:
        """The differences in words."""
        return (*map(changes.described, self._found), *self._rest)

    @property
    def of_program(self) -> bool:
        """Whether one of them concerns the tables of the program; those of the runtime grow with its versions, everywhere."""
        return bool(self._rest) or not all(map(changes.of_ours, self._found))

    @property
    def additive(self) -> bool:
        """Whether all of them can be mended where no row is in the way."""
        return all(map(changes.additive, self._found))

    def mend(self) -> None:
        """Brings the database to the program.

        :raises SchemaMismatch: rows are in the way
        """
        connection = self._connection
        again = {each[2] for each in self._found if self._sqlite and changes.becomes_nullable(each)}
        for old, new in self._renamed:
            if self._sqlite:
                again.add(new.table.name)
            else:
                changes.rename_constraint(connection, old, new)
        for each in self._found:
            if not (self._sqlite and changes.becomes_nullable(each)):
                changes.apply(connection, each)
        for condition in self._conditions:
            checks.verify(connection, condition)
            if self._sqlite:
                again.add(condition.table)
            else:
                checks.apply(connection, condition)
        for table in sorted(again):
            rebuild(connection, self._target.tables[table])
        for entity in self._entities:
            if entity in self._searched or (entity.table in again and searchable(entity)):
                search.renew(connection, entity)
