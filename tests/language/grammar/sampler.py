"""Random sentences of the Lark grammar: a walk through its rules, with a table of texts for the terminals."""

import random
from collections.abc import Mapping
from typing import Any

from lark import Lark
from lark.grammar import NonTerminal

# Separators and continuations are written as the formatter writes them.
TEXTS: Mapping[str, tuple[str, ...]] = {
    "_LEAD": ("// a comment\n", "\n"),
    "_SEP": ("\n", "\n\n", "  // behind\n", "\n// own line\n", "  "),
    "_LB": ("{ ", "{\n    ", "{  // behind\n    "),
    "_RB": (" }", "\n}"),
    "_ELSE": (" else", "\n    else"),
    "_THEN": (" ?", "\n    ?"),
    "_OTHERWISE": (" :", "\n    :"),
    "_WHERE": (" where ", "\n        where "),
    "WHERE_ALL": (" where all",),
    "_AND": (" and ", " and\n    "),
    "_OR": (" or ",),
    "_UNLESS": (" unless",),
    "_IF_PROVIDED": (" if provided",),
    "_MODIFIED": (", ",),
    "MODIFIER": ("required", "unique", "searchable", "read_only"),
    "PUBLIC": ("public",),
    "ACTION": ("list", "create"),
    "IS_UNIQUE": (" is unique",),
    "EXISTS": (" exists",),
    "STATUS": (" status",),
    "LEVEL": ("info ", "warn "),
    "AS_USER": ("as user",),
    "AS_SYSTEM": (" as system",),
    "WITH_DELETED": (" with deleted",),
    "WITH": (" with ",),
    "JOIN": (" join ", "\n        join "),
    "SEARCH": (" search ",),
    "HAVING": (" having ",),
    "LIMIT": (" limit ", "\n        limit "),
    "OFFSET": (" offset ",),
    "EMIT_CALL": ("emit(",),
    "GROUP_BY": (" group by ",),
    "ORDER_BY": (" order by ",),
    "SET": (" set ",),
    "EVERY": ("every",),
    "SCHEDULE_NAME": ("@daily",),
    "AT_TIME": ("at",),
    "COUNT_ALL": ("count(*)",),
    "SELECT_COLUMNS": ("select",),
    "METHOD": ("GET", "POST"),
    "PATH": ("/things ", "/things/{id} ", "/a/b "),
    "OPERATOR": (" == ", " < ", " in ", " contains ", " not in "),
    "IS_NULL": (" is null", " is not null"),
    "MARKED": ("@deprecated", "@internal"),
    "ANNOTATED": ("@summary", "@tag"),
    "SHAPE": ("create", "partial"),
    "CHOICE": ("pick", "omit"),
    "SIZED": ("string", "decimal"),
    "OF_TYPE": ("list", "map"),
    "ENUM": ("enum",),
    "REF": ("ref",),
    "MANY": ("many",),
    "AGGREGATE_OF": ("count", "sum"),
    "AGGREGATE": ("count", "sum"),
    "SELECTION": ("select", "first", "exists"),
    "QUOTED": ('"alpha.beta"',),
    "FROM": (" from ",),
    "GET": ("get",),
    "CREATE": ("create",),
    "CALL": ("call",),
    "RETURN_ALONE": ("return\n",),
    "SHELL": ("exec { ls -l \"$alpha\" | grep '}' }", 'exec {\n  cd "${HOME}" # what\'s this\n  ls\n}'),
    "SIGN": ("+", "-", "\n    +"),
    "TIMES": ("*", "/", "\n    *"),
    "BOOL": ("true", "false"),
    "NULL": ("null",),
    "NAME": ("alpha", "beta", "gamma", "Delta", "epsilon_2"),
    "KEY": ("Content-Type", "X-A"),
    "INTEGER": ("1", "42", "404"),
    "DECIMAL": ("3.14", "1e6"),
    "DURATION": ("5m", "1h30m"),
    "SIZE": ("10mb",),
    "RAW": ('"""raw {text}"""',),
    "STRING": ('"text"', "'other'", '"with {alpha}"', '""'),
}


class Sampler:
    """Writes sentences.

    :param grammar: the compiled grammar
    :param depth: from here on, the shortest alternative is taken
    """

    def __init__(self, grammar: Lark, depth: int) -> None:
        self._choose = random.Random()
        self._depth = depth
        self._rules: dict[str, list[list[Any]]] = {}
        for rule in grammar.rules:
            self._rules.setdefault(rule.origin.name, []).append(list(rule.expansion))
        self._fixed = {terminal.name: terminal.pattern.value for terminal in grammar.terminals if terminal.pattern.type == "str"}
        self._heights = self._measured()

    def _measured(self) -> dict[str, int]:
        """How high the smallest tree of each rule is."""
        heights: dict[str, int] = {}
        changed = True
        while changed:
            changed = False
            for name, alternatives in self._rules.items():
                known = [self._height(symbols, heights) for symbols in alternatives]
                best = min((height for height in known if height is not None), default=None)
                if best is not None and best + 1 < heights.get(name, 10_000):
                    heights[name] = best + 1
                    changed = True
        return heights

    @staticmethod
    def _height(symbols: list[Any], heights: dict[str, int]) -> int | None:
        found = [heights.get(symbol.name) if isinstance(symbol, NonTerminal) else 0 for symbol in symbols]
        return None if None in found else max((height for height in found if height is not None), default=0)

    def sentence(self, rule: str, seed: int) -> str:
        """The sentence of a rule for a seed, its words apart where they would run together."""
        self._choose.seed(seed)
        parts: list[str] = []
        self._write(rule, 0, parts)
        text = ""
        for part in parts:
            apart = text[-1:] and part[:1] and (text[-1].isalnum() or text[-1] in "_\"'") and (part[0].isalnum() or part[0] in "_\"'/")
            text += f" {part}" if apart or (text[-1:] in "+*/-=" and part[:1] not in " \n") or part[:1] in "+*/-=?" else part
        return text

    def _write(self, rule: str, depth: int, parts: list[str]) -> None:
        alternatives = self._rules[rule]
        if depth > self._depth:
            least = min(self._height(symbols, self._heights) or 0 for symbols in alternatives)
            alternatives = [symbols for symbols in alternatives if (self._height(symbols, self._heights) or 0) == least]
        for symbol in self._choose.choice(alternatives):
            if isinstance(symbol, NonTerminal):
                self._write(symbol.name, depth + 1, parts)
            else:
                parts.append(self._choose.choice(TEXTS[symbol.name]) if symbol.name in TEXTS else self._fixed[symbol.name])
