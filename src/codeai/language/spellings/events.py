"""Clauses of events and webhooks in older files, and ``retry`` as older files write it everywhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import msgspec

from codeai.language.lexer import DECIMAL, DURATION, INTEGER, NAME, STRING
from codeai.language.spellings import values
from codeai.language.suggestions import nearest, suggest
from codeai.language.tree import declarations as d
from codeai.language.tree import expressions as ex
from codeai.language.tree import workflows as w
from codeai.language.tree.node import Identifier

if TYPE_CHECKING:
    from codeai.language.parser.clauses import Clauses

_VALUES: Final = (STRING, DURATION, DECIMAL, INTEGER)
_KEYS: Final = ("initial_interval", "max_interval", "backoff", "backoff_multiplier", "multiplier", "jitter")


def _schema(p: Clauses) -> tuple[d.Clause, ...]:
    """``schema { a uuid }`` is ``payload { a: uuid }``."""
    key = p.key()
    p.older(key.start, key.end, "payload { … }")
    p.expect("{", "'{'")
    fields = p.items(p.field)
    return (d.InputClause(key.start, p.previous_end, Identifier(key.start, key.end, "payload"), fields),)


def retry(p: Clauses) -> tuple[d.Clause, ...] | None:
    """``retry 5 initial_interval "1s" backoff 2.0`` and ``retry { max_attempts 3 … }``."""
    ahead = 2 if p.kind_at(1) == ":" else 1
    if p.kind_at(ahead) == "{":
        return (_block(p),)
    if p.kind_at(ahead) != INTEGER or _says_times(p, ahead + 1):
        return None
    key = p.key()
    times = p.literal()
    assert times is not None  # an integer
    settings: list[d.Setting] = []
    while p.at(NAME) and (p.texts[p.i] in _KEYS or (not p.breaks[p.i] and p.kind_at(1) in _VALUES)):
        if p.texts[p.i] not in _KEYS and suggest(p.texts[p.i], _KEYS) is None:
            break  # the next clause of the line
        name = p.identifier()
        if name.text not in _KEYS:
            p.unknown("setting", name, _KEYS, "CAI0013")
        p.take(":")
        if p.at("{"):
            p.fail_expected("a duration or a number")
        value = p.expression()
        settings.append(_setting(p, d.Setting(name.start, value.end, name, value)))
    p.older(key.start, p.previous_end, "retry: … times")
    return (w.RetryClause(key.start, p.previous_end, times, None, tuple(settings)),)


def _says_times(p: Clauses, ahead: int) -> bool:
    """Whether ``times`` stands there, if misspelt: that is the canonical form, too."""
    word = p.text_at(ahead)
    if p.kind_at(ahead) != NAME or word in ("times", "time"):
        return p.kind_at(ahead) == NAME
    return not p.breaks_at(ahead) and word not in _KEYS and nearest(word, ("times",)) is not None


def _block(p: Clauses) -> d.Clause:
    key = p.key()
    times: ex.Expression | None = None
    settings: list[d.Setting] = []
    for setting in p.settings():
        if setting.key.text == "max_attempts" and setting.value is not None and times is None:
            if not isinstance(setting.value, ex.IntLiteral):
                p.report("'max_attempts' is a number of times", "CAI0010", setting.value.start, setting.value.end)
            times = setting.value
            p.older(setting.start, setting.end, "retry: … times")
        else:
            settings.append(_setting(p, setting))
    return w.RetryClause(key.start, p.previous_end, times, None, tuple(settings))


def _setting(p: Clauses, setting: d.Setting) -> d.Setting:
    """``backoff 2.0`` is a multiplier; intervals may be quoted."""
    name, value = setting.key.text, setting.value
    number = isinstance(value, ex.IntLiteral | ex.DecimalLiteral)
    if name == "multiplier" or (name == "backoff" and number):
        p.older(setting.key.start, setting.key.end, "backoff_multiplier")
        return msgspec.structs.replace(setting, key=msgspec.structs.replace(setting.key, text="backoff_multiplier"))
    return setting if value is None else msgspec.structs.replace(setting, value=values.setting(p, name, value))


def retry_delays(p: Clauses) -> tuple[d.Clause, ...] | None:
    """``retry_delays: ["1s", "5s"]``: as many tries, each after its delay."""
    key = p.key()
    start = p.start
    listed = p.expression()
    items = listed.items if isinstance(listed, ex.ListLiteral) else ()
    delays = [found for found in (values.duration(p, item, seconds=True) for item in items) if isinstance(found, ex.DurationLiteral)]
    if not delays or len(delays) != len(items):
        p.report("'retry_delays' takes durations, as in [1s, 5s]", "CAI0024", start, p.previous_end)
        return ()
    each = ex.ListLiteral(start, p.previous_end, tuple(delays))
    setting = d.Setting(start, p.previous_end, Identifier(start, start, "delays"), each)
    p.older(key.start, p.previous_end, f"retry: {len(delays)} times {{ delays: … }}")
    return (w.RetryClause(key.start, p.previous_end, ex.IntLiteral(start, start, len(delays)), None, (setting,)),)


def retries_together(clauses: tuple[d.Clause, ...]) -> tuple[d.Clause, ...]:
    """``retry: 3 times`` and ``retry_delays: [1s, 5s]`` beside each other say one thing: ``retry: 3 times { delays: [1s, 5s] }``."""
    retries = [clause for clause in clauses if isinstance(clause, w.RetryClause)]
    listed = next((one for one in retries if len(one.settings) == 1 and one.settings[0].key.start == one.settings[0].key.end), None)
    other = next((one for one in retries if one is not listed), None)
    if len(retries) != 2 or listed is None or other is None or other.settings or other.backoff is not None:
        return clauses
    delays = listed.settings[0].value
    at = other.end
    items = tuple(msgspec.structs.replace(item, start=at, end=at) for item in delays.items) if isinstance(delays, ex.ListLiteral) else ()
    setting = d.Setting(at, at, Identifier(at, at, "delays"), ex.ListLiteral(at, at, items))
    merged = msgspec.structs.replace(other, settings=(setting,))
    return tuple(merged if clause is other else clause for clause in clauses if clause is not listed)


_Spelling = Callable[["Clauses"], "tuple[d.Clause, ...] | None"]
EVENT: Final[dict[str, _Spelling]] = {"schema": _schema}
RETRY: Final[dict[str, _Spelling]] = {"retry": retry}
