"""Stacks and samples: what all profiles are made of, and the form in which processes give them to each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import CodeType, FrameType

import msgspec


class Frame(msgspec.Struct, frozen=True, array_like=True):
    """A place in a stack: the function, its absolute file, the line at which it begins, the line that runs."""

    function: str
    file: str
    begins: int
    line: int


Stack = tuple[Frame, ...]
"""The innermost frame first, as pprof wants it."""


class Sample(msgspec.Struct, frozen=True, array_like=True):
    """One stack with its values, one per type of the profile."""

    stack: Stack
    values: tuple[int, ...]
    labels: dict[str, str] = {}


class ValueType(msgspec.Struct, frozen=True, array_like=True):
    """What a value counts, and in which unit."""

    type: str
    unit: str


class Kind(msgspec.Struct, frozen=True):
    """A kind of profile: its value types in order, which one is shown by default, and the period of sampling."""

    types: tuple[ValueType, ...]
    default: str
    period_type: ValueType
    period: int


CPU = Kind((ValueType("samples", "count"), ValueType("cpu", "nanoseconds")), "cpu", ValueType("cpu", "nanoseconds"), 10_000_000)
HEAP = Kind(
    (
        ValueType("alloc_objects", "count"),
        ValueType("alloc_space", "bytes"),
        ValueType("inuse_objects", "count"),
        ValueType("inuse_space", "bytes"),
    ),
    "inuse_space",
    ValueType("space", "bytes"),
    1,
)
GOROUTINE = Kind((ValueType("goroutine", "count"),), "goroutine", ValueType("goroutine", "count"), 1)


def frame_of(code: CodeType, line: int) -> Frame:
    """The frame of a code object at a line."""
    return Frame(f"{module_name(code.co_filename)}.{code.co_qualname}", code.co_filename, code.co_firstlineno, line)


def stack_of(frame: FrameType | None, most: int = 200) -> Stack:
    """The stack of a running thread, from its innermost frame outwards."""
    found: list[Frame] = []
    while frame is not None and len(found) < most:
        found.append(frame_of(frame.f_code, frame.f_lineno or frame.f_code.co_firstlineno))
        frame = frame.f_back
    return tuple(found)


def synthetic(text: str) -> Stack:
    """A stack for what has none."""
    return (Frame(f"[{text}]", "", 0, 0),)


def module_name(path: str) -> str:
    """The module of a file: ``a/site-packages/asyncpg/pool.py`` is ``asyncpg.pool``."""
    name = path.removesuffix(".py").removesuffix("/__init__")
    for marker in ("/site-packages/", "/src/"):
        _, found, rest = name.rpartition(marker)
        if found:
            return rest.replace("/", ".")
    return name.rpartition("/")[2]


def encode(samples: Iterable[Sample]) -> bytes:
    """Samples as bytes for a sibling."""
    return msgspec.msgpack.encode(list(samples))


def merged(answers: Mapping[str, bytes]) -> list[Sample]:
    """The samples of several processes, each labelled with the process it comes from."""
    found: list[Sample] = []
    for process, content in answers.items():
        for sample in msgspec.msgpack.decode(content, type=list[Sample]):
            found.append(Sample(sample.stack, sample.values, {**sample.labels, "process": process}))
    return found
