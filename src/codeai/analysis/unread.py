"""Clauses that older programs write and that nothing reads: each is said, with what does it instead."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from codeai.analysis.reporter import Reporter
from codeai.language.tree import declarations as d
from codeai.language.tree.node import Identifier

UNREAD: Final = {
    "integration": {
        "connect_timeout": "'timeout' bounds the whole call",
        "max_response": "answers are bounded for all integrations",
        "allow_private": "set CODEAI_OUTBOUND_ALLOW",
        "cache": "give it to the operations that read",
    },
    "operation": {"rate_limit": "give it to the integration"},
    "webhook": {"payload": "the payload is that of the event"},
    "job": {
        "delay": "begin with a step that sleeps",
        "rate_limit": "write 'concurrency'",
        "once": "workflows have it",
        "on_duplicate": "write 'overlap'",
    },
}


def report_unread(kind: str, clauses: Iterable[d.Clause], report: Reporter) -> None:
    """Warns of clauses of a declaration that change nothing."""
    for clause in clauses:
        key = getattr(clause, "key", None)
        name = key.text if isinstance(key, Identifier) else "rate_limit" if isinstance(clause, d.RateLimitClause) else ""
        advice = UNREAD[kind].get(name)
        if advice is not None:
            report.warning(clause, f"'{name}' of {'an' if kind[0] in 'io' else 'a'} {kind} is not used", "CAI0032", help_text=advice)


def report_unscheduled(clauses: Iterable[d.Clause], report: Reporter) -> None:
    """Warns of what a job without a schedule says about its ticks. ``overlap`` is also about runs of one key."""
    given = {clause.key.text: clause for clause in clauses if isinstance(clause, d.ValueClause)}
    for name in ("catch_up",) if "key" in given else ("catch_up", "overlap"):
        if name in given:
            said = f"'{name}' of a job without a schedule is not used"
            report.warning(given[name], said, "CAI0032", help_text=f"add 'schedule', or leave '{name}' out")
