"""The settings of ``config``: their types, those that the language knows, and secrets among them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, TypeVar

from codeai.analysis.scope import Host, Scope
from codeai.analysis.security import Security
from codeai.language import types as t
from codeai.language.tree import declarations as d
from codeai.language.tree import expressions as ex
from codeai.language.tree.node import Identifier, Node
from codeai.model import expression as ir
from codeai.model.application import Setting
from codeai.model.endpoint import Segment

_Declaration = TypeVar("_Declaration", bound=d.Declaration)
_DATABASES = ("postgres", "postgresql", "sqlite", "mongodb")
_SECRET_KEYS: Final = ("secret", "password", "database_password", "keys", "token", "client_secret", "private_key")
_PASSWORD_OF_URL: Final = re.compile(r"[a-z][a-z0-9+.-]*://[^\s/@:]*:[^\s/@]+@")


class Settings(Security):
    """Elaborates ``config``."""

    declarations: list[d.Declaration]

    def _of(self, kind: type[_Declaration]) -> list[_Declaration]:
        return [declaration for declaration in self.declarations if isinstance(declaration, kind)]

    def _all_settings(self) -> list[d.Setting]:
        return [setting for config in self._of(d.ConfigDeclaration) for setting in config.settings]

    def _config_text(self, key: str) -> str | None:
        for setting in self._all_settings():
            if setting.key.text == key and isinstance(setting.value, ex.StringLiteral):
                return setting.value.value
        return None

    def _settings_types(self) -> None:
        seen: dict[tuple[str, ...], Node] = {}

        def walk(setting: d.Setting, path: tuple[str, ...]) -> None:
            here = (*path, setting.key.text)
            if here in seen:
                self.report.duplicate(setting.key, ".".join(here), seen[here])
            seen[here] = setting.key
            if setting.value is not None and not isinstance(setting.value, ex.Name):
                self.symbols.settings[here] = self._quiet_type(setting.value)
            elif isinstance(setting.value, ex.Name):
                self.symbols.settings[here] = t.String()
            for child in setting.children:
                walk(child, here)

        for setting in self._all_settings():
            walk(setting, ())
        self._known_settings()

    def _quiet_type(self, node: ex.Expression) -> t.Type:
        marks, wanted = len(self.report.diagnostics), len(self.requirements)
        found = self.expression(node, Scope(Host("config", user=False, database=False))).type
        self.report.forget(marks)
        del self.requirements[wanted:]
        return found

    def _known_settings(self) -> None:
        for setting in self._all_settings():
            key, value = setting.key.text, setting.value
            if key == "default_auth":
                text = value.text if isinstance(value, ex.Name) else ""
                if text in ("public", "required", "optional"):
                    self.default_auth = text
                else:
                    self.report.error(setting, "'default_auth' is public, optional or required", "CAI0505")
            elif key == "api_prefix" and isinstance(value, ex.StringLiteral):
                self.prefix = tuple(Segment(part) for part in value.value.split("/") if part)
            elif key == "database":
                kind = value.text if isinstance(value, ex.Name) else value.value if isinstance(value, ex.StringLiteral) else None
                if value is not None and kind not in _DATABASES:
                    said = f"unknown database '{kind}'" if kind is not None else f"'database' is {', '.join(_DATABASES)}"
                    advice = "write 'database: postgres { url: env(DATABASE_URL) }'" if kind is not None and "://" in kind else ""
                    self.report.unknown(value, said, kind or "", _DATABASES, "CAI0127", otherwise=advice)
            elif key == "language" and not (isinstance(value, ex.IntLiteral) and value.value == 1):
                self.report.error(
                    setting, "this compiler knows edition 1 of the language", "CAI0513", help_text="write 'language: 1', or leave it out"
                )

    def _settings(self) -> tuple[Setting, ...]:
        found: list[Setting] = []
        scope = Scope(Host("config", user=False, database=False))

        def walk(setting: d.Setting, path: tuple[str, ...]) -> None:
            here = (*path, setting.key.text)
            if isinstance(setting.value, ex.StringLiteral) and is_secret(setting.key.text, setting.value.value):
                self.report.secret_in_text(setting.value, path[-1] if path else "app")
            if isinstance(setting.value, ex.Name):
                value: ir.Expression = ir.Constant(type=t.String(), value=setting.value.text, at=setting.value.start)
                found.append(Setting(path=here, value=value, at=setting.start))
            elif setting.value is not None:
                found.append(Setting(path=here, value=self.expression(setting.value, scope), at=setting.start))
            for child in setting.children:
                walk(child, here)

        for setting in self._all_settings():
            if not (setting.key.text == "auth" and isinstance(setting.value, ex.Name)):  # that is a provider
                walk(setting, ())
        return tuple(found)


def configured_providers(declarations: Sequence[d.Declaration]) -> list[d.AuthDeclaration]:
    """The providers that ``config { auth: jwt { … } }`` declares, called by their method."""
    found: list[d.AuthDeclaration] = []
    for config in declarations:
        for setting in config.settings if isinstance(config, d.ConfigDeclaration) else ():
            method = setting.value
            if setting.key.text == "auth" and isinstance(method, ex.Name):
                at = method.start, method.end
                settings = (d.Setting(*at, Identifier(*at, "method"), method), *setting.children)
                found.append(d.AuthDeclaration(setting.start, setting.end, "", Identifier(*at, method.text), settings))
    return found


def is_secret(key: str, text: str) -> bool:
    """Whether a literal text is a secret: where one belongs, or as the password of an address. Older files write ``"$NAME"``."""
    if text.startswith("$") or not text:
        return False
    return key in _SECRET_KEYS or _PASSWORD_OF_URL.match(text) is not None
