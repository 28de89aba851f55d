"""Open settings in older forms: kinds in headers, nested ``config``, flat keys of ``config``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from codeai.language.lexer import NAME, is_name
from codeai.language.operators import VALUES
from codeai.language.spellings import values
from codeai.language.spellings.words import MIDDLEWARE
from codeai.language.tree import expressions as ex
from codeai.language.tree.declarations import Setting
from codeai.language.tree.node import Identifier

if TYPE_CHECKING:
    from codeai.language.parser.cursor import Cursor

_UNUSED: Final = ("app_name",)


def kind(p: Cursor, key: str) -> tuple[Setting, ...]:
    """``auth n jwt { … }`` and ``middleware n cors { … }``: the kind in the header is a setting."""
    if not p.at(NAME) or p.kind_at(1) != "{" or p.breaks[p.i]:
        return ()
    word = p.variable()
    p.older(word.start, word.end, f"{key}: {MIDDLEWARE.get(word.text, word.text)}")
    return (_kind(word, key),)


def _kind(word: Identifier, key: str) -> Setting:
    value = ex.Name(word.start, word.end, MIDDLEWARE.get(word.text, word.text))
    return Setting(word.start, word.end, Identifier(word.start, word.end, key), value)


def flattened(p: Cursor, settings: tuple[Setting, ...], key: str) -> tuple[Setting, ...]:
    """The settings of an ``auth`` or ``middleware``: nested ``config { … }`` and ``jwks { url }`` belong to the outer block.

    :param key: the key of the kind, ``method`` or ``type``
    """
    found: list[Setting] = []
    for setting in settings:
        name, value = setting.key.text, setting.value
        if name == "description" and isinstance(value, ex.StringLiteral) and not p.described:
            p.older(setting.start, setting.end, "/// …")
            p.described = value.value
        elif name == "config" and setting.children:
            p.older(setting.key.start, setting.key.end, "settings without a nested 'config'")
            found.extend(flattened(p, setting.children, key))
        elif name == "jwks" and setting.children:
            found.extend(_key_set(p, setting))
        elif name in (key, "method") and isinstance(value, ex.Name) and value.text in MIDDLEWARE:
            p.older(value.start, value.end, MIDDLEWARE[value.text])
            found.append(msgspec.structs.replace(setting, value=msgspec.structs.replace(value, text=MIDDLEWARE[value.text])))
        elif value is not None:
            seconds = key == "type"
            found.append(msgspec.structs.replace(setting, value=values.setting(p, name, value, seconds=seconds)))
        else:
            found.append(setting)
    return tuple(found)


def _key_set(p: Cursor, setting: Setting) -> list[Setting]:
    p.older(setting.key.start, setting.key.end, "jwks_url: …")
    found: list[Setting] = []
    for child in setting.children:
        name = "jwks_url" if child.key.text == "url" else child.key.text
        value = values.setting(p, name, child.value) if child.value is not None else None
        found.append(msgspec.structs.replace(child, key=msgspec.structs.replace(child.key, text=name), value=value))
    return found


# -- config --------------------------------------------------------------------------------------------------------------


def config(p: Cursor, settings: tuple[Setting, ...]) -> tuple[Setting, ...]:
    """``config`` with flat keys: ``database_host`` and its like are settings of ``database``; ``scheduler`` is ``jobs``."""
    found: list[Setting] = []
    flat: list[Setting] = []
    for setting in settings:
        name = setting.key.text
        if name.startswith("database_") and setting.value is not None:
            flat.append(setting)
            if len(flat) == 1:
                found.append(setting)  # its place, for the nested form
        elif name == "scheduler" and setting.children:
            p.older(setting.key.start, setting.key.end, "jobs { … }")
            found.append(_durations(p, msgspec.structs.replace(setting, key=msgspec.structs.replace(setting.key, text="jobs"))))
        else:
            if name in _UNUSED or name.startswith("mongodb_"):
                p.warn(setting.key.start, setting.key.end, f"setting '{name}' is not used", "CAI0032", help_text=_instead(name))
            found.append(_durations(p, setting))
    return tuple(_database(p, flat) if flat and setting is flat[0] else setting for setting in found)


def _instead(name: str) -> str:
    return "write 'name: …'" if name == "app_name" else "documents are stored with the other entities"


def _durations(p: Cursor, setting: Setting) -> Setting:
    value = values.duration(p, setting.value) if setting.value is not None and setting.key.text in values.DURATIONS else setting.value
    return msgspec.structs.replace(setting, value=value, children=tuple(_durations(p, child) for child in setting.children))


def _database(p: Cursor, flat: list[Setting]) -> Setting:
    """``database: postgres { host: … }`` for the flat keys."""
    first = flat[0]
    store: ex.Expression = ex.Name(first.start, first.end, "postgres")
    children: list[Setting] = []
    for setting in flat:
        name = setting.key.text.removeprefix("database_")
        value = setting.value
        assert value is not None
        p.older(setting.key.start, setting.key.end, "database: postgres { … }" if name == "type" else f"database: postgres {{ {name}: … }}")
        if name == "type":
            text = value.value if isinstance(value, ex.StringLiteral) else None
            store = ex.Name(value.start, value.end, text) if text is not None and is_name(text) and text not in VALUES else value
        else:
            key = msgspec.structs.replace(setting.key, text=name)
            read = values.environment(p, value, "secret" if name == "password" else "env")
            children.append(msgspec.structs.replace(setting, key=key, value=read))
    return Setting(first.start, flat[-1].end, Identifier(first.key.start, first.key.end, "database"), store, tuple(children))
