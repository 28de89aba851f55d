"""Integrations with their operations, middleware, and the settings they share with webhooks (language page, section 11)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from codeai.analysis.endpoints import Endpoints
from codeai.analysis.scope import Host, Scope
from codeai.analysis.surroundings import COUNTED
from codeai.analysis.symbols import IntegrationSymbol, OperationSymbol
from codeai.language import types as t
from codeai.language.tree import declarations as d
from codeai.language.tree import expressions as ex
from codeai.language.tree import integrations as i
from codeai.language.tree import workflows as w
from codeai.language.tree.node import Identifier
from codeai.model import expression as ir
from codeai.model.endpoint import Shape
from codeai.model.event import Retry
from codeai.model.integration import Breaker, Integration, Middleware, Operation
from codeai.model.limits import RateLimit

_BACKOFFS: Final = {
    "exponential_backoff": "exponential",
    "linear_backoff": "linear",
    "fixed_backoff": "fixed",
    "constant_backoff": "fixed",
}
_RETRY_KEYS: Final = ("delays", "max_attempts", "initial_interval", "max_interval", "backoff_multiplier", "backoff", "jitter")
_AUTH: Final[dict[str, tuple[str, ...]]] = {
    "bearer": ("token",),
    "basic": ("username", "password"),
    "api_key": ("key",),
    "oauth2": ("token_url", "client_id", "client_secret", "scopes"),
}
_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD")
_MIDDLEWARE: Final[dict[str, tuple[str, ...]]] = {
    "authentication": (
        *("auth", "provider", "required", "roles", "method", "secret", "public_key", "jwks_url", "issuer", "audience", "roles_claim"),
        *("header", "keys", "users"),
    ),
    "authorization": ("roles", "permissions", "role"),
    "cors": ("origins", "methods", "headers", "expose", "credentials", "max_age"),
    "logging": ("level", "body", "headers", "fields"),
    "cache": ("ttl", "vary", "by", "key"),
    "compression": ("min_size", "level", "types"),
    "rate_limiting": ("requests", "window", "strategy", "by", "burst"),
    "python": ("function", "source"),
}
_NAMES: Final = ("roles", "role", "permissions", "provider", "auth")
_STRATEGIES: Final = ("fixed_window", "sliding_window", "token_bucket", "leaky_bucket")
_SECRET_HEADERS: Final = ("authorization", "proxy-authorization", "x-api-key", "api-key", "cookie")
_PARAMETER: Final = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")


class Connections(Endpoints):
    """Elaborates integrations and middleware."""

    def declare_operations(self) -> None:
        """What each operation takes and answers, so that calls can be checked."""
        for symbol in self.symbols.integrations.values():
            for clause in symbol.declaration.clauses:
                if isinstance(clause, i.OperationClause):
                    self._declare_operation(symbol, clause)

    def _declare_operation(self, symbol: IntegrationSymbol, clause: i.OperationClause) -> None:
        name = clause.name.text
        if name in symbol.operations:
            self.report.duplicate(clause.name, name, symbol.operations[name].clause.name)
            return
        fields: dict[str, t.RecordField] = {}
        open_ = False
        for part in clause.clauses:
            if isinstance(part, i.TextClause) and part.key.text == "path":
                fields |= {found: t.RecordField(found, t.Json(), True) for found in _PARAMETER.findall(part.text)}
            elif isinstance(part, i.MapClause):
                fields |= {found: t.RecordField(found, t.optional(t.Json())) for found in self._header_arguments(part, fields)}
            elif isinstance(part, d.InputClause):
                shape = self.body_shape(part)
                open_ = open_ or shape.open or shape.many
                fields |= {
                    field.name: t.RecordField(field.name, t.optional(field.type) if field.nullable else field.type, field.required)
                    for field in shape.fields
                }
            elif isinstance(part, d.ReturnsClause):
                result = self.resolve(part.type)
                symbol.operations[name] = OperationSymbol(name, clause, result=result)
        found = symbol.operations.setdefault(name, OperationSymbol(name, clause))
        found.arguments, found.open = t.Record(tuple(fields.values()), f"{symbol.name}.{name}"), open_

    def _header_arguments(self, clause: i.MapClause, known: Iterable[str]) -> list[str]:
        found: list[str] = []
        for entry in clause.entries:
            if isinstance(entry.value, ex.Interpolation):
                found.extend(part.text for part in entry.value.parts if isinstance(part, ex.Name) and part.text not in known)
        return found

    # -- settings that several declarations share -----------------------------------------------------------------

    def settings_scope(self, what: str) -> Scope:
        """Where values of settings stand: no request, no database."""
        return Scope(Host(what, user=False, database=False))

    def choice_of(self, node: ex.Expression, what: str, known: tuple[str, ...]) -> str:
        """One of several words in a setting."""
        text = node.text if isinstance(node, ex.Name) else node.value if isinstance(node, ex.StringLiteral) else ""
        if text not in known:
            self.report.unknown(node, f"unknown {what} '{text}'" if text else f"'{what}' is {', '.join(known)}", text, known, "CAI0127")
            return known[0]
        return text

    def clause_value(self, clauses: tuple[d.Clause, ...], key: str) -> ex.Expression | None:
        """The value of the first clause with that key."""
        return next((c.value for c in clauses if isinstance(c, d.ValueClause) and c.key.text == key), None)

    def retry_of(self, clauses: tuple[d.Clause, ...], default: Retry | None) -> Retry | None:
        """The ``retry`` clause, or the default."""
        clause = next((c for c in clauses if isinstance(c, w.RetryClause)), None)
        if clause is None:
            return default
        base = default or Retry()
        times = self.whole_of(clause.times, "retry", 0, 1_000) if clause.times is not None else base.times
        backoff = base.backoff
        if clause.backoff is not None:
            if clause.backoff.text not in _BACKOFFS:
                self.report.unknown(clause.backoff, f"unknown back-off '{clause.backoff.text}'", clause.backoff.text, _BACKOFFS, "CAI0127")
            backoff = _BACKOFFS.get(clause.backoff.text, "exponential")  # type: ignore[assignment]  # one of the values
        initial, maximum, multiplier, delays = base.initial, base.maximum, base.multiplier, base.delays
        for setting in clause.settings:
            key, value = setting.key.text, setting.value
            if key not in _RETRY_KEYS or value is None:
                self.report.unknown(setting.key, f"unknown setting '{key}' of retry", key, _RETRY_KEYS, "CAI0118")
            elif key == "delays":
                delays = self._delays(value)
                times = times if clause.times is not None else len(delays)
            elif key == "max_attempts":
                times = self.whole_of(value, key, 0, 1_000)
            elif key == "initial_interval":
                initial = self.milliseconds_of(value, key)
            elif key == "max_interval":
                maximum = self.milliseconds_of(value, key)
            elif key == "backoff_multiplier" and isinstance(value, ex.IntLiteral | ex.DecimalLiteral):
                multiplier = float(value.value if isinstance(value, ex.IntLiteral) else value.text)
        return Retry(times=times, backoff=backoff, initial=initial, maximum=maximum, multiplier=multiplier, delays=delays)

    def _delays(self, node: ex.Expression) -> tuple[int, ...]:
        items = node.items if isinstance(node, ex.ListLiteral) else ()
        if not items:
            self.report.error(node, "'delays' takes durations, as in [1s, 5s]", "CAI0505")
        return tuple(self.milliseconds_of(item, "delays") for item in items)

    def rate_of(self, clauses: tuple[d.Clause, ...]) -> RateLimit | None:
        """The ``rate_limit`` clause."""
        clause = next((c for c in clauses if isinstance(c, d.RateLimitClause)), None)
        return None if clause is None else self.rate_limit(clause)

    def entries_of(self, clauses: tuple[d.Clause, ...], key: str, scope: Scope) -> tuple[ir.Entry, ...]:
        """The entries of ``headers { … }``."""
        for clause in clauses:
            for entry in clause.entries if isinstance(clause, i.MapClause) and clause.key.text == key else ():
                if entry.key.text.lower() in _SECRET_HEADERS:
                    self.secret_literal(entry.value, "api")
        return tuple(
            ir.Entry(entry.key.text, self.value(entry.value, scope, t.String(), f"header '{entry.key.text}'"))
            for clause in clauses
            if isinstance(clause, i.MapClause) and clause.key.text == key
            for entry in clause.entries
        )

    def secret_literal(self, node: ex.Expression, name: str) -> None:
        """Warns of a secret that stands in the text of the program."""
        if isinstance(node, ex.StringLiteral):
            self.report.secret_in_text(node, name)

    # -- integrations ----------------------------------------------------------------------------------------------

    def integration(self, symbol: IntegrationSymbol) -> Integration:
        """An integration with all its operations."""
        node = symbol.declaration
        scope = self.settings_scope("an integration")
        kind = self.clause_value(node.clauses, "type")
        base = self.clause_value(node.clauses, "base_url")
        if base is None:
            self.report.absent(node, node.name, f"integration '{symbol.name}' has no base_url", "CAI0601")
        timeout = self.clause_value(node.clauses, "timeout")
        auth = self.clause_value(node.clauses, "auth")
        return Integration(
            name=symbol.name,
            kind=self.choice_of(kind, "type", ("rest", "graphql")) if kind is not None else "rest",  # type: ignore[arg-type]  # one of two
            base_url=self.value(base, scope, t.String(), "base_url", nullable=False)
            if base is not None
            else ir.Constant(type=t.String(), value=""),
            auth=self._integration_auth(auth, symbol.name, scope) if auth is not None else None,
            headers=self.entries_of(node.clauses, "headers", scope),
            timeout=self.milliseconds_of(timeout, "timeout") if timeout is not None else 30_000,
            retry=self.retry_of(node.clauses, None),
            rate_limit=self.rate_of(node.clauses),
            breaker=self._breaker(node.clauses),
            operations=tuple(self._operation(operation) for operation in symbol.operations.values()),
            at=node.start,
        )

    def _integration_auth(self, node: ex.Expression, owner: str, scope: Scope) -> tuple[str, tuple[ir.Entry, ...]] | None:
        if isinstance(node, ex.Name) and node.text in ("none", "public"):
            return None
        name = node.callee.text if isinstance(node, ex.Call) and isinstance(node.callee, ex.Name) else ""
        if not isinstance(node, ex.Call) or name not in _AUTH:
            self.report.unknown(node, f"unknown authentication '{name}'" if name else "this is no authentication", name, _AUTH, "CAI0127")
            return None
        wanted = _AUTH[name]
        entries: list[ir.Entry] = []
        for at, argument in enumerate(node.arguments):
            key = argument.name.text if argument.name is not None else wanted[at] if at < len(wanted) else ""
            if not key or key not in (*wanted, "header", "query"):
                self.report.unknown(argument, f"'{name}' takes no '{key or at + 1}'", key, (*wanted, "header", "query"), "CAI0118")
                continue
            if key in ("token", "password", "key", "client_secret"):
                self.secret_literal(argument.value, owner)
            entries.append(ir.Entry(key, self.expression(argument.value, scope)))
        missing = [f"'{key}'" for key in wanted if key not in {entry.name for entry in entries} and key != "scopes"]
        if missing:
            self.report.absent(node, node, f"missing {', '.join(missing)} in '{name}'", "CAI0306")
        return name, tuple(entries)

    def _breaker(self, clauses: tuple[d.Clause, ...]) -> Breaker | None:
        clause = next((c for c in clauses if isinstance(c, i.BreakerClause)), None)
        if clause is None:
            return None
        threshold = next((c for c in clause.clauses if isinstance(c, i.ThresholdClause)), None)
        reset, probes = self.clause_value(clause.clauses, "reset_after"), self.clause_value(clause.clauses, "half_open")
        window = threshold.window if threshold is not None else None
        return Breaker(
            failures=self.whole_of(threshold.failures, "threshold") if threshold is not None else 5,
            window=self.milliseconds_of(window, "threshold") if window is not None else None,
            reset_after=self.milliseconds_of(reset, "reset_after") if reset is not None else 60_000,
            half_open=self.whole_of(probes, "half_open") if probes is not None else 3,
        )

    def _operation(self, symbol: OperationSymbol) -> Operation:
        clauses = symbol.clause.clauses
        scope = self.settings_scope("an operation")
        scope.host.values = {field.name: field.type for field in symbol.arguments.fields}
        method, idempotent = self.clause_value(clauses, "method"), self.clause_value(clauses, "idempotent")
        timeout, cache = self.clause_value(clauses, "timeout"), self.clause_value(clauses, "cache")
        texts = {clause.key.text: clause.text for clause in clauses if isinstance(clause, i.TextClause)}
        shapes: dict[str, Shape] = {clause.place.text: self.body_shape(clause) for clause in clauses if isinstance(clause, d.InputClause)}
        document = texts.get("query", texts.get("mutation", ""))
        return Operation(
            name=symbol.name,
            method=self.choice_of(method, "method", _METHODS) if method is not None else "POST" if document else "GET",
            path=texts.get("path", ""),
            arguments=symbol.arguments,
            query=tuple(field.name for field in shapes["query"].fields) if "query" in shapes else (),
            body=shapes.get("body", shapes.get("variables")),
            document=document,
            headers=self.entries_of(clauses, "headers", scope),
            result=symbol.result,
            idempotent=isinstance(idempotent, ex.BooleanLiteral) and idempotent.value,
            timeout=self.milliseconds_of(timeout, "timeout") if timeout is not None else None,
            retry=self.retry_of(clauses, None),
            cache=self.milliseconds_of(cache, "cache") if cache is not None else None,
            description=symbol.clause.description,
            at=symbol.clause.start,
        )

    # -- middleware ------------------------------------------------------------------------------------------------

    def middleware(self, node: i.MiddlewareDeclaration) -> Middleware:
        """A declared middleware; unknown kinds and settings are errors."""
        scope = self.settings_scope("a middleware")
        kind = ""
        entries: list[ir.Entry] = []
        for setting in node.settings:
            if setting.key.text == "type" and setting.value is not None:
                kind = self._middleware_kind(setting.value)
        if kind not in _MIDDLEWARE:
            known = ", ".join(_MIDDLEWARE)
            self.report.absent(node, node.name, f"middleware '{node.name.text}' has no type", "CAI0602", help_text=f"one of {known}")
            return Middleware(name=node.name.text, kind="", at=node.start)
        for setting in node.settings:
            key, value = setting.key.text, setting.value
            if key == "type":
                continue
            if key not in _MIDDLEWARE[kind]:
                self.report.unknown(setting.key, f"unknown setting '{key}' of {kind} '{node.name.text}'", key, _MIDDLEWARE[kind], "CAI0118")
            elif key in _NAMES and value is not None:
                entries.append(ir.Entry(key, self._security_names(key, value)))
            elif isinstance(value, ex.Name):
                if key == "strategy":
                    self.choice_of(value, "strategy", _STRATEGIES)
                elif key == "by":
                    self.choice_of(value, "by", (*COUNTED, "public") if kind == "cache" else COUNTED)
                entries.append(ir.Entry(key, ir.Constant(type=t.String(), value=value.text, at=value.start)))
            elif value is not None:
                if key == "secret":
                    self.secret_literal(value, node.name.text)
                entries.append(ir.Entry(key, self.expression(value, scope)))
        return Middleware(name=node.name.text, kind=kind, settings=tuple(entries), at=node.start)

    def _security_names(self, key: str, node: ex.Expression) -> ir.Expression:
        """Roles, permissions and providers: declared names, written as such or quoted; a missing one is an error."""
        items = node.items if isinstance(node, ex.ListLiteral) else (node,)
        names = [Identifier(item.start, item.end, _word(item)) for item in items]
        for name in names:
            if key in ("roles", "role"):
                self.check_role(name)
            elif key in ("provider", "auth"):
                if name.text not in self.symbols.providers:
                    self.report.unknown(name, f"unknown auth provider '{name.text}'", name.text, self.symbols.providers, "CAI0116")
                self.symbols.use("auth", name.text)
        constants = tuple(ir.Constant(type=t.String(), value=name.text, at=name.start) for name in names)
        return ir.ListOf(type=t.List(t.String()), items=constants, at=node.start)

    def _middleware_kind(self, node: ex.Expression) -> str:
        text = node.text if isinstance(node, ex.Name) else node.value if isinstance(node, ex.StringLiteral) else ""
        if text not in _MIDDLEWARE:
            self.report.unknown(node, f"unknown type '{text}' of middleware", text, _MIDDLEWARE, "CAI0127")
        return text


def _word(node: ex.Expression) -> str:
    return node.text if isinstance(node, ex.Name) else node.value if isinstance(node, ex.StringLiteral) else ""
