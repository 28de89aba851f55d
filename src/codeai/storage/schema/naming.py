"""Names of indexes and constraints: short enough for a database, and no two alike.

Both databases keep the names of tables, indexes and unique constraints in one room; PostgreSQL cuts names that are too long.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final

import sqlalchemy as sa

_LONGEST: Final = 63  # PostgreSQL's NAMEDATALEN - 1; names are ASCII
_MARK: Final = 6  # digits of the hash that stands for what was cut off


def fitting(*parts: str) -> str:
    """The parts as one name; what is too long is cut and ends in a hash of the whole."""
    name = "_".join(parts)
    return name if len(name) <= _LONGEST else marked(name, name)


def marked(name: str, whole: str) -> str:
    """The beginning of a name with a hash of what it stands for."""
    mark = hashlib.blake2s(whole.encode(), digest_size=_MARK // 2).hexdigest()
    return f"{name[: _LONGEST - _MARK - 1]}_{mark}"


def tell_apart(found: sa.MetaData, of_ours: Iterable[str]) -> None:
    """Gives those indexes and unique constraints other names whose name is taken, as ``a_b_c_idx`` by ``a(b_c)`` and ``a_b(c)``.

    :param of_ours: tables of the runtime, which keep all their names
    """
    first = set(of_ours)
    taken = set(found.tables)
    for table in sorted(found.tables.values(), key=lambda table: (table.name not in first, table.name)):
        named: list[sa.Index | sa.UniqueConstraint] = [each for each in table.constraints if isinstance(each, sa.UniqueConstraint)]
        for item in sorted((*named, *table.indexes), key=lambda each: str(each.name)):
            if item.name in taken:
                item.name = marked(str(item.name), f"{table.name}.{item.name}")
            taken.add(str(item.name))
