"""Who may call: providers, roles, and the guard of an endpoint."""

from __future__ import annotations

from typing import Literal

import msgspec

from codeai.model.expression import Entry


class AuthProvider(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """``auth name { method: …  … }``; ``settings`` are expressions that are resolved at start (``secret``, ``jwks_url`` …)."""

    name: str
    method: Literal["jwt", "api_key", "basic", "oauth2"]
    settings: tuple[Entry, ...] = ()
    at: int = -1


class Role(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """``role name { permissions: [...] inherits: [...] }``."""

    name: str
    permissions: tuple[str, ...] = ()
    inherits: tuple[str, ...] = ()
    at: int = -1


class Guard(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Who may use an endpoint: any of ``roles`` and any of ``permissions`` when given; ``providers`` empty means all declared.

    ``silent`` marks an endpoint of a program without any auth that said nothing: open in development, no start in production.
    """

    mode: Literal["required", "optional", "public"] = "required"
    providers: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    permissions: tuple[str, ...] = ()
    silent: bool = False
