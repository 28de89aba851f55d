"""Integrations with their operations, and the settings they share with webhooks (language page, section 11)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

import msgspec

from codeai.analysis import kinds as k
from codeai.analysis.addresses import address_problem, written_address
from codeai.analysis.configured import check_kind
from codeai.analysis.endpoints import Endpoints
from codeai.analysis.reporter import in_quotes
from codeai.analysis.scope import Host, Scope
from codeai.analysis.symbols import IntegrationSymbol, OperationSymbol
from codeai.analysis.unread import report_unread
from codeai.language import types as t
from codeai.language.diagnostics import DiagnosticClass
from codeai.language.naming import snake_case
from codeai.language.tree import declarations as d
from codeai.language.tree import expressions as ex
from codeai.language.tree import integrations as i
from codeai.language.tree import workflows as w
from codeai.model import expression as ir
from codeai.model.endpoint import Shape
from codeai.model.event import Retry
from codeai.model.integration import Breaker, Integration, Operation
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
_KINDS: Final = {"header": k.HEADER, "scopes": k.TEXTS}
_PLACES: Final = ("header", "query")
_OF_AUTH: Final[dict[str, t.Type]] = {"scopes": t.Json()}
_NUMBERS: Final = (ex.IntLiteral, ex.DecimalLiteral)
_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD")
_SECRET_HEADERS: Final = ("authorization", "proxy-authorization", "x-api-key", "api-key", "cookie")
_PARAMETER: Final = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")


class Connections(Endpoints):
    """Elaborates integrations."""

    def declare_operations(self) -> None:
        """What each operation takes and answers, so that calls can be checked."""
        for symbol in self.symbols.integrations.values():
            for clause in symbol.declaration.clauses:
                if isinstance(clause, i.OperationClause):
                    self._declare_operation(symbol, clause)

    def _declare_operation(self, symbol: IntegrationSymbol, clause: i.OperationClause) -> None:
        name = clause.name.text
        if name in symbol.operations:
            self.report.duplicate(clause.name, name, symbol.operations[name].clause.name, named=True)
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
        found.arguments, found.open = t.Record(tuple(fields.values()), f"{symbol.name}.{name}"), open_ or self.report.torn(clause)

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
                initial = self.milliseconds_of(value, key, zero=True)
            elif key == "max_interval":
                maximum = self.milliseconds_of(value, key, zero=True)
            elif key == "backoff_multiplier":
                multiplier = self._multiplier(value)
            elif key == "jitter" and not isinstance(value, ex.BooleanLiteral):
                self.report.error(value, "'jitter' is true or false", "CAI0505")
            elif key == "backoff":
                backoff = self._backoff(value)  # type: ignore[assignment]  # one of the values
        return Retry(times=times, backoff=backoff, initial=initial, maximum=maximum, multiplier=multiplier, delays=delays)

    def _multiplier(self, node: ex.Expression) -> float:
        number = float(node.value if isinstance(node, ex.IntLiteral) else node.text) if isinstance(node, _NUMBERS) else 0.0
        if not 1 <= number <= 100:
            self.report.error(node, "'backoff_multiplier' takes a number from 1 to 100", "CAI0505")
        return max(number, 1.0)

    def _backoff(self, node: ex.Expression) -> str:
        names = {name.removesuffix("_backoff"): found for name, found in _BACKOFFS.items()} | _BACKOFFS
        text = _word(node)
        if text not in names:
            self.report.unknown(node, f"unknown back-off '{text}'", text, names, "CAI0127")
        return names.get(text, "exponential")

    def _delays(self, node: ex.Expression) -> tuple[int, ...]:
        items = node.items if isinstance(node, ex.ListLiteral) else ()
        if not items:
            self.report.error(node, "'delays' takes durations, as in [1s, 5s]", "CAI0505")
        return tuple(self.milliseconds_of(item, "delays", zero=True) for item in items)

    def rate_of(self, clauses: tuple[d.Clause, ...]) -> RateLimit | None:
        """The ``rate_limit`` clause."""
        clause = next((c for c in clauses if isinstance(c, d.RateLimitClause)), None)
        if clause is not None and clause.by is not None:
            self.report.error(clause.by, "an integration is one peer, whoever calls it", "CAI0505", help_text="leave 'by' out")
        return None if clause is None else self.rate_limit(clause)

    def entries_of(self, clauses: tuple[d.Clause, ...], key: str, scope: Scope) -> tuple[ir.Entry, ...]:
        """The entries of ``headers { … }``."""
        for clause in clauses:
            if isinstance(clause, i.MapClause) and clause.key.text == key:
                self.distinct(msgspec.structs.replace(entry.key, text=entry.key.text.lower()) for entry in clause.entries)
            for entry in clause.entries if isinstance(clause, i.MapClause) and clause.key.text == key else ():
                if key == "headers" and not k.TOKEN.fullmatch(entry.key.text):
                    self.report.error(
                        entry.key, f"'{entry.key.text}' is no name of a header", "CAI0505", help_text="it has letters, digits and hyphens"
                    )
                if entry.key.text.lower() in _SECRET_HEADERS:
                    self.secret_literal(entry.value, "api")
        return tuple(
            ir.Entry(entry.key.text, self.value(entry.value, scope, t.String(), f"header '{entry.key.text}'"))
            for clause in clauses
            if isinstance(clause, i.MapClause) and clause.key.text == key
            for entry in clause.entries
        )

    def address(self, node: ex.Expression, what: str, scope: Scope, *, base: bool = False) -> ir.Expression:
        """The address of somebody whom the program calls; one that stands in its text is checked.

        :param base: paths are put behind it
        """
        found = self.value(node, scope, t.String(), what, nullable=False)
        self.check_address(node, base=base)
        return found

    def check_address(self, node: ex.Expression, *, base: bool = False) -> None:
        """Reports an address in the text of the program that nobody can call."""
        written = written_address(node)
        problem = address_problem(written[1], base=base) if written is not None else None
        if written is not None and problem is not None:
            self.report.error(written[0], problem[0], "CAI0614", help_text=problem[1])

    def secret_literal(self, node: ex.Expression, name: str) -> None:
        """Warns of a secret that stands in the text of the program."""
        if isinstance(node, ex.StringLiteral):
            self.report.secret_in_text(node, name)

    # -- integrations ----------------------------------------------------------------------------------------------

    def integration(self, symbol: IntegrationSymbol) -> Integration:
        """An integration with all its operations."""
        node = symbol.declaration
        scope = self.settings_scope("an integration")
        self.single_clauses(tuple(clause for clause in node.clauses if not isinstance(clause, i.OperationClause)))
        report_unread("integration", node.clauses, self.report)
        kind = self.clause_value(node.clauses, "type")
        base = self.clause_value(node.clauses, "base_url")
        if base is None:
            hint = f"add 'base_url: env({snake_case(symbol.name).upper()}_URL)'"
            self.report.absent(node, node.name, f"integration '{symbol.name}' has no base_url", "CAI0601", help_text=hint)
        timeout = self.clause_value(node.clauses, "timeout")
        auth = self.clause_value(node.clauses, "auth")
        protocol = self.choice_of(kind, "type", ("rest", "graphql")) if kind is not None else "rest"
        return Integration(
            name=symbol.name,
            kind=protocol,  # type: ignore[arg-type]  # one of two
            base_url=self.address(base, "base_url", scope, base=True) if base is not None else ir.Constant(type=t.String(), value=""),
            auth=self._integration_auth(auth, symbol.name, scope) if auth is not None else None,
            headers=self.entries_of(node.clauses, "headers", scope),
            timeout=self.milliseconds_of(timeout, "timeout") if timeout is not None else 30_000,
            retry=self.retry_of(node.clauses, None),
            rate_limit=self.rate_of(node.clauses),
            breaker=self._breaker(node.clauses),
            operations=tuple(self._operation(operation, protocol) for operation in symbol.operations.values()),
            at=node.start,
        )

    def _integration_auth(self, node: ex.Expression, owner: str, scope: Scope) -> tuple[str, tuple[ir.Entry, ...]] | None:
        if isinstance(node, ex.Name) and node.text in ("none", "public"):
            return None
        name = node.callee.text if isinstance(node, ex.Call) and isinstance(node.callee, ex.Name) else ""
        if not isinstance(node, ex.Call) or name not in _AUTH:
            said = f"unknown authentication '{name}'" if name else "this is no authentication"
            self.report.unknown(node, said, name, _AUTH, "CAI0127", otherwise="as in 'bearer(secret(API_KEY))'")
            return None
        wanted = _AUTH[name]
        entries: list[ir.Entry] = []
        for at, argument in enumerate(node.arguments):
            key = argument.name.text if argument.name is not None else wanted[at] if at < len(wanted) else ""
            known = (*wanted, *(_PLACES if name == "api_key" else ()))
            if not key or key not in known:
                said = f"'{name}' takes no '{key}'" if key else f"'{name}' takes {len(wanted)} argument{'s' * (len(wanted) > 1)}"
                usage = f"it is {name}({', '.join(wanted)})" + (", with header: or query:" if name == "api_key" else "")
                self.report.unknown(argument, said, key, known, "CAI0118", otherwise=usage)
                continue
            if key in {entry.name for entry in entries} or (key in _PLACES and any(entry.name in _PLACES for entry in entries)):
                twice = f"'{name}' has '{key}' already" if key not in _PLACES else "a key is sent in a header or in the query, not both"
                self.report.error(argument, twice, "CAI0118")
                continue
            if key in _KINDS and not check_kind(self.report, _KINDS[key], argument.value, key):
                continue
            if key in ("token", "password", "key", "client_secret"):
                self.secret_literal(argument.value, owner)
            if key == "token_url":
                self.check_address(argument.value)
            entries.append(ir.Entry(key, self.value(argument.value, scope, _OF_AUTH.get(key, t.String()), f"'{key}' of '{name}'")))
        missing = [key for key in wanted if key not in {entry.name for entry in entries} and key != "scopes"]
        if missing:
            self.report.absent(node, node, f"missing {in_quotes(missing)} in '{name}'", "CAI0306", lacking=missing)
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

    def _callable(self, symbol: OperationSymbol, clauses: tuple[d.Clause, ...], kind: str) -> None:
        """What an operation cannot do without, and settings that do not go together."""
        name, keys = symbol.name, {clause.key.text for clause in clauses if isinstance(clause, i.TextClause)}
        document = keys & {"query", "mutation"}
        if kind == "graphql" and not document:
            hint = 'as in query: "{ viewer { login } }"'
            self.report.absent(
                symbol.clause, symbol.clause.name, f"operation '{name}' has no query and no mutation", "CAI0601", help_text=hint
            )
        idempotent = self.clause_value(clauses, "idempotent")
        if idempotent is not None:
            check_kind(self.report, k.FLAG, idempotent, "idempotent")
        cache, method = self.clause_value(clauses, "cache"), self.clause_value(clauses, "method")
        changes = "mutation" in document or (not document and isinstance(method, ex.Name) and method.text not in ("GET", "HEAD"))
        if isinstance(cache, ex.DurationLiteral) and changes:
            said = f"operation '{name}' changes something, so its answer is not kept in a cache"
            self.report.error(cache, said, "CAI0505", help_text="leave 'cache' out")

    def _operation(self, symbol: OperationSymbol, node_kind: str) -> Operation:
        clauses = symbol.clause.clauses
        self.single_clauses(clauses)
        report_unread("operation", clauses, self.report)
        self._callable(symbol, clauses, node_kind)
        scope = self.settings_scope("an operation")
        scope.host.values = {field.name: field.type for field in symbol.arguments.fields}
        method, idempotent = self.clause_value(clauses, "method"), self.clause_value(clauses, "idempotent")
        timeout, cache = self.clause_value(clauses, "timeout"), self.clause_value(clauses, "cache")
        texts = {clause.key.text: clause.text for clause in clauses if isinstance(clause, i.TextClause)}
        shapes: dict[str, Shape] = {clause.place.text: self.body_shape(clause) for clause in clauses if isinstance(clause, d.InputClause)}
        document = texts.get("query", texts.get("mutation", ""))
        self._operation_path(symbol, clauses, texts.get("path"))
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

    def _operation_path(self, symbol: OperationSymbol, clauses: tuple[d.Clause, ...], path: str | None) -> None:
        """A path goes behind the base_url, with a name in each pair of braces."""
        place = next((clause for clause in clauses if isinstance(clause, i.TextClause) and clause.key.text == "path"), None)
        if place is None or path is None:
            return
        names = _PARAMETER.findall(path)
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            self.report.error(
                place, f"duplicate parameter '{twice}'", "CAI0103", kind=DiagnosticClass.SCOPE, help_text="call one of them otherwise"
            )
        elif re.search(r"\s", path):
            self.report.error(place, f"the path of '{symbol.name}' has spaces", "CAI0614", help_text="write %20")
        elif path and not path.startswith(("/", "?")):
            self.report.error(place, f"the path of '{symbol.name}' begins with '/'", "CAI0614", help_text="it goes behind the base_url")
        elif re.search(r"[{}]", _PARAMETER.sub("", path)):
            self.report.error(place, f"the path of '{symbol.name}' has a brace alone", "CAI0614", help_text="an argument is written {name}")


def _word(node: ex.Expression) -> str:
    return node.text if isinstance(node, ex.Name) else node.value if isinstance(node, ex.StringLiteral) else ""
