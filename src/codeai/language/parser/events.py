"""Events, handlers, webhooks, integrations and middleware."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from codeai.language.diagnostics import Edit
from codeai.language.lexer import INTEGER, NAME, STRING
from codeai.language.parser import foreign_headers
from codeai.language.parser.workflows import Workflows
from codeai.language.spellings import descriptions, integrations
from codeai.language.spellings import events as older
from codeai.language.spellings import settings as spelled
from codeai.language.suggestions import nearest
from codeai.language.tree import declarations as d
from codeai.language.tree import events as ev
from codeai.language.tree import expressions as ex
from codeai.language.tree import integrations as i
from codeai.language.tree.node import Identifier, Reference

TARGETS: Final = ("workflow", "job", "integration", "webhook", "emit")


class Events(Workflows):
    """Parses what connects a program with others."""

    def _event(self, description: str, _: tuple[d.Annotation, ...]) -> d.Declaration:
        start = self.start
        self.i += 1
        self.unnamed = self.kinds[self.i] not in (NAME, STRING)
        name = self.event_reference()
        self.expect("{", "'{'")
        fields: list[d.FieldDeclaration] = []
        clauses = self.items(lambda: self._event_clause(fields))
        if fields:
            clauses = (*clauses, foreign_headers.payload(self, fields))
        return ev.EventDeclaration(start, self.previous_end, description, name, clauses)

    def _event_clause(self, fields: list[d.FieldDeclaration]) -> d.Clause | tuple[d.Clause, ...] | None:
        """:param fields: gets what is no clause but looks like a field"""
        word, known = self.texts[self.i], (*_EVENT, *older.EVENT)
        typed = self.at(NAME) and self.kind_at(1) == ":" and self.kind_at(2) in (NAME, "[", "{")
        if typed and word not in known and nearest(word, known) is None:
            if not descriptions.taken(self):
                fields.append(self.field())
            return ()
        return self.known_clause(_EVENT, "clause", older.EVENT)

    def _handler(self, description: str, _: tuple[d.Annotation, ...]) -> d.Declaration:
        start = self.start
        self.i += 1
        event = self.event_reference()
        foreign_headers.named(self)
        where = self.headed() if self.take_word("where") else None
        if self.take_word("do") and not self.at("{"):
            kind = self.identifier("'workflow', 'job', 'integration', 'webhook' or 'emit'")
            if kind.text not in TARGETS:
                self.unknown("target", kind, TARGETS, "CAI0024")
            target = self._target_name(kind.text)
            values = self.map_entries() if self.at("{") and not self.breaks[self.i] else ()
            self.take_word("async")
            return ev.HandlerDeclaration(start, self.previous_end, description, event, where, None, kind, target, values)
        body = self.block()
        return ev.HandlerDeclaration(start, body.end, description, event, where, body)

    def _target_name(self, kind: str) -> Reference:
        return self.event_reference("event" if kind == "emit" else kind) if self.kinds[self.i] == STRING else self.reference("a name")

    def _webhook(self, description: str, _: tuple[d.Annotation, ...]) -> d.Declaration:
        start, name = self.head()
        self.expect("{", "'{'")
        clauses = self.items(lambda: self.known_clause(_WEBHOOK, "clause", integrations.WEBHOOK))
        return ev.WebhookDeclaration(start, self.previous_end, description, name, clauses)

    def _events_clause(self) -> d.Clause:
        key = self.key()
        found: list[Reference] = []
        if self.take("["):
            while not self.at("]"):
                found.append(self.event_reference())
                if not self.take(","):
                    break
            self.expect("]", "']'")
        else:
            found.append(self.event_reference())
        key = Identifier(key.start, key.end, "event" if len(found) == 1 else "events")
        return ev.EventsClause(key.start, self.previous_end, key, tuple(found))

    # -- integrations ----------------------------------------------------------------------------------------------

    def _integration(self, description: str, _: tuple[d.Annotation, ...]) -> d.Declaration:
        start, name = self.head()
        self.expect("{", "'{'")
        self.inner = ("auth",)
        clauses = self.items(
            lambda: () if foreign_headers.operation(self) else self.known_clause(_INTEGRATION, "clause", integrations.INTEGRATION)
        )
        self.inner = ()
        return i.IntegrationDeclaration(
            start, self.previous_end, description, name, integrations.shared_out(older.retries_together(clauses))
        )

    def _operation_clause(self) -> d.Clause:
        return descriptions.described(self, self._single_operation)

    def _single_operation(self) -> d.Clause:
        description = self.tokens.docs.get(self.i, "")
        start, name = self.head()
        self.expect("{", "'{'")
        clauses = self.items(lambda: self.known_clause(_OPERATION, "clause", integrations.OPERATION))
        return i.OperationClause(start, self.previous_end, name, older.retries_together(clauses), description)

    def _text_clause(self) -> d.Clause:
        key = self.key()
        start = self.start
        text = self.text_literal()
        return i.TextClause(key.start, self.previous_end, key, ex.StringLiteral(start, self.previous_end, text))

    def _query_clause(self) -> d.Clause:
        """``query { fields }`` of a REST operation, ``query: \"\"\"…\"\"\"`` of a GraphQL one."""
        at = 2 if self.kind_at(1) == ":" else 1
        if self.kind_at(at) in ("raw", STRING):
            return self._text_clause()
        field = self.kind_at(at) == "{" and self.kind_at(at + 1) == NAME
        return self._document() if field and self.kind_at(at + 2) in ("{", "(", "}") else self.input_clause()

    def _mutation_clause(self) -> d.Clause:
        at = 2 if self.kind_at(1) == ":" else 1
        return self._document() if self.kind_at(at) == "{" else self._text_clause()

    def _document(self) -> d.Clause:
        """``query { viewer { name } }``: a document of GraphQL outside of a text, which is reported."""
        key = self.key()
        start, behind = self.start, key.end
        self.skip_balanced()
        end = self.previous_end
        base = self.file.base
        word = "mutation " if key.text == "mutation" else ""
        edits = (Edit(behind, start, f': """{word}'), Edit(end, end, '"""'))
        advice = f'write {key.text}: """{word}{{ … }}"""'
        self.report("a document of GraphQL stands in a text", "CAI0037", start, end, help_text=advice, edits=edits)
        return i.TextClause(key.start, end, key, ex.StringLiteral(start, end, self.file.text[start - base : end - base]))

    def _map_clause(self) -> d.Clause:
        key = self.key()
        entries = self.map_entries()
        return i.MapClause(key.start, self.previous_end, key, entries)

    def _breaker(self) -> d.Clause:
        key = self.key()
        short: tuple[d.Clause, ...] = ()
        if self.at(INTEGER):
            short = (self._failures(self.start, noted=True),)
            self.older(key.start, self.previous_end, "circuit_breaker { threshold: … }")
        if short and (not self.at("{") or self.breaks[self.i]):
            return i.BreakerClause(key.start, self.previous_end, short)
        self.expect("{", "'{'")
        clauses = self.items(lambda: self.known_clause(_BREAKER, "setting", integrations.BREAKER))
        return i.BreakerClause(key.start, self.previous_end, short + clauses)

    def _threshold(self) -> d.Clause:
        return self._failures(self.key().start)

    def _failures(self, start: int, *, noted: bool = False) -> d.Clause:
        """``5 failures in 1m``, ``5 consecutive failures``.

        :param noted: whether a note says already that this is an older spelling
        """
        failures = self.expression(90)
        said = self.take_word("consecutive")
        if not self.take_word("failures") and not self.take_word("failure") and not said and not noted:
            self.older(start, failures.end, "threshold: … consecutive failures")
        window = self.length_of_time() if self.take_word("in") else None
        return i.ThresholdClause(start, self.previous_end, failures, window)

    def _middleware(self, description: str, _: tuple[d.Annotation, ...]) -> d.Declaration:
        start, name = self.head()
        settings = spelled.kind(self, "type") + spelled.flattened(self, self.settings(), "type")
        return i.MiddlewareDeclaration(start, self.previous_end, description, name, settings)


_Parse = Callable[[Events], d.Clause]
_EVENT: Final[dict[str, _Parse]] = {
    "payload": Events.input_clause,
    "trigger": Events.trigger,
    "key": Events.value_clause,
    "publish_to": Events.value_clause,
}
_WEBHOOK: Final[dict[str, _Parse]] = {
    "event": Events._events_clause,
    "events": Events._events_clause,
    "headers": Events._map_clause,
    "retry": Events.retry,
    **dict.fromkeys(("url", "secret", "timeout", "payload"), Events.value_clause),
}
_CALLING: Final[dict[str, _Parse]] = {
    "headers": Events._map_clause,
    "retry": Events.retry,
    "rate_limit": Events._rate_limit,
    **dict.fromkeys(("timeout", "cache"), Events.value_clause),
}
_INTEGRATION: Final[dict[str, _Parse]] = {
    **_CALLING,
    **dict.fromkeys(("type", "base_url", "auth", "connect_timeout", "max_response", "allow_private"), Events.value_clause),
    "circuit_breaker": Events._breaker,
    "operation": Events._operation_clause,
}
_OPERATION: Final[dict[str, _Parse]] = {
    **_CALLING,
    "method": Events.value_clause,
    "path": Events._text_clause,
    "query": Events._query_clause,
    "mutation": Events._mutation_clause,
    "body": Events.input_clause,
    "variables": Events.input_clause,
    "returns": Events._returns,
    "idempotent": Events.value_clause,
}
_BREAKER: Final[dict[str, _Parse]] = {
    "threshold": Events._threshold,
    "reset_after": Events.value_clause,
    "half_open": Events.value_clause,
}
