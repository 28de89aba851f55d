"""Declared middleware: its kinds, and what each is told (language page, section 11)."""

from __future__ import annotations

from typing import Final

from codeai.analysis.connections import Connections
from codeai.analysis.surroundings import COUNTED
from codeai.language import types as t
from codeai.language.tree import expressions as ex
from codeai.language.tree import integrations as i
from codeai.language.tree.node import Identifier
from codeai.model import expression as ir
from codeai.model.integration import Middleware

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
_SETTINGS: Final[dict[str, t.Type]] = {
    **dict.fromkeys(("window", "ttl"), t.Duration()),
    **dict.fromkeys(("requests", "burst", "min_size"), t.Int()),
    **dict.fromkeys(("credentials", "required"), t.Bool()),
    **dict.fromkeys(("secret", "public_key", "jwks_url", "issuer", "roles_claim", "header"), t.String()),
}
_NAMES: Final = ("roles", "role", "permissions", "provider", "auth")
_STRATEGIES: Final = ("fixed_window", "sliding_window", "token_bucket", "leaky_bucket")


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
                found = self.expression(value, scope)
                self._middleware_setting(key, value, found)
                entries.append(ir.Entry(key, found))
        return Middleware(name=node.name.text, kind=kind, settings=tuple(entries), at=node.start)

    def _middleware_setting(self, key: str, node: ex.Expression, value: ir.Expression) -> None:
        """A setting of another type than its key says would stop the start."""
        wanted = _SETTINGS.get(key)
        if wanted is not None and self.fit(value, wanted) is None:
            self.report.error(node, f"type mismatch for '{key}': expected {wanted}, got {t.required(value.type)}", "CAI0301")
        elif isinstance(wanted, t.Int) and isinstance(value, ir.Constant) and isinstance(value.value, int) and value.value < 0:
            self.report.error(node, f"'{key}' is not negative", "CAI0304")

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
