"""Statements (language page, section 7) and those of tests."""

from __future__ import annotations

from typing import Final

from codeai.language.diagnostics import Edit
from codeai.language.elsewhere import STATEMENTS
from codeai.language.lexer import DECIMAL, DURATION, END, INTEGER, NAME, STRING
from codeai.language.operators import CONTINUING_WORDS, LEVELS, METHODS, NO_OPERANDS, PREFIXES
from codeai.language.parser import foreign_loops, foreign_statements, slips
from codeai.language.parser.cursor import NESTING_LIMIT, TOO_DEEP
from codeai.language.parser.reporting import ParseFailure
from codeai.language.parser.requests import Requests
from codeai.language.spellings import steps, values
from codeai.language.suggestions import nearest
from codeai.language.tree import expressions as ex
from codeai.language.tree import statements as st
from codeai.language.tree.node import Identifier

_BEFORE_PARENTHESES: Final = ("if", "return", "redirect", "require", "fail", "sleep", "expect", "advance")


END_OF_STATEMENT: Final = "the end of the statement"
_VALUES: Final = (STRING, INTEGER, DECIMAL, DURATION)
_ENDINGS: Final = (NAME, *_VALUES, ")", "]", "}")  # with what a statement ends
_VALUE_ONLY: Final = (ex.Name, ex.Member, ex.Index, ex.Binary)  # what does nothing
_BEHIND_VALUE_ONLY: Final = (END, "}", ";", ",", ")", "]", ".", "=")
_BEHIND_STATEMENTS: Final = (NAME, *_VALUES, "{", "[")
_BEHIND_VALUES: Final = (NAME, *_VALUES, END, "}", "{", ";", "==", "!=", "<", "<=", ">", ">=", "+", "-", "*", "??")

_COMPOUND: Final = ("+", "-", "*", "/", "%", ".")  # what may begin 'x += 1' or 'row.n += 1' behind a name


class Statements(Requests):
    """Parses blocks."""

    def block(self) -> st.Block:
        """``{ statements }``."""
        start = self.start
        self.nesting += 1
        if self.nesting > NESTING_LIMIT:
            self.fail("nesting is too deep", "CAI0012", self.start, self.ends[self.i], help_text=TOO_DEEP)
        if self.at(":") and self.breaks_at(1):
            self.fail_expected("'{'", help_text="what belongs together stands in braces, however far it is indented")
        self.expect("{", "'{'")
        statements = self.items(self.statement)
        self.nesting -= 1
        return st.Block(start, self.previous_end, statements)

    def headed(self) -> ex.Expression:
        """An expression in a header, where ``{`` opens the block."""
        header, self.header = self.header, True
        found = self.expression()
        self.header = header
        return found

    def single_statement(self) -> st.Statement:
        """One statement, where there is room for one only."""
        start = self.start
        found = self.statement()
        if not isinstance(found, tuple):
            return found
        if len(found) != 1:
            self.fail("this step needs a block", "CAI0034", start, self.previous_end, help_text="write it in '{ … }'")
        return found[0]

    def statement(self) -> st.Statement | tuple[st.Statement, ...]:
        """One statement; an older step may need several, or none."""
        self._after_another()
        behind = bool(self.i) and self._glued() and self.kinds[self.i - 1] in _ENDINGS
        at = self.i
        if self.at(NAME):
            if self.texts[self.i] in KEYWORDS:
                slips.doubled(self, _BEHIND_STATEMENTS)
            if self.at_word("for") and (foreign := foreign_loops.loop(self)) is not None:
                return foreign
            parse = KEYWORDS.get(self.texts[self.i])
            if parse is not None and self._statement_follows():
                return parse(self)
            if self.kind_at(1) in _COMPOUND and (changed := foreign_statements.compound(self)) is not None:
                return changed
            if self.kind_at(1) in (":", ",") and (foreign := foreign_loops.declared(self)) is not None:
                return foreign
            if self.kind_at(1) == "==" and not self.in_test and not self.breaks_at(1):
                self.i += 1
                self.doubled_equals()
                self.i -= 2
                self.kinds[self.i + 1] = "="  # what it must have been
            if self.kind_at(1) == "=":
                declared = steps.assignment(self)
                return declared if declared is not None else self._assign()
            if self.texts[self.i] == "upsert" and self.kind_at(1) == NAME and not self.breaks_at(1):
                return steps.upsert(self)
            if self.texts[self.i] == "emit" and self.kind_at(1) == "(" and not self.breaks_at(1):
                return self._emit_call()
            if self.in_test and self.texts[self.i] in METHODS and self.path_follows():
                request = self.request()
                return st.ExpressionStatement(request.start, request.end, request)
            foreign_statements.refused(self)
            if (foreign := foreign_loops.raised(self)) is not None:
                return foreign
            if self._unknown_word():
                return self.statement()
            if self.kind_at(1) == "(" and self.texts[self.i] in steps.STEPS:
                done = steps.statement(self)
                if done is not None:
                    return done
            word = self.texts[self.i]
            goes_on = word in CONTINUING_WORDS or (word == "not" and self.text_at(1) == "in")
            if word == "else" or (goes_on and self.kind_at(1) not in ("(", ".", "[")):
                if self.gaps and self.gaps[-1].end == self.previous_end:
                    raise ParseFailure  # it goes on with what broke
                self.fail_expected("a statement", help_text="what goes on with an expression stands right behind it")
        value = self.expression()
        if isinstance(value, _VALUE_ONLY):
            if behind:
                self.i = at
            if behind or (self._glued() and self.kinds[self.i] not in _BEHIND_VALUE_ONLY):
                self.fail_expected(END_OF_STATEMENT)
        return st.ExpressionStatement(value.start, value.end, value)

    def _glued(self) -> bool:
        """Whether at most one space is before the current token: items of one line have two between them."""
        return not self.breaks[self.i] and self.start - self.previous_end < 2

    def _after_another(self) -> None:
        """Refuses a mere value right behind another statement on its line, as in ``let a = b c``."""
        if not self.i or self.breaks[self.i] or self.kinds[self.i - 1] not in _ENDINGS:
            return
        word = self.texts[self.i]
        alone = (
            self.at(NAME) and word not in KEYWORDS and word not in PREFIXES and word not in METHODS and self.kind_at(1) in _BEHIND_VALUES
        )
        if alone or self.kinds[self.i] in _VALUES:
            self.fail_expected(END_OF_STATEMENT)

    def _unknown_word(self) -> bool:
        """Reports a word before a name, which is no statement; true when the token is what was surely meant now."""
        word, following = self.texts[self.i], self.text_at(1)
        if self.kind_at(1) not in (NAME, STRING) or self.breaks_at(1) or word in PREFIXES or word in CONTINUING_WORDS:
            return False
        if following in NO_OPERANDS or following in CONTINUING_WORDS or (self.kind_at(1) == STRING and word not in STATEMENTS):
            return False
        if following in ("let", "var") and self.kind_at(2) == "=" and foreign_statements.named_first(self):
            return True
        if self.in_test and word in METHODS:
            self.path_missing()
        name = Identifier(self.start, self.ends[self.i], word)
        near = nearest(word, KEYWORDS)
        meant = ("expect" if self.in_test and word == "assert" else STATEMENTS.get(word)) or (near.name if near is not None else "")
        if self.kind_at(2) == "=" or self.text_at(2) == "in":
            meant = meant or ("let" if self.kind_at(2) == "=" else "for")
        if not meant:
            return False  # two statements, or one and the next clause
        edits = (Edit(name.start, name.end, meant),) if meant else ()
        advice = f"did you mean '{meant}'?" if meant else ""
        self.report(f"unknown statement '{word}'", "CAI0013", name.start, name.end, help_text=advice, edits=edits)
        self.texts[self.i] = meant
        return True

    def _statement_follows(self) -> bool:
        """Whether the word at the current token begins its statement, and is no variable or function of that name."""
        following = self.kind_at(1)
        if following == "=" and self.texts[self.i] in ("let", "var"):
            return self.texts[self.i] not in self.host.declared  # the name is missing
        if following == "(" and not self.breaks_at(1):
            return self.texts[self.i] in _BEFORE_PARENTHESES
        if following == "." and self.starts[self.i + 1] > self.ends[self.i] and not self.breaks_at(1):
            return self.texts[self.i] not in self.host.declared  # 'expect .status': what has a member is missing
        return following not in ("=", ".") and not self._ends_here(1)

    def _ends_here(self, ahead: int) -> bool:
        """Whether nothing of this statement follows: ``return`` alone is one, ``log`` alone is a name."""
        return self.texts[self.i] not in ("return",) and (self.breaks_at(ahead) or self.kind_at(ahead) in ("}", "end"))

    def _let(self) -> st.Statement:
        start = self.start
        mutable = self.texts[self.i] == "var"
        self.i += 1
        name = self.variable()
        self.host.declared.add(name.text)
        type_ = self.type_expression() if self.take(":") else None
        if not self.doubled_equals():
            self.expect("=", "'='")
        value = self._value()
        return st.Let(start, value.end, name, value, mutable, type_)

    def _value(self) -> ex.Expression:
        if self.in_test and self.at(NAME) and self.texts[self.i] in METHODS:
            if self.path_follows():
                return self.request()
            self.path_missing()
        return self.expression()

    def _assign(self) -> st.Statement:
        name = self.variable()
        self.i += 1
        value = self._value()
        return st.Assign(name.start, value.end, name, value)

    def _if(self) -> st.Statement:
        start = self.start
        arms: list[st.Arm] = []
        otherwise = None
        while True:
            arm_start = self.start
            self.i += 1
            condition = self.headed()
            body = self.block()
            arms.append(st.Arm(arm_start, body.end, condition, body))
            if not self.take_word("else"):
                break
            if not self.at_word("if"):
                otherwise = self.block()
                break
        return st.If(start, self.previous_end, tuple(arms), otherwise)

    def _for(self) -> st.Statement:
        start = self.start
        self.i += 1
        name = self.variable()
        self.host.declared.add(name.text)
        if self.at_word("of") and not self.breaks[self.i]:
            start, end = self.start, self.ends[self.i]
            self.report("expected 'in', got 'of'", "CAI0037", start, end, expected=("'in'",), edits=(Edit(start, end, "in"),))
            self.texts[self.i] = "in"
        self.expect_word("in")
        items = self.headed()
        if isinstance(items, ex.Name) and (self.at_word("where") or self.at_word("order")):
            items = foreign_loops.selected(self, items)
        body = self.block()
        return st.For(start, body.end, name, items, body)

    def _return(self) -> st.Statement:
        start = self.start
        self.i += 1
        value = None
        if not (self.breaks[self.i] or self.kinds[self.i] in ("}", "end", ";") or self._result_word()):
            value = self.host.resolved(self.expression()) if self.host.older else self.expression()
        status: ex.Expression | None = None
        headers = None
        if isinstance(value, ex.IntLiteral) and 400 <= value.value < 600 and self.kinds[self.i] == STRING and not self.breaks[self.i]:
            return foreign_loops.refused(self, start, value)
        if self.at(",") and isinstance(value, ex.IntLiteral) and not self.breaks_at(1):
            value, status = foreign_statements.answered(self, value), value
        while self._result_word() and not self.breaks[self.i]:
            self.i += 1
            if self.texts[self.i - 1] == "status":
                status = self.expression()
            else:
                headers = self.map_literal()
        return st.Return(start, self.previous_end, value, status, headers)

    def _result_word(self) -> bool:
        following = {"status": "integer", "headers": "{"}.get(self.texts[self.i])
        if self.at_word("status") and self.kind_at(1) == STRING and not self.breaks_at(1) and not self.breaks[self.i]:
            self.i += 1
            self.fail_expected("a status from 200 to 599")
        return self.at(NAME) and self.kind_at(1) == following and not self.breaks_at(1)

    def _redirect(self) -> st.Statement:
        start = self.start
        self.i += 1
        value = self.expression()
        status = None
        if self._result_word() and self.at_word("status") and not self.breaks[self.i]:
            self.i += 1
            status = self.expression()
        return st.Return(start, self.previous_end, value, status, None, True)

    def _failure(self) -> st.Failure:
        start = self.start
        self.expect_word("fail")
        status = self.expression()
        message = code = None
        if not self.breaks[self.i] and self.kinds[self.i] in ("string", "raw"):
            message = self.expression()
        if self.at_word("code") and not self.breaks[self.i]:
            self.i += 1
            code = self.expression()
        return st.Failure(start, self.previous_end, status, message, code)

    def _fail(self) -> st.Statement:
        failure = self._failure()
        return st.Fail(failure.start, failure.end, failure)

    def _require(self) -> st.Statement:
        start = self.start
        self.i += 1
        condition = self.expression()
        failure = None
        if self.take_word("else"):
            failure = self._failure()
        return st.Require(start, self.previous_end, condition, failure)

    def _log(self) -> st.Statement:
        start = self.start
        self.i += 1
        if self.at(NAME) and self.kind_at(1) == STRING and self.texts[self.i] not in LEVELS and not self.breaks_at(1):
            self.unknown("level", self.identifier(), LEVELS, "CAI0022")
        level = self.identifier() if self.at(NAME) and self.texts[self.i] in LEVELS and self.kind_at(1) != "." else None
        message = self.expression()
        data = self.map_entries() if self.at("{") and not self.breaks[self.i] else ()
        return st.Log(start, self.previous_end, level, message, data)

    def length_of_time(self) -> ex.Expression:
        """An expression where a duration is expected, which may stand in quotes."""
        return values.duration(self, self.expression())

    def _sleep(self) -> st.Statement:
        start = self.start
        self.i += 1
        duration = self.length_of_time()
        return st.Sleep(start, duration.end, duration)

    def _as_user(self) -> st.Statement:
        start = self.start
        self.i += 1
        self.expect_word("user")
        principal = self.map_literal()
        body = self.block() if self.at("{") and not self.breaks[self.i] else None
        return st.AsUser(start, self.previous_end, principal, body)

    def _emit(self) -> st.Statement:
        start = self.start
        self.i += 1
        event = self.event_reference()
        payload = self.map_literal() if self.at("{") and not self.breaks[self.i] else None
        if self.at("(") and not self.breaks[self.i]:
            begin = self.start
            entries = foreign_statements.carried(self, "emit", event.text)
            payload = ex.MapLiteral(begin, self.previous_end, entries)
        return st.Emit(start, self.previous_end, event, payload)

    def _emit_call(self) -> st.Statement:
        start = self.start
        self.i += 2
        event = self.event_reference()
        payload: ex.Expression | None = None
        if self.at("{"):
            payload = self.host.resolved(self.map_literal())
        elif self.take(","):
            self.depth += 1
            payload = self.host.resolved(self.expression())
            self.depth -= 1
        self.expect(")", "')'")
        return st.Emit(start, self.previous_end, event, payload)

    def _send(self) -> st.Statement:
        start = self.start
        self.i += 1
        header, self.header = self.header, True
        target = self.expression()
        self.header = header
        if isinstance(target, ex.Name) and self.at_word("to") and not self.breaks[self.i]:
            target = foreign_statements.sent_to(self, target)
        if not isinstance(target, ex.Call | ex.Name | ex.Member):
            self.report("'send' takes a channel, as in email(to)", "CAI0010", target.start, target.end)
        values = self.map_entries() if self.at("{") and not self.breaks[self.i] else ()
        return st.Send(start, self.previous_end, target, values)

    # -- tests -----------------------------------------------------------------------------------------------------

    def _expect(self) -> st.Statement:
        start = self.start
        self.i += 1
        condition = self.expression()
        return st.Expect(start, condition.end, condition)

    def _mock(self) -> st.Statement:
        start = self.start
        self.i += 1
        operation = self.reference("an operation")
        outcome = self.identifier("'returns' or 'fails'")
        value = self.expression()
        if isinstance(value, ex.IntLiteral) and self.at(STRING) and not self.breaks[self.i]:
            self.fail_expected(END_OF_STATEMENT, help_text=f"a failure with a status is a record: fails {{ status: {value.value} }}")
        return st.Mock(start, value.end, operation, outcome, value)

    def _advance(self) -> st.Statement:
        start = self.start
        self.i += 1
        duration = self.length_of_time()
        return st.Advance(start, duration.end, duration)


KEYWORDS = {
    "let": Statements._let,
    "var": Statements._let,
    "if": Statements._if,
    "for": Statements._for,
    "return": Statements._return,
    "redirect": Statements._redirect,
    "fail": Statements._fail,
    "require": Statements._require,
    "log": Statements._log,
    "sleep": Statements._sleep,
    "as": Statements._as_user,
    "emit": Statements._emit,
    "send": Statements._send,
    "expect": Statements._expect,
    "mock": Statements._mock,
    "advance": Statements._advance,
}
