"""Clauses of integrations and their operations in older files."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import msgspec

from codeai.language.diagnostics import Edit
from codeai.language.lexer import NAME
from codeai.language.spellings import values
from codeai.language.spellings.events import RETRY, retry_delays
from codeai.language.spellings.words import MIDDLEWARE
from codeai.language.tree import declarations as d
from codeai.language.tree import expressions as ex
from codeai.language.tree import integrations as i
from codeai.language.tree.node import Identifier

if TYPE_CHECKING:
    from codeai.language.parser.clauses import Clauses

_Spelling = Callable[["Clauses"], "tuple[d.Clause, ...] | None"]
# Settings of an older block, in the order of the arguments of the canonical call.
_AUTH: Final[dict[str, tuple[tuple[str, ...], ...]]] = {
    "bearer": (("token",),),
    "basic": (("username", "user"), ("password",)),
    "api_key": (("value", "key", "api_key"),),
    "oauth2": (("token_url",), ("client_id",), ("client_secret",), ("scopes",)),
}
_EXTERN: Final = "call an extern function: 'extern function name(…) from \"module.name\"'"


def _auth(p: Clauses) -> tuple[d.Clause, ...] | None:
    """``auth bearer { token: "$NAME" }``, and calls with ``"$NAME"`` or an unnamed place of the key."""
    ahead = 2 if p.kind_at(1) == ":" else 1
    if p.text_at(ahead) == "aws_signature_v4":
        return _unsupported(p, "'aws_signature_v4'", _EXTERN)
    key = p.key()
    if p.at(NAME) and p.kind_at(1) == "{" and not p.breaks_at(1):
        return _auth_block(p, key)
    value = _wrapped(p, p.expression())
    if isinstance(value, ex.Call):
        value = msgspec.structs.replace(value, arguments=tuple(_argument(p, value, at) for at in range(len(value.arguments))))
    return (d.ValueClause(key.start, value.end, key, value),)


def _argument(p: Clauses, call: ex.Call, at: int) -> ex.Argument:
    argument = call.arguments[at]
    kind = call.callee.text if isinstance(call.callee, ex.Name) else ""
    value, name = argument.value, argument.name
    unnamed_key = at == 1 and name is None and kind == "api_key"
    if name is None and not unnamed_key:
        expected = _AUTH.get(kind, ())[at : at + 1]
        value = _value(p, _without_scheme(value) if kind == "bearer" else value, expected[0] if expected else ())
    if unnamed_key and isinstance(value, ex.StringLiteral):
        place = "header" if "-" in value.value or value.value.startswith("X") else "query"
        p.warn(value.start, value.end, f"'{value.value}' is taken for a {place}", "CAI0035", help_text=f'write {place}: "{value.value}"')
        name = Identifier(value.start, value.start, place)
    return ex.Argument(argument.start, argument.end, name, value)


def _wrapped(p: Clauses, scheme: ex.Expression) -> ex.Expression:
    """``auth: bearer env(NAME)``: the call that is meant, whose parentheses are missing."""
    follows = p.texts[p.i] in ("env", "secret") and p.kind_at(1) == "(" and not p.breaks[p.i]
    if not isinstance(scheme, ex.Name) or not follows:
        return scheme
    word, value = p.texts[p.i], p.expression()
    written = p.file.text[value.start - p.file.base : value.end - p.file.base]
    edits = (Edit(scheme.end, value.start, "("), Edit(value.end, value.end, ")"))
    p.report(f"expected '(', got '{word}'", "CAI0037", value.start, value.end, help_text=f"write '{scheme.text}({written})'", edits=edits)
    return ex.Call(scheme.start, value.end, scheme, (ex.Argument(value.start, value.end, None, value),))


def _auth_block(p: Clauses, key: Identifier) -> tuple[d.Clause, ...]:
    start = p.start
    written = p.identifier()
    kind = MIDDLEWARE.get(written.text, written.text)
    if kind not in _AUTH:
        p.unknown("authentication", written, (*_AUTH, "apikey"), "CAI0024")
        p.skip_balanced()
        return ()
    settings = {setting.key.text: setting for setting in p.settings()}
    arguments: list[ex.Argument] = []
    for names in _AUTH[kind]:
        found = next((settings.pop(name) for name in names if name in settings), None)
        if found is not None and found.value is not None:
            given = _without_scheme(found.value) if kind == "bearer" else found.value
            arguments.append(ex.Argument(found.start, found.end, None, _value(p, given, names)))
    for name, setting in settings.items():
        place = name if name in ("header", "query") and kind == "api_key" else ""
        if not place or setting.value is None:
            p.unknown("setting", setting.key, [each for names in _AUTH[kind] for each in names], "CAI0013")
            continue
        arguments.append(ex.Argument(setting.start, setting.end, setting.key, setting.value))
    p.older(start, written.end, f"auth: {kind}(…)")
    call = ex.Call(start, p.previous_end, ex.Name(written.start, written.end, kind), tuple(arguments))
    return (d.ValueClause(key.start, p.previous_end, key, call),)


def _without_scheme(token: ex.Expression) -> ex.Expression:
    """A token without the word that is sent before it anyway: ``"Bearer $NAME"``."""
    if isinstance(token, ex.StringLiteral) and token.value.startswith("Bearer "):
        return msgspec.structs.replace(token, value=token.value.removeprefix("Bearer ").lstrip())
    return token


def _value(p: Clauses, value: ex.Expression, names: tuple[str, ...]) -> ex.Expression:
    """An argument by the names of its setting: a list, or a text that may read the environment."""
    if names == ("scopes",):
        return values.listed(p, value)
    public = names[:1] in (("username",), ("token_url",), ("client_id",))
    return values.environment(p, value, "env" if public else "secret")


def _headers(p: Clauses) -> tuple[d.Clause, ...] | None:
    key = p.key()
    entries = tuple(msgspec.structs.replace(entry, value=values.environment(p, entry.value)) for entry in p.map_entries())
    return (i.MapClause(key.start, p.previous_end, key, entries),)


def _base_url(p: Clauses) -> tuple[d.Clause, ...] | None:
    key = p.key()
    value = values.environment(p, p.expression(), "env")
    return (d.ValueClause(key.start, value.end, key, value),)


def _secret(p: Clauses) -> tuple[d.Clause, ...] | None:
    key = p.key()
    value = values.environment(p, p.expression())
    return (d.ValueClause(key.start, value.end, key, value),)


def _rate_limit(p: Clauses) -> tuple[d.Clause, ...] | None:
    """``rate_limit { requests: 100  window: 1m }``."""
    if p.kind_at(2 if p.kind_at(1) == ":" else 1) != "{":
        return None
    key = p.key()
    settings = {setting.key.text: setting.value for setting in p.settings()}
    requests = settings.get("requests") or settings.get("limit")
    window = settings.get("window") or settings.get("per")
    if requests is None or window is None:
        p.report("'rate_limit' takes requests and a window", "CAI0024", key.start, p.previous_end, help_text="write 100 per 1m")
        return ()
    p.older(key.start, key.end, "rate_limit: … per …")
    return (d.RateLimitClause(key.start, p.previous_end, requests, values.duration(p, window, seconds=True), None),)


def _idempotency(p: Clauses) -> tuple[d.Clause, ...] | None:
    """``idempotency { enabled: true  header: "Idempotency-Key" }``, or a flag."""
    key = p.key()
    settings = {one.key.text: one for one in p.settings()} if p.at("{") else None
    enabled = settings.pop("enabled", None) if settings is not None else None
    flag = p.expression() if settings is None else enabled.value if enabled is not None else None
    wanted = not (isinstance(flag, ex.BooleanLiteral) and not flag.value)
    for name, setting in (settings or {}).items():
        header = setting.value.value if name == "header" and isinstance(setting.value, ex.StringLiteral) else ""
        if header.lower() != "idempotency-key":
            said = "the key is sent as 'Idempotency-Key', and made of the execution, the step and the item"
            p.warn(setting.start, setting.end, f"setting '{name}' is not used", "CAI0032", help_text=said)
    p.older(key.start, key.end, f"idempotent: {'true' if wanted else 'false'}")
    value = ex.BooleanLiteral(key.start, p.previous_end, wanted)
    return (d.ValueClause(key.start, p.previous_end, Identifier(key.start, key.end, "idempotent"), value),)


def shared_out(clauses: tuple[d.Clause, ...]) -> tuple[d.Clause, ...]:
    """The clauses of an integration, with an ``idempotency`` of its own given to each operation that says nothing of it."""
    shared = next((one for one in clauses if isinstance(one, d.ValueClause) and one.key.text == "idempotent"), None)
    if shared is None:
        return clauses
    found: list[d.Clause] = []
    for clause in clauses:
        if isinstance(clause, i.OperationClause) and not any(
            isinstance(own, d.ValueClause) and own.key.text == "idempotent" for own in clause.clauses
        ):
            clause = msgspec.structs.replace(clause, clauses=(*clause.clauses, shared))
        if clause is not shared:
            found.append(clause)
    return tuple(found)


def _reset_after(p: Clauses) -> tuple[d.Clause, ...] | None:
    """``timeout "30s"`` of a breaker."""
    key = p.key()
    value = values.duration(p, p.expression(), seconds=True)
    p.older(key.start, key.end, "reset_after")
    return (d.ValueClause(key.start, value.end, Identifier(key.start, key.end, "reset_after"), value),)


def _unused(instead: str) -> _Spelling:
    def spelling(p: Clauses) -> tuple[d.Clause, ...]:
        key = p.identifier()
        p.warn(key.start, key.end, f"setting '{key.text}' is not used", "CAI0032", help_text=instead)
        _skip(p)
        return ()

    return spelling


def _skip(p: Clauses) -> None:
    """Steps over the value of a clause."""
    p.take(":")
    while not p.at("}") and not p.at("end") and not p.breaks[p.i] and p.kinds[p.i] not in (",", ";"):
        at_block = p.at("{")
        p.skip_balanced()
        if at_block or p.kind_at(1) in (":", "{"):
            return


def _unsupported(p: Clauses, what: str, instead: str) -> tuple[d.Clause, ...]:
    start = p.start
    p.i += 1
    _skip(p)
    p.unsupported(start, p.previous_end, what, instead)
    return ()


def never(what: str, instead: str) -> _Spelling:
    """A clause that parses and is then reported with its alternative."""
    return lambda p: _unsupported(p, what, instead)


def _only(value: str, what: str, instead: str) -> _Spelling:
    """A clause whose value may be one that is not supported."""

    def spelling(p: Clauses) -> tuple[d.Clause, ...] | None:
        ahead = 2 if p.kind_at(1) == ":" else 1
        return _unsupported(p, what, instead) if p.text_at(ahead).strip("\"'") == value else None

    return spelling


_SHARED: Final[dict[str, _Spelling]] = {
    **RETRY,
    "retry_delays": retry_delays,
    "rate_limit": _rate_limit,
    "headers": _headers,
    "success_codes": _unused("every status from 200 to 299 is a success"),
    "batching": never("'batching'", _EXTERN),
    "fallback": never("'fallback'", "cache the result with 'cache: 5m', and handle the failure where it is called"),
}
INTEGRATION: Final[dict[str, _Spelling]] = {
    **_SHARED,
    "auth": _auth,
    "idempotency": _idempotency,
    "base_url": _base_url,
    "type": _only("webhook", "'type: webhook'", "declare a 'webhook', or an endpoint with 'verify:' for incoming calls"),
}
OPERATION: Final[dict[str, _Spelling]] = {
    **_SHARED,
    "idempotency": _idempotency,
    "method": _only("internal", "'method: internal'", _EXTERN),
}
BREAKER: Final[dict[str, _Spelling]] = {
    "timeout": _reset_after,
    "max_concurrent": _unused("calls are limited by 'rate_limit'"),
}
WEBHOOK: Final[dict[str, _Spelling]] = {**RETRY, "headers": _headers, "url": _base_url, "secret": _secret}
