"""Full-text search of a row, as far as its caller may see what is found: a match says what a field holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codeai.query.truth import Test, Truth, all_of, any_of
from codeai.storage.fulltext import searchable

if TYPE_CHECKING:
    from codeai.query.compiler import Compiler
    from codeai.query.scope import TableRange


def matches(compiler: Compiler, row: TableRange, slot: int) -> Truth:
    """Whether the row has all words of a search.

    All fields count where the caller sees all of them, else those alone that are hidden from nobody; what is only written counts never.

    :param slot: where the words will be bound
    """
    entity, policies = row.entity, compiler.model.policies
    fields = [field for field in entity.fields if field.searchable and field.readable]
    rules = {field.name: policies.shown(compiler, row, field.name) for field in fields}
    whole = () if tuple(rules) == searchable(entity) else tuple(rules)  # the index serves a search over all fields alone
    plain = tuple(name for name, rule in rules.items() if rule is None)
    found: list[Truth] = []
    if rules:
        seen = [rule for rule in rules.values() if rule is not None]
        found.append(all_of([*seen, _test(compiler, row, slot, whole)]))
    if plain and plain != tuple(rules):
        found.append(_test(compiler, row, slot, plain))
    return any_of(found)


def _test(compiler: Compiler, row: TableRange, slot: int, fields: tuple[str, ...]) -> Truth:
    return Test(compiler.dialect.search(row.entity, row.alias, slot, fields), nullable=True)
