"""Nothing secret is logged: by the name of a field, by what a text looks like, by value, and by what the program calls secret."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

MASK: Final = "[redacted]"
_WORDS: Final = re.compile(
    r"passw(or)?d|passphrase|secret|token|authori[sz]ation|api[_-]?key|access[_-]?key|private[_-]?key|cookie|credential|signature",
    re.IGNORECASE,
)
_HARMLESS: Final = re.compile(r"token_?(type|count|expires)|secret_?name|idempotency", re.IGNORECASE)
_PATTERNS: Final = re.compile(
    # A JSON Web Token. It begins where a word does: else a text of many beginnings would take the square of its length.
    r"(?<![\w-])eyJ[\w-]{5,}+\.[\w-]{5,}+\.[\w-]*+"
    r"|(?<=bearer )[^\s\"',]{8,}|(?<=basic )[A-Za-z0-9+/=]{8,}"
    r"|(?<=://)[^\s/?#:@]*:[^\s/?#]+(?=@)"  # credentials of a URL, up to its last @
    r"|(?<![\w-])(?:password|passwd|pwd|(?:client_)?secret|(?:access_|refresh_)?token|api_?key)=[^\s&\"',;]{3,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*(-----END [A-Z ]*PRIVATE KEY-----)?"
    r"|\b(sk|pk|rk)_(live|test)_\w{8,}|\bgh[pousr]_\w{20,}|\bxox[abposr]-[\w-]{10,}|\bAKIA[0-9A-Z]{16}\b",
    re.IGNORECASE,
)
_HINTS: Final = (
    "eyj",
    "bearer ",
    "basic ",
    "@",
    "private key",
    "_live_",
    "_test_",
    "gh",
    "xox",
    "akia",
    "word=",
    "wd=",
    "secret=",
    "token=",
    "key=",
)
_SHORTEST: Final = 6
_DEEPEST: Final = 6


class Redaction:
    """Replaces what is secret.

    :param fields: names that the program declares as ``secret``
    :param values: texts that must appear nowhere, as the signing secret; very short ones would blacken everything and are left out
    """

    def __init__(self, fields: Iterable[str] = (), values: Iterable[str] = ()) -> None:
        self._fields = frozenset(name.lower() for name in fields)
        found = sorted({value for value in values if len(value) >= _SHORTEST}, key=len, reverse=True)
        self._values = re.compile("|".join(map(re.escape, found))) if found else None

    def names(self, name: str) -> bool:
        """Whether a field of that name is secret."""
        return name.lower() in self._fields or (_WORDS.search(name) is not None and _HARMLESS.search(name) is None)

    def text(self, text: str) -> str:
        """A text without what looks like a secret or is one."""
        if self._values is not None:
            text = self._values.sub(MASK, text)
        lowered = text.lower()
        return _PATTERNS.sub(MASK, text) if any(hint in lowered for hint in _HINTS) else text

    def value(self, value: Any, depth: int = 0) -> Any:
        """A value of any shape without secrets."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return self.fields(value, depth + 1) if depth < _DEEPEST else "…"
        if isinstance(value, list | tuple | set | frozenset):
            return [self.value(item, depth + 1) for item in value] if depth < _DEEPEST else "…"
        return value

    def fields(self, values: Mapping[str, Any], depth: int = 0) -> dict[str, Any]:
        """Named values without secrets."""
        return {
            str(name): MASK if value is not None and self.names(str(name)) else self.value(value, depth) for name, value in values.items()
        }
