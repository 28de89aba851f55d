"""From a path to what answers there: literal paths by one look-up, others segment by segment. Literals beat parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Generic, TypeVar
from urllib.parse import unquote_to_bytes

from codeai.language.suggestions import suggest

_Target = TypeVar("_Target")
_LONGEST_NEAR: Final = 200
_ESCAPE: Final = ord(b"%")  # a letter is found in bytes in half the time of a text


class _Node(Generic[_Target]):
    __slots__ = ("literals", "parameter", "targets")

    def __init__(self) -> None:
        self.literals: dict[str, _Node[_Target]] = {}
        self.parameter: _Node[_Target] | None = None
        self.targets: dict[str, _Target] = {}


class BadPath(Exception):
    """A path that no client sends in good faith: malformed escapes, null characters."""


class Router(Generic[_Target]):
    """A table of paths; built at start, only read afterwards."""

    def __init__(self) -> None:
        self._static: dict[str, dict[str, _Target]] = {}
        self._root: _Node[_Target] = _Node()
        self._last: dict[str, dict[str, _Target]] = {}  # by what stands before the one parameter, which is at the end

    def add(self, method: str, segments: tuple[tuple[str, bool], ...], target: _Target) -> None:
        """Adds a target.

        :param segments: texts of the path, each with whether it is a parameter
        """
        if not any(parameter for _, parameter in segments):
            path = "/" + "/".join(text for text, _ in segments)
            self._static.setdefault(path, {})[method] = target
        node = self._root
        for text, parameter in segments:
            if parameter:
                node.parameter = node.parameter or _Node()
                node = node.parameter
            else:
                node = node.literals.setdefault(text, _Node())
        node.targets[method] = target
        if segments and segments[-1][1] and not any(parameter for _, parameter in segments[:-1]):
            self._last["".join(f"/{text}" for text, _ in segments[:-1])] = node.targets

    def find(self, path: str, raw: bytes | None) -> tuple[Mapping[str, _Target], list[str]] | None:
        """The targets by method with the values of the path's parameters, in order; None when nothing is there.

        :param path: the decoded path
        :param raw: the path as sent, if the server has it, so that an escaped slash does not part segments
        :raises BadPath: the escapes are malformed
        """
        static = self._static.get(path)
        if static is not None:
            return static, []
        if raw is None or _ESCAPE not in raw:
            before, _, value = path.rpartition("/")
            targets = self._last.get(before)
            if targets is not None and value and "\x00" not in value:
                return targets, [value]
        parts = _segments(path, raw)
        values: list[str] = []
        found = self._walk(self._root, parts, 0, values)
        return (found.targets, values) if found is not None else None

    def near(self, path: str) -> str | None:
        """The path that was probably meant where nothing is: without a slash too many, or with one segment as it is known here."""
        if not 1 < len(path) <= _LONGEST_NEAR:
            return None
        node, parts, mended = self._root, path.strip("/").split("/"), []
        for part in parts:
            if part in node.literals:
                name = part
            elif node.parameter is not None:
                mended.append(part)
                node = node.parameter
                continue
            else:
                name = suggest(part, node.literals) or ""
                if not name:
                    return None
            mended.append(name)
            node = node.literals[name]
        meant = "/" + "/".join(mended)
        changed = sum(one != other for one, other in zip(parts, mended, strict=True))
        return meant if node.targets and changed <= 1 and meant != path else None

    def _walk(self, node: _Node[_Target], parts: list[str], at: int, values: list[str]) -> _Node[_Target] | None:
        if at == len(parts):
            return node if node.targets else None
        literal = node.literals.get(parts[at])
        if literal is not None:
            found = self._walk(literal, parts, at + 1, values)
            if found is not None:
                return found
        if node.parameter is None or not parts[at]:
            return None
        values.append(parts[at])
        found = self._walk(node.parameter, parts, at + 1, values)
        if found is None:
            values.pop()
        return found


def _segments(path: str, raw: bytes | None) -> list[str]:
    if raw is None or _ESCAPE not in raw:
        if "\x00" in path:
            raise BadPath
        return path[1:].split("/") if len(path) > 1 else []
    try:
        parts = [unquote_to_bytes(part).decode() for part in raw.partition(b"?")[0][1:].split(b"/")]
    except UnicodeDecodeError:
        raise BadPath from None
    if any("\x00" in part for part in parts):
        raise BadPath
    return parts
