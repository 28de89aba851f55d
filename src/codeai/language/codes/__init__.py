"""The registry of diagnostic codes: what each means, with a wrong and a right sample.

Every code has a page of its own beside this file, ``CAI0102.md``: a title, its class and severity, the long text (what the finding
means, why it is one, how it is mended), two programs, and codes that are near. Pages are read when somebody asks for them. The tests
hold that each code of the compiler has a page, that the wrong sample gives exactly this code, and the right one none. The numbers:
``00xx`` text and syntax, ``01xx`` names, ``02xx`` types and fields, ``03xx`` expressions and statements, ``04xx`` this version, ``05xx``
endpoints and settings, ``06xx`` events, workflows, jobs and integrations.
"""

from __future__ import annotations

import re
from importlib.resources import files
from typing import Final

import msgspec

from codeai.language.diagnostics import DiagnosticClass, Severity

_PAGE: Final = re.compile(
    r"# (?P<title>.+)\n\n(?P<kind>\w+), (?P<severity>\w+)\n\n(?P<text>.+?)\n"
    r"\n## Wrong\n\n```cai ?(?P<form>\w*)\n(?P<wrong>.*?)```\n\n## Right\n\n```cai ?(?P=form)\n(?P<right>.*?)```\n"
    r"(?:\nSee also: (?P<see>[^\n]+)\n)?",
    re.DOTALL,
)


class Entry(msgspec.Struct, frozen=True):
    """A code: ``kind`` and ``severity`` are what it has in programs (query text has classes of its own). ``form`` says what its samples
    are: nothing for programs, else ``script`` (beside a program), ``query`` (text at run time), ``bytes`` (some written as escapes).
    ``see`` are codes that are near.
    """

    code: str
    title: str
    kind: DiagnosticClass
    severity: Severity
    text: str
    wrong: str
    right: str
    form: str = ""
    see: tuple[str, ...] = ()


def codes() -> tuple[str, ...]:
    """All codes, in order."""
    return tuple(sorted(page.name.removesuffix(".md") for page in files(__package__).iterdir() if page.name.endswith(".md")))


def entry(code: str) -> Entry | None:
    """What is known of a code, or None.

    :raises ValueError: its page is not written as it must be (the tests find that)
    """
    page = files(__package__) / f"{code}.md"
    if not re.fullmatch(r"CAI\d{4}", code) or not page.is_file():
        return None
    content = page.read_text(encoding="utf-8")
    found = _PAGE.fullmatch(content)
    if found is None:
        raise ValueError(f"the page of {code} is malformed")
    parts = found.groupdict(default="")
    return Entry(
        code,
        parts["title"],
        DiagnosticClass(parts["kind"]),
        Severity(parts["severity"]),
        parts["text"],
        parts["wrong"],
        parts["right"],
        parts["form"],
        tuple(parts["see"].split(", ")) if parts["see"] else (),
    )
