"""Which declarations have older spellings, by their keyword."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from codeai.language.spellings import data
from codeai.language.tree import declarations as d

if TYPE_CHECKING:
    from codeai.language.parser.declarations import Parser

SPELLINGS: Final[dict[str, Callable[[Parser], tuple[d.Declaration, ...] | None]]] = {
    "model": data.model,
    "database": data.database,
}
