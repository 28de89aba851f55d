"""Who may call: providers and roles (language page, section 11)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from codeai.analysis import kinds as k
from codeai.analysis.circles import circles, shown
from codeai.analysis.configured import check_kind
from codeai.analysis.guarding import well_formed
from codeai.analysis.scope import Host, Scope
from codeai.analysis.workflows import Workflows
from codeai.language import types as t
from codeai.language.diagnostics import Severity
from codeai.language.tree import declarations as d
from codeai.language.tree import expressions as ex
from codeai.model import expression as ir
from codeai.model.endpoint import Endpoint
from codeai.model.integration import Middleware
from codeai.model.security import AuthProvider, Role

_ALGORITHMS: Final = ("HS256", "RS256", "ES256", "EdDSA")
_TOKENS: Final[dict[str, k.Kind]] = {
    **dict.fromkeys(("secret", "public_key", "jwks_url", "issuer"), k.TEXT),
    **dict.fromkeys(("roles_claim", "permissions_claim", "tenant_claim"), k.TEXT),
    "audience": k.TEXTS,
    "algorithms": k.Kind(", ".join(_ALGORITHMS), lambda node: getattr(node, "value", None) in _ALGORITHMS, _ALGORITHMS, list_=True),
    "require_exp": k.FLAG,
}
# What each method may be told.
_KEYS: Final[dict[str, dict[str, k.Kind]]] = {
    "jwt": _TOKENS,
    "oauth2": {**_TOKENS, "client_id": k.TEXT},
    "api_key": {"header": k.HEADER, "keys": k.TEXTS},
    "basic": {"users": k.USERS, "realm": k.TEXT},
}
# What each method cannot do without; a JWT provider may have all from the environment.
_NEEDED: Final = {"jwt": "", "api_key": "keys", "basic": "users", "oauth2": "issuer"}
_LISTS: Final = ("audience", "algorithms", "keys", "users")
_HOW: Final = ("provider", "auth", "method")
_MODES: Final = ("required", "optional", "public")


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
        method, misnamed = _method(node) or "jwt", False
        self.settings_once(node.settings)
        values = {setting.key.text: setting.value for setting in node.settings if setting.value is not None}
        if method not in _NEEDED or ("method" in values and not _method(node)):
            said = f"unknown auth method '{method}'" if _method(node) else "this is no auth method"
            near = self.report.unknown(values["method"], said, method, _NEEDED, "CAI0117")
            misnamed, method = near is None, near or "jwt"
        known = _KEYS[method]
        entries: list[ir.Entry] = []
        for setting in node.settings:
            key, value = setting.key.text, setting.value
            if key == "method":
                continue
            if misnamed:
                continue
            if key not in known:
                said = f"unknown setting '{key}' of auth '{node.name.text}'"
                of_others = {name for keys in _KEYS.values() for name in keys}
                self.report.unknown(setting.key, said, key, ("method", *known) if key not in of_others else (), "CAI0118")
            elif value is not None and check_kind(self.report, known[key], value, key):
                if key in ("secret", "keys") and isinstance(value, ex.StringLiteral):
                    self.report.secret_in_text(value, node.name.text)
                entries.append(ir.Entry(key, self._provider_setting(key, value, scope, addressed=method == "oauth2")))
        self._needs(node, method, values)
        return AuthProvider(name=node.name.text, method=method, settings=tuple(entries), at=node.start)  # type: ignore[arg-type]  # checked above

    def _needs(self, node: d.AuthDeclaration, method: str, values: Mapping[str, ex.Expression]) -> None:
        """What the method cannot do without, and keys that go with its algorithms."""
        wanted = _NEEDED[method]
        if node.name.text in _MODES:
            self.report.error(
                node.name, f"'{node.name.text}' is what every endpoint may say of auth", "CAI0102", help_text="call it otherwise"
            )
        if wanted and wanted not in values and not (method == "oauth2" and "jwks_url" in values):
            self.report.absent(node, node.name, f"auth '{node.name.text}' has no '{wanted}'", "CAI0136", help_text=f"give it '{wanted}'")
        algorithms = values.get("algorithms")
        shared, public = "secret" in values, "public_key" in values or "jwks_url" in values or method == "oauth2"
        for item in algorithms.items if isinstance(algorithms, ex.ListLiteral) and (shared or public) else ():
            if isinstance(item, ex.StringLiteral) and item.value in _ALGORITHMS:
                symmetric = item.value == "HS256"
                if not (shared and not public if symmetric else public):
                    needed = "'secret', and no key besides" if symmetric else "'public_key' or 'jwks_url'"
                    said = f"no token is checked by '{item.value}' here"
                    self.report.error(item, said, "CAI0127", severity=Severity.WARNING, help_text=f"that needs {needed}")

    def _provider_setting(self, key: str, node: ex.Expression, scope: Scope, *, addressed: bool) -> ir.Expression:
        """A setting of the type that its key says; a list of keys or users may be one text, as the environment has it.

        :param addressed: the issuer is asked where its keys are
        """
        if key in _LISTS:
            found = self.expression(node, scope)
            if not isinstance(t.required(found.type), t.String | t.List | t.Unknown | t.Json):
                self.report.error(node, f"type mismatch for '{key}': expected string or array, got {t.required(found.type)}", "CAI0301")
        else:
            found = self.value(node, scope, t.Bool() if key == "require_exp" else t.String(), f"'{key}'", nullable=False)
        if key == "jwks_url" or (key == "issuer" and addressed):
            self.check_address(node)
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
                for part in clause.names:
                    if clause.key.text == "inherits":
                        self.check_role(part)
                    else:
                        well_formed(part, self.report)
            found.append(Role(name=name, permissions=names.get("permissions", ()), inherits=names.get("inherits", ()), at=node.start))
        self._role_cycles({role.name: role.inherits for role in found})
        return tuple(found)

    def _role_cycles(self, inherits: dict[str, tuple[str, ...]]) -> None:
        for circle in circles(inherits):
            said = f"role '{circle[0]}' inherits from itself{shown(circle)}"
            self.report.error(self.symbols.roles[circle[0]].name, said, "CAI0213", help_text="leave one of these 'inherits' out")


def _method(node: d.AuthDeclaration) -> str:
    value = next((setting.value for setting in node.settings if setting.key.text == "method"), None)
    return value.text if isinstance(value, ex.Name) else value.value if isinstance(value, ex.StringLiteral) else ""


def _ask_anybody(endpoints: Iterable[Endpoint], middleware: Iterable[Middleware]) -> bool:
    """Whether something asks who calls and leaves open which provider says it."""
    if any(endpoint.guard.mode != "public" and not endpoint.guard.providers for endpoint in endpoints):
        return True
    asking = [model for model in middleware if model.kind in ("authentication", "authorization")]
    return any(not any(entry.name in _HOW for entry in model.settings) for model in asking)
