"""``codeai parse``."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import msgspec

from codeai.cli.main import fail
from codeai.language.parser import parse_module
from codeai.language.rendering.concise import concise
from codeai.language.source import Sources


@click.command("parse", help="Show the syntax tree of FILE ('-' reads standard input).")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--output", type=click.Choice(["json", "text"]), default="json", help="For programs, or for people.")
def command(file: Path, output: str) -> None:
    """Parses a file."""
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        fail(f"cannot read '{file}': {getattr(error, 'strerror', None) or 'it is no UTF-8 text'}", 2)
        return
    sources = Sources()
    parsed = parse_module(sources.add(str(file), text.replace("\r\n", "\n")))
    for found in parsed.diagnostics:
        click.echo(concise(found, sources), err=True)
    encoded = msgspec.json.encode(parsed.module)
    click.echo(msgspec.json.format(encoded, indent=2) if output == "json" else "\n".join(_outline(msgspec.json.decode(encoded))))
    sys.exit(1 if parsed.diagnostics else 0)


def _outline(node: object, depth: int = 0) -> list[str]:
    if isinstance(node, list):
        return [line for item in node for line in _outline(item, depth)]
    if not isinstance(node, dict):
        return []
    plain = " ".join(str(value) for key, value in node.items() if key not in ("node", "start", "end") and isinstance(value, str | int))
    lines = [f"{'  ' * depth}{node.get('node', '?')} {node.get('start')}-{node.get('end')} {plain}".rstrip()]
    for value in node.values():
        lines.extend(_outline(value, depth + 1))
    return lines
