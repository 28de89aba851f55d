"""JSON texts of requests: what the decoder of bodies does not look at, and what is said of texts that are none."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from typing import Any, Final

import msgspec

from codeai.http.problems import Problem

DEPTH_LIMIT: Final = 64
_LONGEST_INT: Final = 19  # digits of a number of 64 bits


class _Duplicate(ValueError):
    """A name stands twice; its text is that name."""


def parsed(body: bytes) -> Any:
    """The document, for what the decoder does not look at: names that stand twice, depth, NaN.

    :raises Problem: 400 when it is no JSON text in UTF-8 (RFC 8259), or nested too deep
    """
    try:
        text = body.decode()
        if text.startswith("\ufeff"):
            raise Problem(400, "the body begins with a byte order mark", "malformed_json", hint="send UTF-8 without it")
        document = json.loads(text, object_pairs_hook=_distinct, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise refused(error) from None
    if body.count(b"[") + body.count(b"{") > DEPTH_LIMIT and _depth(document) > DEPTH_LIMIT:
        raise _too_deep()
    return document


def decoded(body: bytes) -> Any:
    """The document where every one is taken.

    :raises Problem: 400 for what is no JSON, also for what JSON allows and no answer could hold: halves of surrogate pairs, 1e400
    """
    parsed(body)
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise refused(error) from None


def refused(error: Exception) -> Problem:
    """What to say of a text that a decoder of JSON refused."""
    text = str(error)
    if isinstance(error, _Duplicate):
        return Problem(400, f"'{text}' stands twice in an object of the body", "duplicate_key", hint="send each name once")
    if isinstance(error, RecursionError):
        return _too_deep()
    if isinstance(error, UnicodeDecodeError):
        text = f"it is not UTF-8 at byte {error.start}"
    elif isinstance(error, msgspec.ValidationError):
        text = "a number is beyond every range"
    elif isinstance(error, msgspec.DecodeError):  # Python took it: half of a pair is all in which they differ
        text = "a text holds half of a surrogate pair"
    elif "int_max_str_digits" in text:
        text = "a number has too many digits"
    return Problem(400, f"the body is not JSON: {text}", "malformed_json")


def with_whole_numbers(body: bytes) -> Any:
    """The document with ``3.0`` as 3, for the encoder of msgspec: all other numbers keep the digits that were sent."""
    return json.loads(body, parse_float=_number)


def _number(text: str) -> Any:
    value = Decimal(text)
    whole = value.adjusted() < _LONGEST_INT and value == value.to_integral_value()
    return int(value) if whole else msgspec.Raw(text.encode())


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        counts = Counter(name for name, _ in pairs)
        raise _Duplicate(next(name for name in counts if counts[name] > 1)[:100])
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")


def _too_deep() -> Problem:
    return Problem(400, f"the body is nested more than {DEPTH_LIMIT} deep", "too_deep")


def _depth(value: Any) -> int:
    level, depth = [value], 0
    while level and depth <= DEPTH_LIMIT:
        level = [part for item in level if isinstance(item, dict | list) for part in (item.values() if isinstance(item, dict) else item)]
        depth += 1
    return depth
