"""Clauses of resources and endpoints, and settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from codeai.language.diagnostics import Edit
from codeai.language.elsewhere import annotation_instead
from codeai.language.lexer import END, NAME
from codeai.language.parser import foreign_blocks, foreign_endpoints, slips
from codeai.language.parser.entities import Entities
from codeai.language.parser.reporting import in_words
from codeai.language.spellings import descriptions, endpoints, security, values
from codeai.language.suggestions import nearest
from codeai.language.tree import declarations as d
from codeai.language.tree import expressions as ex
from codeai.language.tree import statements as st
from codeai.language.tree.node import Identifier

ACTIONS: Final = ("list", "get", "create", "update", "delete")
NO_SPELLINGS: Final[Mapping[str, Any]] = {}
PLACES: Final = ("path", "query", "header", "cookie", "body")


class Clauses(Entities):
    """Parses the insides of declarations."""

    def resource_clause(self) -> d.Clause | tuple[d.Clause, ...] | None:
        """A clause of a resource: settings of actions, or those of endpoints."""
        if self.at(NAME) and self.texts[self.i] in ACTIONS and self.kind_at(1) != ":":
            start = self.start
            actions = self.listed_names()
            if not self.at("{"):
                return self._bare_actions(actions)
            self.i += 1
            clauses = self.items(lambda: self.known_clause(_ACTION, "setting"))
            return d.ActionSettings(start, self.previous_end, actions, clauses)
        if self.at(NAME) and self.texts[self.i] in ACTIONS and self.kind_at(2) == NAME and not self.breaks_at(2):
            return self._guarded_action()
        return self.known_clause(_RESOURCE, "clause")

    def _guarded_action(self) -> d.ActionSettings:
        """``update: admin`` and ``list: public``: who may do it, which is a setting of the action."""
        start, action = self.start, self.identifier()
        self.i += 1
        first = self.start
        names = self.listed_names()
        word = names[0].text.replace("_", "").lower()
        mode = {"public": "public", "anyone": "public", "authenticated": "required", "required": "required"}.get(word, "")
        listed = ", ".join(name.text for name in names)
        meant = f"auth: {mode}" if mode else f"roles: [{listed}]"
        edits = (Edit(action.end, self.previous_end, f" {{ {meant} }}"),)
        help_text = f"write '{action.text} {{ {meant} }}'"
        self.report(f"expected '{{' behind '{action.text}', got ':'", "CAI0037", start, self.previous_end, help_text=help_text, edits=edits)
        key = Identifier(first, first, "auth" if mode else "roles")
        clause: d.Clause = d.NamesClause(first, self.previous_end, key, names)
        if mode:
            clause = d.AuthClause(first, self.previous_end, (Identifier(first, first, mode),))
        return d.ActionSettings(start, self.previous_end, (action,), (clause,))

    def _bare_actions(self, actions: tuple[Identifier, ...]) -> d.NamesClause:
        """``list, get`` without settings: what chooses actions elsewhere."""
        start, end = actions[0].start, actions[-1].end
        while self.at(NAME) and self.texts[self.i] in ACTIONS and self.kind_at(1) not in (":", "{", ","):
            actions = (*actions, self.identifier())
            end = self.previous_end
        meant = f"actions: [{', '.join(action.text for action in actions)}]"
        help_text = f"to choose actions write '{meant}'; what holds for some of them stands in '{{ … }}' behind them"
        self.report("expected '{' behind the actions", "CAI0037", start, end, help_text=help_text, edits=(Edit(start, end, meant, False),))
        return d.NamesClause(start, end, Identifier(start, start, "actions"), actions)

    def _actions(self) -> d.NamesClause:
        """``actions: [list, get]``; without brackets they would be one action and others behind it."""
        key, start = self.key(), self.start
        if not (self.at(NAME) and self._another_action()):
            names = self.names()
            return d.NamesClause(key.start, self.previous_end, key, names)
        found = [self.identifier()]
        while self._another_action(0):
            self.i += 1
            found.append(self.identifier())
        meant, end = f"[{', '.join(name.text for name in found)}]", self.previous_end
        self.report(
            "expected '[' before the actions",
            "CAI0037",
            start,
            end,
            help_text=f"write 'actions: {meant}'",
            edits=(Edit(start, end, meant, True),),
        )
        return d.NamesClause(key.start, end, key, tuple(found))

    def _another_action(self, ahead: int = 1) -> bool:
        """Whether a comma and an action follow that are no settings of it."""
        return self.kind_at(ahead) == "," and self.texts[self.i + ahead + 1] in ACTIONS and self.kind_at(ahead + 2) not in ("{", ":")

    def endpoint_clause(self) -> d.Clause | tuple[d.Clause, ...] | None:
        """A clause of an endpoint."""
        return self.known_clause(_ENDPOINT, "clause", endpoints.CLAUSES)

    def settings(self) -> tuple[d.Setting, ...]:
        """``{ key: value … }`` with nested settings."""
        self.expect("{", "'{'")
        return self.items(self._setting)

    def _setting(self) -> d.Setting:
        key = self.map_key()
        value: ex.Expression | None = None
        children: tuple[d.Setting, ...] = ()
        colon = self.take(":")
        if colon and not self.at("{") and slips.value_missing(self, self.previous_end, (":", "{")):
            return d.Setting(key.start, self.previous_end, key, ex.Missing(self.previous_end, self.previous_end), ())
        if not self.at("{"):
            value = self.headed()
        if self.at("{") and not self.breaks[self.i]:
            children = self.settings()
        return d.Setting(key.start, self.previous_end, key, value, children)

    def known_clause(
        self,
        table: Mapping[str, Callable[[Any], d.Clause]],
        what: str,
        older: Mapping[str, Callable[[Any], tuple[d.Clause, ...] | None]] = NO_SPELLINGS,
    ) -> d.Clause | tuple[d.Clause, ...] | None:
        """The clause at the current token.

        :param table: the parsers of the canonical clauses, by key
        :param what: how the message calls an unknown key
        :param older: the parsers of older spellings, which return None (and take nothing) where the text is canonical
        """
        slips.doubled(self)
        if "do" in table:
            foreign_endpoints.arrow(self)
        name = Identifier(self.start, self.ends[self.i], self.texts[self.i])
        if not self.at(NAME):
            advice = annotation_instead(self.text_at(1)) if self.at("@") else ""
            self.fail_expected("a clause" if what == "clause" else "a setting", among=in_words(table), help_text=advice)
        if name.text == "description" and descriptions.taken(self):
            return ()
        if (name.text not in table and name.text not in older) or name.text == "if":
            if foreign_blocks.begin(self, table):
                return foreign_blocks.clauses(self, table, lambda: self.known_clause(table, what, older))
        spelling = older.get(name.text)
        if spelling is not None:
            clauses = spelling(self)
            if clauses is not None:
                return clauses
        parse = table.get(name.text)
        if self.kind_at(1) == ":" and self.breaks_at(2) and (self.kind_at(2) in ("}", END) or self.text_at(2) in (*table, *ACTIONS)):
            self.i += 2
            text = self.texts[self.i] or "end of input"
            place = self.previous_end
            self.report(f"expected a value, got '{text}'", "CAI0010", place - 1, place, expected=("a value",))
            return None
        if parse is not None:
            return parse(self)
        self.unknown(what, name, table, "CAI0013", older=older)
        meant = nearest(name.text, (*table, *older))
        if meant is not None and meant.sure and not self.breaks_at(1):
            self.texts[self.i] = meant.name
            return self.known_clause(table, what, older)
        self.i += 1
        self.take(":")
        if not self.breaks[self.i]:
            self.skip_item()
        return None

    def _auth(self) -> d.Clause:
        key = self.key()
        names = security.public(self, self.names() if self.at("[") else self.listed_names())
        foreign_endpoints.argued(self)
        return d.AuthClause(key.start, self.previous_end, names)

    def names_clause(self) -> d.NamesClause:
        """A key with names."""
        key = self.key()
        names = self.names()
        return d.NamesClause(key.start, self.previous_end, key, names)

    def _rate_limit(self) -> d.Clause:
        key = self.key()
        requests = self.expression()
        self.expect_word("per")
        window = self.length_of_time()
        by = self.identifier() if self.take_word("by") else None
        return d.RateLimitClause(key.start, self.previous_end, requests, window, by)

    def value_clause(self) -> d.Clause:
        """A key with an expression."""
        key = self.key()
        value = self.expression()
        if isinstance(value, ex.IntLiteral) and key.text in values.DURATIONS:
            value = self.counted(value)
        value = values.setting(self, key.text, value)
        return d.ValueClause(key.start, value.end, key, value)

    def _isolation(self) -> d.Clause:
        key = self.key()
        start = self.start
        words = [self.identifier().text]
        if words[0] in ("read", "repeatable") and self.at(NAME):
            words.append(self.identifier().text)
        value = ex.StringLiteral(start, self.previous_end, " ".join(words))
        return d.ValueClause(key.start, value.end, key, value)

    def input_clause(self) -> d.Clause:
        """``body { fields }`` or ``body: Type``."""
        place = self.identifier()
        if self.take(":") and not self.at("{"):
            type_ = self.type_expression()
            return d.InputClause(place.start, type_.end, place, (), type_)
        self.expect("{", "'{'")
        fields = self.items(self.field_item)
        return d.InputClause(place.start, self.previous_end, place, fields)

    def _returns(self) -> d.Clause:
        key = self.key()
        type_ = self.type_expression()
        status = media = None
        while not self.breaks[self.i]:
            if self.take_word("status"):
                status = self.expression()
            elif self.take_word("as"):
                media = self.text_literal("a media type")
            else:
                break
        return d.ReturnsClause(key.start, self.previous_end, type_, status, media)

    def _error(self) -> d.Clause:
        start = self.start
        self.i += 1
        status = self.expression()
        self.take(":")
        message = self.text_literal("a text")
        code = self.text_literal("a code") if self.take_word("code") else None
        return d.ErrorClause(start, self.previous_end, status, message, code)

    def _filter(self) -> d.Clause:
        key = self.key()
        if self.at("["):
            names = self.names()
            edits = (Edit(key.start, key.end, f"{key.text}_by"),)
            said = f"expected '{{', got '[' behind '{key.text}'"
            self.report(said, "CAI0037", key.start, key.end, help_text="fields to filter by are listed in 'filter_by: […]'", edits=edits)
            return d.NamesClause(key.start, self.previous_end, Identifier(key.start, key.end, "filter_by"), names)
        self.expect("{", "'{'")
        conditions = self.items(self._filter_line)
        return d.FilterClause(key.start, self.previous_end, conditions)

    def _filter_line(self) -> ex.Expression:
        condition = self.expression()
        if not self.at_word("if"):
            return condition
        if self.text_at(1) == "provided":
            self.i += 2
            end = self.previous_end
            if self.at(NAME) and not self.breaks[self.i]:
                self._not_provided(end, end)
            return ex.Provided(condition.start, end, condition)
        self._not_provided(self.start, self.previous_end)
        return condition

    def _not_provided(self, start: int, before: int) -> None:
        """Reads ``if provided query.x`` and ``if query.x`` as ``if provided``."""
        self.take_word("if")
        said = self.expression()
        edits = (Edit(before, said.end, "" if start == before else " if provided"),)
        help_text = "'if provided' stands alone: the condition counts when all its parameters are given"
        self.report("expected 'if provided'", "CAI0037", start, said.end, help_text=help_text, edits=edits)

    def _sort(self) -> d.Clause:
        key = self.key()
        if self.at("["):
            names = self.names()
            edits = (Edit(key.start, key.end, f"{key.text}_by"),)
            said, hint = "expected an order, got '['", "fields to sort by are listed in 'sort_by: […]', an order is 'sort: created_at desc'"
            self.report(said, "CAI0037", key.start, key.end, help_text=hint, edits=edits)
            return d.NamesClause(key.start, self.previous_end, Identifier(key.start, key.end, "sort_by"), names)
        terms: list[d.SortTerm] = []
        while True:
            backwards = self._minus_for_descending()
            value = self.expression()
            descending = self.take_word("desc") or backwards
            if not descending:
                self.take_word("asc")
            terms.append(d.SortTerm(value.start, self.previous_end, value, descending))
            if not (self.at(",") and self.kind_at(1) == NAME and self.kind_at(2) != ":"):
                return d.SortClause(key.start, self.previous_end, tuple(terms))
            self.i += 1

    def _minus_for_descending(self) -> bool:
        """Reports and takes the minus of ``-created_at``, as URLs have it."""
        if not (self.at("-") and self.kind_at(1) == NAME):
            return False
        field, start = self.texts[self.i + 1], self.start
        end = self.ends[self.i + 1]
        self.i += 1
        edits = (Edit(start, end, f"{field} desc"),) if self.text_at(1) != "desc" else ()
        self.report("a '-' is for the 'sort' of URLs", "CAI0010", start, start + 1, help_text=f"write '{field} desc'", edits=edits)
        return True

    def _validate(self) -> d.Clause:
        key = self.key()
        self.expect("{", "'{'")
        rules = self.items(self._rule)
        return d.ValidateClause(key.start, self.previous_end, rules)

    def _rule(self) -> d.ValidationRule:
        start = self.start
        if self.at(NAME) and self.text_at(1) == "is" and self.text_at(2) == "unique":
            field = self.identifier()
            self.i += 2
            message = self._rule_message()
            return d.ValidationRule(start, self.previous_end, "unique", field, None, message)
        if self.at(NAME) and self.text_at(1) == "exists" and not self.breaks_at(1):
            field = self.identifier()
            self.i += 1
            message = self._rule_message()
            return d.ValidationRule(start, self.previous_end, "exists", field, None, message)
        condition = self.expression()
        message = self._rule_message()
        return d.ValidationRule(start, self.previous_end, "condition", None, condition, message)

    def _rule_message(self) -> str | None:
        return self.text_literal("a text") if self.take_word("else") else None

    def on_clause(self) -> d.OnClause:
        """``on_success: statement`` or ``on_success { … }``."""
        key = self.identifier()
        if self.take(":") and not self.at("{"):
            statement = self.single_statement()
            body = st.Block(statement.start, statement.end, (statement,))
        else:
            body = self.block()
        return d.OnClause(key.start, self.previous_end, key, body)

    def _do(self) -> d.Clause:
        start = self.start
        self.i += 1
        self.take(":")
        body = self.block()
        return d.DoClause(start, body.end, body)


_Parse = Callable[[Clauses], d.Clause]

_GUARD: Final[dict[str, _Parse]] = {
    "auth": Clauses._auth,
    "roles": Clauses.names_clause,
    "permissions": Clauses.names_clause,
    "use": Clauses.names_clause,
    "rate_limit": Clauses._rate_limit,
    "timeout": Clauses.value_clause,
    "cache": Clauses.value_clause,
}
_PAGING: Final[dict[str, _Parse]] = {
    "filter_by": Clauses.names_clause,
    "sort_by": Clauses.names_clause,
    "page_size": Clauses.value_clause,
    "max_page_size": Clauses.value_clause,
    "filter": Clauses._filter,
    "sort": Clauses._sort,
}
_WRITING: Final[dict[str, _Parse]] = {
    "validate": Clauses._validate,
    "on_success": Clauses.on_clause,
}
_ACTION: Final = {**_GUARD, **_PAGING, **_WRITING, "body": Clauses.input_clause}
_RESOURCE: Final = {**_GUARD, **_WRITING, "actions": Clauses._actions, "tags": Clauses.names_clause}
_ENDPOINT: Final[dict[str, _Parse]] = {
    **_GUARD,
    **_PAGING,
    **_WRITING,
    **dict.fromkeys(PLACES, Clauses.input_clause),
    "returns": Clauses._returns,
    "error": Clauses._error,
    "do": Clauses._do,
    "isolation": Clauses._isolation,
    "verify": Clauses.value_clause,
    "tags": Clauses.names_clause,
}
