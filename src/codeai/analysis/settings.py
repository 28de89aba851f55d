"""What the settings of ``config`` may hold."""

from __future__ import annotations

import re
from typing import Final

_SECRET_KEYS: Final = ("secret", "password", "database_password", "keys", "token", "client_secret", "private_key")
_PASSWORD_OF_URL: Final = re.compile(r"[a-z][a-z0-9+.-]*://[^\s/@:]*:[^\s/@]+@")


def is_secret(key: str, text: str) -> bool:
    """Whether a literal text is a secret: where one belongs, or as the password of an address. Older files write ``"$NAME"``."""
    if text.startswith("$") or not text:
        return False
    return key in _SECRET_KEYS or _PASSWORD_OF_URL.match(text) is not None
