"""The keys of ``config`` that the server knows: what each may be, and keys that nothing reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from codeai.analysis import kinds as k
from codeai.analysis.addresses import written_address
from codeai.analysis.reporter import Reporter
from codeai.analysis.symbols import Symbols
from codeai.language.diagnostics import HERE, Severity, Subject
from codeai.language.suggestions import nearest
from codeai.language.tree import declarations as d
from codeai.language.tree import expressions as ex

# What the keys are that the server reads.
SETTINGS: Final[Mapping[tuple[str, ...], k.Kind]] = {
    ("name",): k.TEXT,
    ("version",): k.TEXT,
    ("api_prefix",): k.PATH,
    ("server", "host"): k.TEXT,
    ("server", "port"): k.PORT,
    ("server", "workers"): k.whole(1, 1_000, text=True),
    ("server", "request_timeout"): k.DURATION,
    ("server", "body_timeout"): k.DURATION,
    ("server", "max_body"): k.SIZE,
    ("server", "shutdown_timeout"): k.DURATION,
    ("logging", "level"): k.choice("debug", "info", "warn", "error"),
    ("logging", "format"): k.choice("json", "text"),
    ("logging", "output"): k.TEXT,
    ("logging", "add_source"): k.FLAG,
    ("database", "url"): k.DATABASE,
    ("database", "pool_size"): k.whole(1, 10_000, text=True),
    ("database", "host"): k.TEXT,
    ("database", "port"): k.PORT,
    ("database", "user"): k.TEXT,
    ("database", "password"): k.TEXT,
    ("database", "name"): k.TEXT,
    ("cache",): k.choice("memory", "redis"),
    ("cache", "url"): k.REDIS,
    ("cache", "ttl"): k.DURATION,
    ("cache", "prefix"): k.TEXT,
    ("cache", "items"): k.whole(1, 100_000_000, text=True),
    ("cache", "size"): k.SIZE,
    **{("cors", name): kind for name, kind in k.CORS.items()},
    ("jobs", "concurrency"): k.whole(1, 10_000, text=True),
}
_WEIGHT: Final = k.whole(1, 1_000, text=True)
_SECTIONS: Final = {path[0] for path in SETTINGS if len(path) == 2}
_PLAIN: Final = ("database", "cache")  # sections whose kind stands before the brace
_FREE: Final = ("language", "auth", "default_auth", "metrics", "tracing", "scheduler")
# What people write at the top, and where the server reads it.
_ELSEWHERE: Final = {
    "timeout": "write 'server { request_timeout: 30s }'",
    "max_body": "write 'server { max_body: 1mb }'",
    "queues": "write 'jobs { queues { … } }'",
    "rate_limit": "declare a middleware of type rate_limiting",
}
KNOWN: Final = (*_FREE, *dict.fromkeys(path[0] for path in SETTINGS))


def report_settings(settings: Iterable[d.Setting], symbols: Symbols, report: Reporter) -> None:
    """Reports values of another kind than their key says, and warns of keys that nothing reads.

    Unknown keys at the top are the program's own, so that only those are suspicious that are a letter away from a known one.
    """
    for setting in settings:
        key = setting.key.text
        if key not in KNOWN and f"setting {key}" not in symbols.used:
            _suspicious(setting, report)
        check_setting(report, (key,), setting)
        if key in _SECTIONS:
            _section(setting, symbols, report)


_SHAPES: Final = {"cors": "as in 'cors { origins: [\"https://shop.example\"] }'"}


def _section(setting: d.Setting, symbols: Symbols, report: Reporter) -> None:
    key, value = setting.key.text, setting.value
    if value is not None and key not in _PLAIN and not isinstance(value, ex.MapLiteral):
        report.error(value, f"'{key}' takes settings in braces", "CAI0505", help_text=_SHAPES.get(key, f"as in {key} {{ … }}"))
    if key == "cors":
        check_credentials({child.key.text: child.value for child in setting.children if child.value is not None}, report)
    known = [path[1] for path in SETTINGS if path[0] == key and len(path) == 2]
    for child in setting.children:
        if (key, child.key.text) == ("jobs", "queues"):
            _queues(child, report)
        elif (key, child.key.text) in SETTINGS:
            check_setting(report, (key, child.key.text), child)
        elif f"setting {key}" not in symbols.used:
            _unread(child, [*known, "queues"] if key == "jobs" else known, report)


def check_setting(report: Reporter, path: tuple[str, ...], setting: d.Setting) -> None:
    """Reports a value that is of another kind than the server reads."""
    kind = SETTINGS.get(path)
    if kind is None or setting.value is None:
        return
    stated = _stated(setting.value)
    check_kind(report, kind if stated is setting.value else k.by_environment(kind), stated, path[-1])


def _stated(value: ex.Expression) -> ex.Expression:
    """A value, or what ``env(NAME, "…")`` gives where the environment says nothing."""
    written = written_address(value)
    return written[0] if written is not None and isinstance(written[0], ex.Expression) else value


def check_kind(report: Reporter, kind: k.Kind, node: ex.Expression, what: str) -> bool:
    """Whether a value is of a kind, as far as the text of the program says; reports it otherwise."""
    found = k.misfit(kind, node)
    if found is None:
        return True
    if found.word and kind.words:
        one = what.removesuffix("s") if kind.list_ else what
        report.unknown(found.node, f"unknown {one} '{found.word}'", found.word, kind.words, "CAI0127")
    else:
        said = "is one of" if kind.words else "takes"
        report.error(found.node, f"'{what}' {said} {found.wanted}", "CAI0505", help_text=found.advice)
    return False


def check_credentials(values: Mapping[str, ex.Expression], report: Reporter) -> None:
    """Browsers refuse credentials for everybody (Fetch standard, section 3.3.5)."""
    given = values.get("credentials")
    for key in ("origins", "headers", "methods") if isinstance(given, ex.BooleanLiteral) and given.value else ():
        node = values.get(key)
        for item in node.items if isinstance(node, ex.ListLiteral) else (node,):
            if isinstance(item, ex.StringLiteral) and item.value in ("*", "null"):
                report.error(item, f"credentials need named {key}", "CAI0505", help_text="name them, or leave 'credentials' out")
                return


def _queues(queues: d.Setting, report: Reporter) -> None:
    if queues.value is not None and not isinstance(queues.value, ex.MapLiteral):
        report.error(
            queues.value, "'queues' takes names and weights in braces", "CAI0505", help_text="as in queues { critical: 6, low: 1 }"
        )
    for queue in queues.children:
        value = _stated(queue.value) if queue.value is not None else None
        if value is None or k.misfit(_WEIGHT, value) is not None:
            report.error(queue, f"queue '{queue.key.text}' has a weight from 1 to 1,000", "CAI0505")


def _unread(setting: d.Setting, known: list[str], report: Reporter) -> None:
    """Inside of a section nothing is the program's own."""
    near = nearest(setting.key.text, known)
    advice = f"did you mean '{near.name}'?" if near is not None else f"known are {', '.join(known)}"
    about = Subject(setting.key.text, HERE, near.name if near is not None else "")
    report.warning(setting.key, f"nothing reads the setting '{setting.key.text}'", "CAI0135", help_text=advice, subject=about)


def _suspicious(setting: d.Setting, report: Reporter) -> None:
    if setting.key.text in _ELSEWHERE:
        said, about = f"nothing reads the setting '{setting.key.text}'", Subject(setting.key.text, HERE)
        report.warning(setting.key, said, "CAI0135", help_text=_ELSEWHERE[setting.key.text], subject=about)
        return
    near = nearest(setting.key.text, KNOWN)
    if near is not None:
        severity = Severity.WARNING if near.sure else Severity.HINT
        said, advice = f"nothing reads the setting '{setting.key.text}'", f"did you mean '{near.name}'?"
        about = Subject(setting.key.text, HERE, near.name)
        report.error(setting.key, said, "CAI0135", severity=severity, help_text=advice, subject=about)
