"""What all parts of the formatter share: the source, comments, blank lines, and blocks in braces.

A block that stands on one line in the source stays there while it fits; otherwise each item gets a line of its own. Comments
keep their place between the items, a comment behind an item stays behind it, and up to one blank line between items remains.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from codeai.language.source import SourceFile
from codeai.language.tree.module import Module
from codeai.language.tree.node import Comment, Node

WIDTH: Final = 120
INDENT: Final = "    "
FIELDS: Final = "fields"  # joins fields on one line: by commas, or by spaces where modifiers have commas of their own
_BLANK: Final = re.compile(r"\n\s*\n")
_NOTHING: Final = re.compile(r"[ \t,;)\]]*")
_Item = TypeVar("_Item", bound=Node)


class Printer:
    """Source and comments; ``at`` is the index of the first comment that is not printed yet."""

    def __init__(self, module: Module, file: SourceFile) -> None:
        self.tree = module
        self.text = file.text
        self.base = file.base
        self.comments: tuple[Comment, ...] = module.comments
        self.at = 0
        self.printed: dict[tuple[int, int, bool, int, str], tuple[str, int]] = {}

    # -- source ----------------------------------------------------------------------------------------------------

    def source(self, node: Node) -> str:
        """The text of a node as it was written."""
        return self.text[node.start - self.base : node.end - self.base]

    def as_written(self, node: Node) -> str:
        """The text of a declaration as it was written, with its annotations and comments."""
        while self._pending(node.end):
            self.at += 1
        return self.between(_beginning(node), node.end)

    def between(self, start: int, end: int) -> str:
        """The text between two offsets."""
        return self.text[start - self.base : end - self.base]

    def one_line(self, start: int, end: int) -> bool:
        """Whether a stretch of the source is one line without comments."""
        return "\n" not in self.between(start, end) and not self.commented(start, end)

    def commented(self, start: int, end: int) -> bool:
        """Whether a comment begins in a stretch of the source."""
        at = bisect_left(self.comments, start, key=_start_of)
        return at < len(self.comments) and self.comments[at].start < end

    def documented(self, node: Node) -> bool:
        """Whether a ``///`` comment stands before a node, with nothing but annotations between them."""
        at = bisect_right(self.comments, node.start, key=_start_of) - 1
        end = node.start
        while at >= 0:
            between = self.between(self.comments[at].end, end).strip()
            if between and not between.startswith("@"):
                return False
            if self.comments[at].describes:
                return True
            end = self.comments[at].start
            at -= 1
        return False

    # -- blocks ----------------------------------------------------------------------------------------------------

    def braces(
        self,
        node: Node,
        head: str,
        items: Sequence[_Item],
        render: Callable[[_Item, int], str],
        depth: int,
        *,
        joiner: str = "  ",
        inline: bool = True,
    ) -> str:
        """``head { items }``: on one line when the source has it so and it fits, else over several.

        :param node: the extent of the whole, for the search of comments and line ends
        :param depth: how deep the line with the head is indented
        :param inline: whether one line is possible at all
        """
        head = f"{head} " if head else ""
        start = self._opening(node)
        if not items and not (self._pending(node.end) and self.commented(max(start, self.comments[self.at].start), node.end)):
            return f"{head}{{}}"
        if inline and self.one_line(node.start, node.end):
            parts = [render(item, depth + 1) for item in items]
            rendered = iter(parts)
            if joiner == FIELDS:
                joiner = "  " if any("," in part for part in parts) else ", "
            flat = f"{head}{{ {joiner.join(parts)} }}"
            if "\n" not in flat and len(INDENT) * depth + len(flat) <= WIDTH:
                return flat
            # No comments stand in it, so its items are what they were: rendered anew at each depth, nested blocks would take for ever.
            lines = self.items(items, lambda item, inner: next(rendered), depth + 1, start, node.end)
        else:
            lines = self.items(items, render, depth + 1, start, node.end)
        return f"{head}{{\n{lines}{INDENT * depth}}}"

    def enclosed(self, opening: str, parts: Sequence[str], closing: str, depth: int) -> str:
        """Parts between brackets, with commas: on the line if it fits there, else each on one of its own."""
        flat = f"{opening}{', '.join(parts)}{closing}"
        if len(INDENT) * depth + len(flat) <= WIDTH or not parts:
            return flat
        inner = INDENT * (depth + 1)
        return f"{opening}\n" + "".join(f"{inner}{part},\n" for part in parts) + f"{INDENT * depth}{closing}"

    def enumerated(self, head: str, parts: Sequence[str], depth: int) -> str:
        """Parts behind a word, with commas: on the line if it fits there, else each on one of its own."""
        flat = f"{head}{', '.join(parts)}"
        inner = INDENT * (depth + 1)
        return flat if len(INDENT) * depth + len(flat) <= WIDTH else f"{head}{f',{chr(10)}{inner}'.join(parts)}"

    def _opening(self, node: Node) -> int:
        found = self.text.find("{", node.start - self.base, node.end - self.base)
        return node.start if found < 0 else found + self.base + 1

    def items(
        self,
        items: Sequence[_Item],
        render: Callable[[_Item, int], str],
        depth: int,
        start: int,
        end: int,
        *,
        spaced: Callable[[tuple[_Item, str], tuple[_Item, str]], bool] | None = None,
    ) -> str:
        """Items on lines of their own, with the comments between ``start`` and ``end``.

        :param spaced: whether there is a blank line between two items (each with its text) in any case
        """
        lines: list[str] = []
        last = start
        before: tuple[_Item, str] | None = None
        for item in items:
            chunk: list[str] = []
            for comment, describes in self._before(_beginning(item)):
                chunk += [self._blank(last, comment.start), _comment_lines(comment, depth, describes=describes)]
                last = comment.end
            chunk.append(self._blank(last, _beginning(item)))
            text = f"{INDENT * depth}{render(item, depth)}{self._behind(item)}\n"
            if before is None and not lines:
                chunk[0] = ""
            elif before is not None and spaced is not None and spaced(before, (item, text)):
                chunk[0] = "\n"
            lines += [*chunk, text]
            last = max(item.end, self.comments[self.at - 1].end if self.at else 0)
            before = (item, text)
        while self._pending(end):
            lines.append(self._blank(last, self.comments[self.at].start) if lines else "")
            comment, last = self._next()
            lines.append(_comment_lines(comment, depth))
        return "".join(lines)

    def _pending(self, before: int) -> bool:
        return self.at < len(self.comments) and self.comments[self.at].start < before

    def _before(self, start: int) -> list[tuple[Comment, bool]]:
        """The comments before what begins at an offset, each with whether it describes that."""
        first = self.at
        while self._pending(start):
            self.at += 1
        found: list[tuple[Comment, bool]] = []
        leads = True
        for comment in reversed(self.comments[first : self.at]):
            leads = leads and not self.between(comment.end, start).strip().strip("(")  # what begins in parentheses
            start = comment.start
            found.append((comment, leads and comment.describes))
        return found[::-1]

    def _next(self) -> tuple[Comment, int]:
        comment = self.comments[self.at]
        self.at += 1
        return comment, comment.end

    def _blank(self, last: int, start: int) -> str:
        """A blank line where the source has one."""
        return "\n" if _BLANK.search(self.between(last, start)) is not None else ""

    def _behind(self, item: Node) -> str:
        """Comments inside of the item that no block has printed, and the one behind it on its line."""
        found: list[str] = []
        while self._pending(item.end):
            comment, _ = self._next()
            found.append(comment.text)
        last = item.end
        while self.at < len(self.comments) and self._follows(last, self.comments[self.at].start):
            comment, last = self._next()
            found.append(comment.text)
            if "\n" in comment.text:
                break
        if not found:
            return ""
        ends = next((at for at, text in enumerate(found) if not text.startswith("/*")), len(found))  # at the end of the line
        parts = [f"/* {_words(text)} */" for text in found[:ends]]
        if ends < len(found):
            parts.append(f"// {' · '.join(_words(text) for text in found[ends:])}".rstrip())
        return "  " + " ".join(parts)

    def _follows(self, last: int, start: int) -> bool:
        """Whether nothing of the program stands between the end of an item and a comment on its line."""
        found = _NOTHING.match(self.text, last - self.base)
        return found is not None and found.end() >= start - self.base


def _start_of(comment: Comment) -> int:
    return comment.start


def _beginning(item: Node) -> int:
    """Where an item begins, with its annotations."""
    annotations = getattr(item, "annotations", ())
    return int(annotations[0].start) if annotations else item.start


def _words(comment: str) -> str:
    """What a comment says, on one line."""
    if not comment.startswith("/*"):
        return comment.lstrip("/#").strip()
    lines = (line.strip().removeprefix("* ") for line in comment[2:-2].split("\n"))
    return " ".join(line for line in lines if line.strip("*"))


def _comment_lines(comment: Comment, depth: int, *, describes: bool = True) -> str:
    """A comment on lines of its own; ``///`` that is no description of what follows would become one."""
    text = comment.text.rstrip()
    if text.startswith("#"):
        text = "//" + text[1:]
    if text.startswith("///") and text[3:4] != "/" and not describes:
        text = f"// {text[3:].strip()}".rstrip()
    if not text.startswith("/*"):
        return f"{INDENT * depth}{text}\n"
    first, *rest = text.split("\n")
    lines = [f"{INDENT * depth}{first.rstrip()}", *(f"{INDENT * depth} {line.strip()}" if line.strip() else "" for line in rest)]
    return "\n".join(lines) + "\n"


def quoted(text: str) -> str:
    """A text as a string in double quotes, in which braces mean nothing."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r")
    return f'"{escaped}"'
