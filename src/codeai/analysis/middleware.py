"""Declared middleware: its kinds, and what each is told (language page, section 11)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from codeai.analysis import kinds as k
from codeai.analysis.configured import check_credentials, check_kind
from codeai.analysis.connections import Connections
from codeai.analysis.guarding import check_permission
from codeai.analysis.scope import Scope
from codeai.analysis.surroundings import COUNTED
from codeai.language import types as t
from codeai.language.tree import expressions as ex
from codeai.language.tree import integrations as i
from codeai.language.tree.node import Identifier
from codeai.model import expression as ir
from codeai.model.integration import Middleware

LOGGED: Final = ("method", "path", "route", "status", "size", "user_id", "user_agent", "code", "client")
_STRATEGIES: Final = k.choice("fixed_window", "sliding_window", "token_bucket", "leaky_bucket")
_TEXTS: Final = ("secret", "public_key", "jwks_url", "issuer", "roles_claim")
# What each kind may be told, and what each setting is; names of roles, permissions and providers are resolved.
_MIDDLEWARE: Final[dict[str, dict[str, k.Kind | None]]] = {
    "authentication": {
        **dict.fromkeys(("auth", "provider", "roles")),
        **dict.fromkeys(_TEXTS, k.TEXT),
        "required": k.FLAG,
        "method": k.choice("jwt", "api_key", "basic", "oauth2"),
        "audience": k.TEXTS,
        "header": k.HEADER,
        "keys": k.TEXTS,
        "users": k.USERS,
    },
    "authorization": dict.fromkeys(("roles", "permissions", "role")),
    "cors": dict(k.CORS),
    "logging": {
        "level": k.choice("debug", "info", "warn", "error"),
        "body": k.FLAG,
        "headers": k.FLAG,
        "fields": k.Kind(", ".join(LOGGED), lambda node: getattr(node, "value", getattr(node, "text", None)) in LOGGED, LOGGED, list_=True),
    },
    "cache": {"ttl": k.DURATION, "vary": k.HEADERS, "by": k.choice(*COUNTED, "public"), "key": k.TEXTS},
    "compression": {"min_size": k.SIZE, "level": k.whole(1, 11), "types": k.TEXTS},
    "rate_limiting": {
        "requests": k.whole(1, 1_000_000),
        "window": k.DURATION,
        "strategy": _STRATEGIES,
        "by": k.choice(*COUNTED),
        "burst": k.whole(1, 1_000_000),
    },
    "python": {"function": k.FUNCTION, "source": k.FUNCTION},
}
_NEEDED: Final = {"cors": ("origins",), "authorization": ("roles", "role", "permissions"), "python": ("function", "source")}


class Middlewares(Connections):
    """Elaborates middleware."""

    def middleware(self, node: i.MiddlewareDeclaration) -> Middleware:
        """A declared middleware; unknown kinds and settings are errors."""
        scope = self.settings_scope("a middleware")
        kind = ""
        entries: list[ir.Entry] = []
        for setting in node.settings:
            if setting.key.text == "type" and setting.value is not None:
                kind = self._middleware_kind(setting.value)
        if kind not in _MIDDLEWARE:
            words = ", ".join(_MIDDLEWARE)
            self.report.absent(node, node.name, f"middleware '{node.name.text}' has no type", "CAI0602", help_text=f"one of {words}")
            return Middleware(name=node.name.text, kind="", at=node.start)
        self.settings_once(node.settings)
        known = _MIDDLEWARE[kind]
        for setting in node.settings:
            key, value = setting.key.text, setting.value
            if key == "type":
                continue
            if key not in known:
                self.report.unknown(setting.key, f"unknown setting '{key}' of {kind} '{node.name.text}'", key, known, "CAI0118")
            elif value is not None:
                entries.extend(self._middleware_setting(node, key, value, known[key], scope))
        self._complete_middleware(node, kind)
        return Middleware(name=node.name.text, kind=kind, settings=tuple(entries), at=node.start)

    def _middleware_setting(
        self, node: i.MiddlewareDeclaration, key: str, value: ex.Expression, kind: k.Kind | None, scope: Scope
    ) -> Iterator[ir.Entry]:
        if kind is None:
            yield ir.Entry(key, self._security_names(key, value))
        elif check_kind(self.report, kind, value, key):
            if key == "secret":
                self.secret_literal(value, node.name.text)
            if isinstance(value, ex.Name):
                yield ir.Entry(key, ir.Constant(type=t.String(), value=value.text, at=value.start))
            else:
                yield ir.Entry(key, self.expression(value, scope))

    def _complete_middleware(self, node: i.MiddlewareDeclaration, kind: str) -> None:
        """What a kind cannot do without, and credentials that browsers refuse."""
        values = {setting.key.text: setting.value for setting in node.settings if setting.value is not None}
        wanted = _NEEDED.get(kind, ())
        if wanted and not any(key in values for key in wanted):
            named = " or ".join(f"'{key}'" for key in wanted if key != "role")
            self.report.absent(node, node.name, f"middleware '{node.name.text}' has no {named}", "CAI0602", help_text=f"give it {named}")
        if kind == "cors":
            check_credentials(values, self.report)

    def _security_names(self, key: str, node: ex.Expression) -> ir.Expression:
        """Roles, permissions and providers: declared names, written as such or quoted; a missing one is an error."""
        items = node.items if isinstance(node, ex.ListLiteral) else (node,)
        names = [Identifier(item.start, item.end, _word(item)) for item in items]
        if not names:
            self.report.error(node, f"'{key}' names nothing", "CAI0505", help_text="name one, or leave it out")
        for name, item in zip(names, items, strict=True):
            if not name.text:
                self.report.error(
                    item, f"'{key}' takes names, as in [admin]" if key != "provider" else "'provider' takes a name", "CAI0505"
                )
            elif key in ("roles", "role"):
                self.check_role(name)
            elif key == "permissions":
                check_permission(name, self.symbols, self.report)
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
