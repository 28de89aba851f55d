"""Collects diagnostics of the analysis."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Container, Iterable, Sequence
from typing import Final

from codeai.language.diagnostics import HERE, PROGRAM, Diagnostic, DiagnosticClass, Edit, Severity, Span, Subject
from codeai.language.elsewhere import instead, nearest_or_meant
from codeai.language.tree.expressions import Missing
from codeai.language.tree.module import Gap
from codeai.language.tree.node import Node, Reference

_GUARDS: Final = ("CAI0109", "CAI0116", "CAI0128")  # who may come in is never guessed
_FEW: Final = 24  # names that are shown where none of them is near
# How what is named is declared, by what messages call it.
_DECLARED: Final = {
    "auth provider": "auth {} {{ method: jwt  secret: secret(JWT_SECRET) }}",
    "entity": "entity {} {{ id: uuid, primary, auto }}",
    "event": "event {} {{ payload {{ … }} }}",
    "integration": "integration {} {{ base_url: …  operation … {{ … }} }}",
    "job": "job {} {{ schedule: every 1h  do {{ … }} }}",
    "middleware": "middleware {} {{ type: rate_limiting  requests: 100  window: 1m }}",
    "queue": "config {{ jobs {{ queues {{ {}: 1 }} }} }}",
    "role": 'role {} {{ permissions: ["posts:*"] }}',
    "webhook": "webhook {} {{ event: …  url: … }}",
    "workflow": "workflow {} {{ steps {{ … }} }}",
}
_MISSPELT: Final = ("CAI0031", "CAI0106", "CAI0118", "CAI0127")


class Reporter:
    """A list of findings with one method per weight; ``syntax`` are those of the parser, so that one mistake is one error.

    :param declares: whether who reads the findings may declare what is missing; who sends a query may not
    """

    def __init__(self, syntax: Sequence[Diagnostic] = (), gaps: Iterable[Gap] = (), *, declares: bool = True) -> None:
        self._declares = declares
        self.diagnostics: list[Diagnostic] = []
        self._errors = sorted(found.primary.start for found in syntax if found.severity is Severity.ERROR)
        self._reasons = list(self._errors)
        self._gaps = sorted(gap.start for gap in gaps)
        self._said: set[tuple[str, int, int, str]] = set()

    def error(
        self,
        node: Node,
        message: str,
        code: str,
        *,
        kind: DiagnosticClass = DiagnosticClass.SEMANTIC,
        help_text: str = "",
        note: str = "",
        other: Node | None = None,
        label: str = "",
        severity: Severity = Severity.ERROR,
        edits: tuple[Edit, ...] = (),
        expected: tuple[str, ...] = (),
        subject: Subject | None = None,
    ) -> None:
        """Adds an error (or a finding of another severity) at a node; ``other`` is a second place with its ``label``. What the parser
        put in the place of broken text is reported already.
        """
        if isinstance(node, Missing):
            return
        same = (code, node.start, node.end, message)
        if same in self._said:
            return
        self._said.add(same)
        if severity is Severity.ERROR:
            insort(self._errors, node.start)
        if code in _MISSPELT:
            insort(self._reasons, node.start)
        secondary = (Span(other.start, other.end, label),) if other is not None else ()
        self.diagnostics.append(
            Diagnostic(
                code,
                kind,
                message,
                Span(node.start, node.end),
                severity=severity,
                secondary=secondary,
                help=help_text,
                note=note,
                edits=edits,
                expected=expected,
                subject=subject,
            )
        )

    def forget(self, marks: int) -> None:
        """Takes back all findings but the first ``marks`` ones, as after a look ahead."""
        for found in self.diagnostics[marks:]:
            self._said.discard((found.code, found.primary.start, found.primary.end, found.message))
            if found.severity is Severity.ERROR:
                del self._errors[bisect_left(self._errors, found.primary.start)]
            if found.code in _MISSPELT:
                del self._reasons[bisect_left(self._reasons, found.primary.start)]
        del self.diagnostics[marks:]

    def touched(self, node: Node) -> bool:
        """Whether an error, of the text or of its meaning, lies within a node: what it gives is not known then."""
        return bisect_left(self._errors, node.start) < bisect_right(self._errors, node.end)

    @property
    def failed(self) -> bool:
        """Whether there is an error so far, so that what is not known may be so because of it."""
        return bool(self._errors)

    def torn(self, node: Node) -> bool:
        """Whether something within a node is not in the tree, since its text was not understood: what that would have said is not known."""
        return bisect_left(self._gaps, node.start) < bisect_left(self._gaps, node.end)

    def absent(
        self, inside: Node, place: Node, message: str, code: str, *, help_text: str = "", owner: str = HERE, lacking: Iterable[str] = ()
    ) -> None:
        """Adds an error about something that is missing inside a node, unless a misspelt name or broken text explains it."""
        if self.torn(inside) or bisect_left(self._reasons, inside.start) < bisect_left(self._reasons, inside.end):
            return
        self.error(place, message, code, help_text=help_text, subject=Subject("", owner, lacking=tuple(lacking)))

    def broken(self, node: Node) -> bool:
        """Whether there is an error within a node."""
        errors = (found.primary.start for found in self.diagnostics if found.severity is Severity.ERROR)
        return any(node.start <= at < node.end for at in errors)

    def warning(self, node: Node, message: str, code: str, *, help_text: str = "", subject: Subject | None = None) -> None:
        """Adds a warning."""
        self.error(node, message, code, help_text=help_text, severity=Severity.WARNING, subject=subject)

    def secret_in_text(self, node: Node, name: str) -> None:
        """Warns of a secret that stands in the text of the program; ``name`` is whose it is."""
        self.warning(node, "a secret stands in the text of the program", "CAI0119", help_text=f"write secret({name.upper()}_SECRET)")

    def unknown(
        self,
        node: Node,
        message: str,
        name: str,
        known: Iterable[str],
        code: str,
        *,
        kind: DiagnosticClass = DiagnosticClass.SEMANTIC,
        owner: str = PROGRAM,
        local: Container[str] | None = None,
        otherwise: str = "",
    ) -> str | None:
        """Adds an error about a name that nothing has, with the nearest known one, which it returns.

        :param owner: what should have it (see ``Subject``)
        :param local: which of the known names belong to the declaration at hand, where not all of them do
        :param otherwise: the help where none is near
        """
        known = list(known)
        near = nearest_or_meant(name, known)
        if local is not None:
            owner = HERE if near is None or near.name in local else PROGRAM
        subject = Subject(name, owner, near.name if near is not None else "")
        if isinstance(node, Reference) and node.quoted:
            advice = f"did you mean '{near.name}'?" if near is not None else "declare it; until then its use fails when it comes to it"
            self.warning(node, message, code, help_text=advice, subject=subject)
            return None
        if near is None:
            hint = instead(name, called=code == "CAI0110") or otherwise
            sample = _DECLARED.get(message.removeprefix("unknown ").removesuffix(f" '{name}'"), "") if name and self._declares else ""
            declared = f"declare it, as in '{sample.format(name)}'" if sample else ""
            known = [] if hint else known
            self.error(node, message, code, kind=kind, help_text=hint or declared, expected=_few(known), subject=subject)
            return None
        whole = node.end - node.start == len(name)
        edits = (Edit(node.start, node.end, near.name, near.sure and code not in _GUARDS),) if whole else ()
        self.error(node, message, code, kind=kind, help_text=f"did you mean '{near.name}'?", edits=edits, subject=subject)
        return near.name

    def duplicate(self, node: Node, name: str, first: Node, *, named: bool = False) -> None:
        """Adds the ScopeError about what is declared twice; what is ``named`` by the author may be named otherwise."""
        self.error(
            node,
            f"duplicate declaration '{name}'",
            "CAI0102",
            kind=DiagnosticClass.SCOPE,
            other=first,
            label="first declared here",
            help_text="call one of them otherwise, or leave it out" if named else "leave one of them out",
        )


def in_quotes(names: Iterable[str]) -> str:
    """Names as a message lists them."""
    return ", ".join(f"'{name}'" for name in names)


def _few(known: list[str]) -> tuple[str, ...]:
    """All names that would do, in quotes, where they are few enough to be read."""
    names = sorted(set(known))
    return tuple(f"'{name}'" for name in names) if len(names) <= _FEW else ()
