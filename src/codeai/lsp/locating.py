"""Where a name is declared, what its type is declared as, and where else it is used."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from lsprotocol import types as lsp

from codeai.language import types as t
from codeai.language.tree import declarations as d
from codeai.language.tree import types as ty
from codeai.language.tree.node import Node, Reference
from codeai.lsp.beside import beside
from codeai.lsp.checked import Checked
from codeai.lsp.guessing import use_near
from codeai.lsp.names.declared import Key
from codeai.lsp.names.finding import Use
from codeai.lsp.nodes import chain, walked, word_at

Address = Callable[[Path], str]


def definition(checked: Checked, path: Path, offset: int, uri: Address) -> list[lsp.Location]:
    """Where the name at an offset is declared; the files of an ``import``; the Python of an activity."""
    use = _use_near(checked, path, offset)
    place = declared_place(checked, use.key) if use is not None else None
    if place is not None:
        return [_location(checked, place, uri)]
    return list(beside(checked, path, offset, uri))


def _use_near(checked: Checked, path: Path, offset: int) -> Use | None:
    file = checked.file(path)
    word = word_at(file.text, offset - file.base) if file is not None else None
    if file is None or word is None:
        return checked.use_at(offset)
    return use_near(checked, path, offset, file.base + word[0], file.base + word[1])


def type_definition(checked: Checked, path: Path, offset: int, uri: Address) -> lsp.Location | None:
    """Where the type of what stands at an offset is declared."""
    use = checked.use_at(offset)
    key = _type_key(checked, path, offset, use)
    declared = checked.declared.get(key) if key is not None else None
    return _location(checked, declared.name, uri) if declared is not None else None


def references(checked: Checked, offset: int, uri: Address, *, declaration: bool) -> list[lsp.Location]:
    """All places of the program in which the name at an offset is used."""
    place = _place_at(checked, offset)
    found = same_uses(checked, offset)
    return [_location(checked, Node(use.start, use.end), uri) for use in found if declaration or not _is(use, place)]


def highlights(checked: Checked, path: Path, offset: int) -> list[lsp.DocumentHighlight]:
    """The same in one file, where values are given told apart from where they are read."""
    found: list[lsp.DocumentHighlight] = []
    for use in same_uses(checked, offset):
        file, place = checked.place(use.start, use.end)
        if file == path:
            kind = lsp.DocumentHighlightKind.Write if use.written else lsp.DocumentHighlightKind.Read
            found.append(lsp.DocumentHighlight(place, kind))
    return found


def same_uses(checked: Checked, offset: int) -> list[Use]:
    """The uses of what is used at an offset."""
    use = checked.use_at(offset)
    return [other for other in checked.uses if use is not None and other.key == use.key]


def declared_place(checked: Checked, key: Key) -> Node | None:
    """Where the name of a declaration stands."""
    if key[0] == "variable":
        return next((Node(use.start, use.end) for use in checked.uses if use.key == key and use.written), None)
    declared = checked.declared.get(key)
    return declared.name if declared is not None else None


def _place_at(checked: Checked, offset: int) -> Node | None:
    use = checked.use_at(offset)
    return declared_place(checked, use.key) if use is not None else None


def _is(use: Use, place: Node | None) -> bool:
    return place is not None and place.start <= use.start and use.end <= place.end


def _location(checked: Checked, node: Node, uri: Address) -> lsp.Location:
    path, place = checked.place(node.start, node.end)
    return lsp.Location(uri(path), place)


def _type_key(checked: Checked, path: Path, offset: int, use: Use | None) -> Key | None:
    module = checked.module(path)
    if use is not None and use.key[0] == "type":
        return use.key
    for node in reversed(chain(module, offset) if module is not None else []):
        seen = checked.seen.get(node)
        if seen is not None and (use is None or node.end == use.end):
            return key_of_type(seen.value.type)
    declared = checked.declared.get(use.key) if use is not None else None
    if declared is not None and isinstance(declared.node, d.FieldDeclaration | d.ParameterDeclaration):
        return next(iter(_named(declared.node, checked)), None)
    variable = checked.variables.get(int(use.key[1])) if use is not None and use.key[0] == "variable" else None
    return key_of_type(variable.type) if variable is not None else None


def _named(node: Node, checked: Checked) -> Iterator[Key]:
    for part in walked(node):
        if isinstance(part, ty.NamedType) and ("type", part.name.text) in checked.declared:
            yield ("type", part.name.text)
        elif isinstance(part, Reference) and ("type", part.parts[0].text) in checked.declared:
            yield ("type", part.parts[0].text)


def key_of_type(type_: t.Type) -> Key | None:
    """The declaration of a type, where the program has one."""
    type_ = t.required(type_)
    if isinstance(type_, t.List | t.Paginated):
        return key_of_type(type_.item)
    if isinstance(type_, t.Row | t.Ref | t.Many):
        return ("type", type_.entity)
    return ("type", type_.name) if isinstance(type_, t.Record | t.Enum) and type_.name else None
