"""``SELECT`` as a piece of SQL, and the joins that conditions ask for.

A hop over a relation (``customer.email``) is a left join. It is written only when something that remains of the statement
uses it, so a policy that a guard has settled leaves no join behind.
"""

from __future__ import annotations

from codeai.query.sql import Node, Sql, Writer
from codeai.query.truth import ALWAYS, Truth


class HopJoin:
    """A left join to the row behind a relation; ``on`` says which row, and that it is visible."""

    def __init__(self, table: str, alias: str) -> None:
        self.table = table
        self.alias = alias
        self.on: Truth = ALWAYS


class HopColumn(Node):
    """A column of a joined row; writing it makes the join necessary."""

    def __init__(self, join: HopJoin, text: str) -> None:
        self.join = join
        self.text = text

    def write(self, writer: Writer) -> None:
        """Writes the column."""
        writer.used.add(self.join)
        writer.add(self.text)


class Joins:
    """The hops of one ``SELECT``, in the order in which they were met: a hop from a hop comes later."""

    def __init__(self) -> None:
        self.known: dict[object, HopJoin] = {}

    def copy(self) -> Joins:
        """The same joins, to which more may be added."""
        found = Joins()
        found.known = dict(self.known)
        return found

    def write(self, writer: Writer) -> str:
        """The joins that are used; asked for when everything else has been written."""
        found: list[str] = []
        for join in reversed(list(self.known.values())):
            if join in writer.used:
                on = writer.condition(writer.settled(join.on))
                found.append(f" LEFT JOIN {join.table} {join.alias} ON {on}")
        return "".join(reversed(found))


class Select(Node):
    """One ``SELECT``.

    :param table: the table with its alias, and inner joins
    :param order: the text behind ``ORDER BY``; empty for none
    :param tail: ``LIMIT`` and what follows
    """

    def __init__(
        self,
        columns: Sql,
        table: Sql,
        joins: Joins,
        where: Truth,
        *,
        group: Sql = (),
        having: Truth = ALWAYS,
        order: Sql = (),
        tail: Sql = (),
    ) -> None:
        self.columns = columns
        self.table = table
        self.joins = joins
        self.where = where
        self.group = group
        self.having = having
        self.order = order
        self.tail = tail

    def write(self, writer: Writer) -> None:
        """Writes the statement."""
        columns = writer.captured(self.columns)
        table = writer.captured(self.table)
        where = writer.settled(self.where)
        rest: list[str] = []
        if where is not ALWAYS:
            rest.append(f" WHERE {writer.condition(where)}")
        if self.group:
            rest.append(f" GROUP BY {writer.captured(self.group)}")
        having = writer.settled(self.having)
        if having is not ALWAYS:
            rest.append(f" HAVING {writer.condition(having)}")
        if self.order:
            rest.append(f" ORDER BY {writer.captured(self.order)}")
        rest.append(writer.captured(self.tail))
        writer.write(("SELECT ", columns, " FROM ", table, self.joins.write(writer), *rest))
