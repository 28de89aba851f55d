"""The grammar of the canonical form, for other tools: the Lark file beside this module, and the same rules as EBNF."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import Final

_RULE: Final = re.compile(r"[?!]?(_?[A-Za-z_]+?_?)(?:\.[0-9]+)?: (.+)", re.DOTALL)
_ALIAS: Final = re.compile(r" -> [a-z_]+")


def lark_text() -> str:
    """The grammar in Lark's notation, LALR(1) with a contextual lexer."""
    return (files(__package__) / "codeai.lark").read_text(encoding="utf-8")


def ebnf() -> str:
    """The rules and terminals in extended Backus-Naur form; terminals in capitals, as regular expressions between slashes."""
    rules: list[str] = []
    for line in lark_text().splitlines():
        if line.startswith("    |"):
            rules[-1] += f"\n{line}"
        elif line and not line.startswith(("//", "%")):
            rules.append(line)
    written: list[str] = []
    for rule in rules:
        found = _RULE.fullmatch(rule)
        assert found is not None, rule
        written.append(f"{found[1]} ::= {_ALIAS.sub('', found[2])}")
    return "\n".join(written) + "\n"
