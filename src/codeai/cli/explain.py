"""``codeai explain``: what the code of a finding, or of a refused token, means."""

from __future__ import annotations

import re
import sys
from typing import Final

import click
import msgspec

from codeai.auth.errors import AuthError, auth_error
from codeai.cli.main import fail
from codeai.language.codes import Entry, codes, entry
from codeai.language.suggestions import suggest

_FORMS: Final = {"script": "a script beside a program", "query": "query text", "bytes": "the bytes of a file"}


@click.command(
    "explain", help="Say what the code of a finding means, with a wrong and a right sample (CAI0102), or that of a refusal (AUTH001)."
)
@click.argument("code", required=False)
@click.option("--list", "listed", is_flag=True, help="List all codes.")
@click.option("--output", type=click.Choice(["text", "json"]), default="text", help="For people, or for programs.")
def command(code: str | None, listed: bool, output: str) -> None:
    """Explains a code, or lists all."""
    if listed == (code is not None):
        raise click.UsageError("name a code, or use --list")
    if code is None:
        found = [known for name in codes() if (known := entry(name)) is not None]
        lines = [f"{known.code}  {known.kind:<15} {known.severity:<8} {known.title}" for known in found]
        click.echo(msgspec.json.encode(found).decode() if output == "json" else "\n".join(lines))
        return
    page = entry(_normal(code))
    refusal = auth_error(code.strip().upper())
    if refusal is not None:
        click.echo(_refusal(refusal, output))
    elif page is None:
        near = suggest(_normal(code), codes())
        fail(f"there is no code '{code}'" + (f"; did you mean '{near}'?" if near else "; 'codeai explain --list' lists them"), 2)
    else:
        click.echo(msgspec.json.encode(page).decode() if output == "json" else _text(page, colour=sys.stdout.isatty()))


def _normal(code: str) -> str:
    """``102``, ``cai102`` and ``CAI0102`` are the same."""
    digits = re.fullmatch(r"(?:CAI)?(\d{1,4})", code.strip().upper())
    return f"CAI{int(digits[1]):04}" if digits else code.strip().upper()


def _refusal(found: type[AuthError], output: str) -> str:
    """What a refusal of a running server means."""
    facts = {"code": found.code, "title": found.text, "status": found.status, "text": found.__doc__ or "", "remedy": found.remedy}
    if output == "json":
        return msgspec.json.encode(facts).decode()
    return f"{found.code}: {found.text}\n\nStatus {found.status}\n\n{found.__doc__}\n\nWhat to do: {found.remedy}"


def _text(page: Entry, *, colour: bool) -> str:
    head = f"{page.code}: {page.title}"
    parts = [f"\x1b[1m{head}\x1b[0m" if colour else head, f"{page.kind}, {page.severity}", page.text]
    for name, sample in (("Wrong:", page.wrong), ("Right:", page.right)):
        if sample:
            name = f"{name[:-1]} ({_FORMS[page.form]}):" if page.form else name
            parts.extend([name, "\n".join(f"    {line}".rstrip() for line in sample.rstrip().split("\n"))])
    if page.see:
        parts.append("See also:\n" + "\n".join(f"    {code}  {near.title}" for code in page.see if (near := entry(code)) is not None))
    return "\n\n".join(parts)
