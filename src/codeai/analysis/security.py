"""Who may call: providers and roles (language page, section 11)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from codeai.analysis.circles import circles, shown
from codeai.analysis.scope import Host, Scope
from codeai.analysis.workflows import Workflows
from codeai.language import types as t
from codeai.language.tree import declarations as d
from codeai.language.tree import expressions as ex
from codeai.model import expression as ir
from codeai.model.endpoint import Endpoint
from codeai.model.integration import Middleware
from codeai.model.security import AuthProvider, Role

_KEYS: Final = (
    *("secret", "public_key", "jwks_url", "issuer", "audience", "roles_claim", "algorithms", "require_exp", "header", "keys"),
    *("users", "realm", "client_id", "tenant_claim", "permissions_claim"),
)
# What each method cannot do without; a JWT provider may have all from the environment.
_NEEDED: Final = {"jwt": "", "api_key": "keys", "basic": "users", "oauth2": "issuer"}
_LISTS: Final = ("audience", "algorithms", "keys", "users")
_ALGORITHMS: Final = ("HS256", "RS256", "ES256", "EdDSA")
_HOW: Final = ("provider", "auth", "method")


class Security(Workflows):
    """Elaborates providers and roles."""

    def providers_of(self, endpoints: Iterable[Endpoint], middleware: Iterable[Middleware]) -> tuple[AuthProvider, ...]:
        """All providers that can tell who calls.

        A bare one (a method and nothing else) cannot: that is an error where something relies on it, else a warning.
        """
        bare = {name for name, node in self.symbols.providers.items() if self._is_bare(node)}
        found = tuple(self._provider(node) for name, node in self.symbols.providers.items() if name not in bare)
        anybody = bool(bare) and not found and _ask_anybody(endpoints, middleware)
        for name in sorted(bare):
            node = self.symbols.providers[name]
            needed = f"give it '{_NEEDED[_method(node)]}'"
            if anybody or f"auth {name}" in self.symbols.used:
                self.report.error(node.name, f"auth '{name}' has a method and nothing else", "CAI0136", help_text=needed)
            else:
                self.report.warning(node.name, f"auth '{name}' has a method and nothing else", "CAI0136", help_text=f"{needed}, or drop it")
        return found

    def _is_bare(self, node: d.AuthDeclaration) -> bool:
        return bool(_NEEDED.get(_method(node))) and all(setting.key.text == "method" for setting in node.settings)

    def _provider(self, node: d.AuthDeclaration) -> AuthProvider:
        scope = Scope(Host("auth", user=False, database=False))
        method = "jwt"
        entries: list[ir.Entry] = []
        for setting in node.settings:
            key, value = setting.key.text, setting.value
            if key == "method":
                method = value.text if isinstance(value, ex.Name) else ""
                if method not in _NEEDED:
                    self.report.unknown(setting, f"unknown auth method '{method}'", method, _NEEDED, "CAI0117")
                    method = "jwt"
            elif key not in _KEYS:
                self.report.unknown(setting.key, f"unknown setting '{key}' of auth '{node.name.text}'", key, ("method", *_KEYS), "CAI0118")
            elif value is not None:
                resolved = self._provider_setting(key, value, scope)
                if key in ("secret", "keys") and isinstance(value, ex.StringLiteral):
                    self.report.secret_in_text(value, node.name.text)
                entries.append(ir.Entry(key, resolved))
        return AuthProvider(name=node.name.text, method=method, settings=tuple(entries), at=node.start)  # type: ignore[arg-type]  # checked above

    def _provider_setting(self, key: str, node: ex.Expression, scope: Scope) -> ir.Expression:
        """A setting of the type that its key says; a list of keys or users may be one text, as the environment has it."""
        if key in _LISTS:
            found = self.expression(node, scope)
            if not isinstance(t.required(found.type), t.String | t.List | t.Unknown | t.Json):
                self.report.error(node, f"type mismatch for '{key}': expected string or array, got {t.required(found.type)}", "CAI0301")
        else:
            found = self.value(node, scope, t.Bool() if key == "require_exp" else t.String(), f"'{key}'", nullable=False)
        if key == "jwks_url":
            self.check_address(node)
        for item in node.items if key == "algorithms" and isinstance(node, ex.ListLiteral) else ():
            if isinstance(item, ex.StringLiteral) and item.value not in _ALGORITHMS:
                self.report.unknown(item, f"unknown algorithm '{item.value}'", item.value, _ALGORITHMS, "CAI0127")
        return found

    def roles_of(self) -> tuple[Role, ...]:
        """All roles; cycles of inheritance are errors."""
        found: list[Role] = []
        for name, node in self.symbols.roles.items():
            names: dict[str, tuple[str, ...]] = {}
            for clause in node.clauses:
                if clause.key.text in names:
                    self.report.duplicate(clause.key, clause.key.text, next(c.key for c in node.clauses if c.key.text == clause.key.text))
                names[clause.key.text] = tuple(part.text for part in clause.names)
                if clause.key.text == "inherits":
                    for part in clause.names:
                        self.check_role(part)
            found.append(Role(name=name, permissions=names.get("permissions", ()), inherits=names.get("inherits", ()), at=node.start))
        self._role_cycles({role.name: role.inherits for role in found})
        return tuple(found)

    def _role_cycles(self, inherits: dict[str, tuple[str, ...]]) -> None:
        for circle in circles(inherits):
            said = f"role '{circle[0]}' inherits from itself{shown(circle)}"
            self.report.error(self.symbols.roles[circle[0]].name, said, "CAI0213")


def _method(node: d.AuthDeclaration) -> str:
    value = next((setting.value for setting in node.settings if setting.key.text == "method"), None)
    return value.text if isinstance(value, ex.Name) else ""


def _ask_anybody(endpoints: Iterable[Endpoint], middleware: Iterable[Middleware]) -> bool:
    """Whether something asks who calls and leaves open which provider says it."""
    if any(endpoint.guard.mode != "public" and not endpoint.guard.providers for endpoint in endpoints):
        return True
    asking = [model for model in middleware if model.kind in ("authentication", "authorization")]
    return any(not any(entry.name in _HOW for entry in model.settings) for model in asking)
