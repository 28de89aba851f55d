"""Statements, and what a finished host writes back into its selections."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import msgspec

from codeai.analysis.advice import for_list, for_missing
from codeai.analysis.names import origin_of, shown_with
from codeai.analysis.queries import Queries
from codeai.analysis.reporter import Reporter, in_quotes
from codeai.analysis.scope import Host, Scope, Variable, broken
from codeai.analysis.secrecy import secrets_in
from codeai.analysis.symbols import Symbols
from codeai.analysis.translation import place_of
from codeai.analysis.usage import report_unused_variables
from codeai.analysis.ways import ends
from codeai.language import types as t
from codeai.language.diagnostics import HERE, DiagnosticClass, Edit, Severity, Subject
from codeai.language.tree import expressions as ex
from codeai.language.tree import statements as st
from codeai.language.tree.node import Identifier, Node
from codeai.language.written import written
from codeai.model import expression as ir
from codeai.model import statement as s

_Tree = TypeVar("_Tree")
_RUNS = (ir.CallOperation, ir.CallActivity, ir.StartRun)
_NODES = (ir.Expression, s.Statement, s.Branch, s.Failure, ir.Entry, ir.Column, ir.Join, ir.Order)
_LEAVES = frozenset([str, int, bool, type(None), ir.Constant, ir.Local, ir.RangeRow])
_PRINCIPAL = ("id", "roles", "permissions", "tenant", "email", "name", "claims")


class Statements(Queries):
    """Elaborates blocks."""

    def __init__(self, symbols: Symbols, reporter: Reporter, *, query_text: bool = False) -> None:
        super().__init__(symbols, reporter, query_text=query_text)
        self._statements: dict[type, Callable[[Any, Scope], s.Statement | None]] = {
            st.Let: self._let,
            st.Assign: self._assign,
            st.If: self._if,
            st.For: self._for,
            st.Return: self._return,
            st.Fail: lambda node, scope: s.Fail(failure=self._failure(node.failure, scope), at=node.start),
            st.Require: self._require,
            st.ExpressionStatement: self._evaluate,
            st.Log: self._log,
            st.Sleep: self._sleep,
            st.AsUser: self._as_user,
            st.Expect: self._expect,
        }

    def host_block(self, node: st.Block, scope: Scope) -> s.Block:
        """The whole body of a host, with loads and locks written into its selections."""
        marks = len(self.report.diagnostics)
        found = finish(self.block(node, scope), scope.host)
        if not any(problem.severity is Severity.ERROR for problem in self.report.diagnostics[marks:]):
            report_unused_variables(scope.host, self.report)
        return found

    def block(self, node: st.Block, scope: Scope) -> s.Block:
        """The statements of a block in the given scope."""
        found: list[s.Statement] = []
        ended: st.Statement | None = None
        for statement in node.statements:
            if ended is not None:
                self.report.warning(
                    statement, "this is never reached", "CAI0340", help_text="leave it out, or move it before what ends the block"
                )
                ended = None
            resolved = self._statements[type(statement)](statement, scope)
            if resolved is not None:
                found.append(resolved)
            if ends(statement):
                ended = statement
        return tuple(found)

    def _declare(self, name: Identifier, type_: t.Type, scope: Scope, *, mutable: bool, value: ir.Expression | None) -> str:
        known = scope.variables.get(name.text)
        if known is not None and known.node is not None:
            known.used = True
            self.report.duplicate(name, name.text, known.node, named=True)
        unique = scope.host.unique(name.text)
        origin = origin_of(value, scope) if value is not None else None
        scope.variables[name.text] = Variable(name.text, unique, type_, mutable, name, origin)
        return unique

    def _let(self, node: st.Let, scope: Scope) -> s.Statement:
        value, type_ = self._initial(node, scope)
        if self.report.touched(node):
            type_ = t.Unknown()
        if node.mutable and isinstance(type_, t.Decimal):
            type_ = t.Decimal()
        undecided = node.mutable and node.type is None and isinstance(type_, t.Null)
        unique = self._declare(node.name, t.Unknown() if undecided else type_, scope, mutable=node.mutable, value=value)
        scope.variables[node.name.text].undecided = undecided
        if not (isinstance(value, ir.Selection) and value.kind == "get"):  # reading a row may be meant to answer 404
            scope.host.declared.append(scope.variables[node.name.text])
        return s.Let(name=unique, value=value, at=node.start)

    def _initial(self, node: st.Let, scope: Scope) -> tuple[ir.Expression, t.Type]:
        """The value of a variable and its type: the one that is written, which the value has to fit, else that of the value."""
        if node.type is None:
            value = self.expression(node.value, scope)
            return value, value.type
        wanted = self.resolve(node.type)
        value = self.value(node.value, scope, wanted, f"variable '{node.name.text}'")
        return value, t.optional(wanted) if isinstance(value.type, t.Optional | t.Null) else wanted

    def _assign(self, node: st.Assign, scope: Scope) -> s.Statement | None:
        variable = scope.find(node.name.text)
        if variable is None:
            self.report.unknown(
                node.name,
                f"undefined variable '{node.name.text}'",
                node.name.text,
                scope.names(),
                "CAI0101",
                kind=DiagnosticClass.SCOPE,
                owner=HERE,
            )
            self.expression(node.value, scope)
            return None
        if not variable.mutable:
            self.report.error(
                node.name,
                f"'{node.name.text}' does not change",
                "CAI0341",
                help_text="declare it with 'var'",
                other=variable.node,
                label="declared here",
            )
        value = self.value(node.value, scope, variable.type, f"variable '{variable.name}'")
        if variable.undecided:
            self._decide(variable, node, value.type)
        return s.Assign(name=variable.unique, value=value, at=node.start)

    def _decide(self, variable: Variable, node: st.Assign, found: t.Type) -> None:
        """What a variable may hold that begins with null is said with it, so that it is known wherever it is read."""
        if isinstance(found, t.Null | t.Unknown) or variable.node is None:
            return
        variable.undecided = False
        type_, end = written(t.optional(found)), variable.node.end
        said = f"type mismatch for variable '{variable.name}': expected null, got {found}"
        advice = f"say what it may hold: var {variable.name}: {type_} = null"
        self.report.error(
            node.value,
            said,
            "CAI0301",
            help_text=advice,
            edits=(Edit(end, end, f": {type_}", True),),
            other=variable.node,
            label="declared here",
        )

    def _if(self, node: st.If, scope: Scope) -> s.Statement:
        branches = tuple(s.Branch(self.condition(arm.condition, scope), self.block(arm.body, scope.child())) for arm in node.arms)
        otherwise = self.block(node.otherwise, scope.child()) if node.otherwise is not None else ()
        return s.If(branches=branches, otherwise=otherwise, at=node.start)

    def _for(self, node: st.For, scope: Scope) -> s.Statement:
        items = self.expression(node.items, scope)
        type_ = t.required(items.type)
        item: t.Type = t.Unknown()
        if isinstance(type_, t.List):
            item = type_.item
        elif isinstance(type_, t.Json):
            item = t.Json()
        elif not isinstance(type_, t.Unknown):
            said = f"cannot iterate over non-array type '{type_}'"
            self.report.error(node.items, said, "CAI0350", kind=DiagnosticClass.TYPE, help_text=for_list(type_))
        inner = scope.child()
        unique = self._declare(node.name, item, inner, mutable=False, value=items)
        return s.For(name=unique, items=items, body=self.block(node.body, inner), at=node.start)

    def _return(self, node: st.Return, scope: Scope) -> s.Statement:
        value: ir.Expression | None = None
        wanted = scope.host.result
        if node.value is not None:
            if node.redirect:
                value = self.value(node.value, scope, t.String(), "the location", nullable=False)
            elif wanted is not None:
                value = self._returned(node.value, scope, wanted)
            else:
                value = self.expression(node.value, scope)
            if not node.redirect:
                scope.host.returned.append(value.type)
                scope.host.returned_with.append(shown_with(value, scope))
            if scope.host.inputs is not None:
                self._not_secret(node.value, value, "is secret and never answered", "CAI0352")
        status = self._status(node.status) if node.status is not None else None
        headers: tuple[ir.Entry, ...] = ()
        if isinstance(node.headers, ex.MapLiteral):
            headers = tuple(
                ir.Entry(e.key.text, self.value(e.value, scope, t.String(), f"header '{e.key.text}'")) for e in node.headers.entries
            )
        return s.Return(value=value, status=status, headers=headers, redirect=node.redirect, at=node.start)

    def _returned(self, node: ex.Expression, scope: Scope, wanted: t.Type) -> ir.Expression:
        expected = wanted.item if isinstance(wanted, t.Paginated) else wanted
        found = self.expression(node, scope, expected)
        if isinstance(t.required(expected), t.Record) and isinstance(t.required(found.type), t.Row | t.Record):
            self._check_shape(node, t.required(found.type), t.required(expected))
            return found
        if isinstance(wanted, t.Void):
            self.report.error(node, "this returns nothing", "CAI0342", help_text="say what it returns, or write 'return' alone")
            return found
        return self.fitted(node, found, expected, "the result")

    def _check_shape(self, node: Node, found: t.Type, wanted: t.Type) -> None:
        found, wanted = self.symbols.whole(found), self.symbols.whole(wanted)
        assert isinstance(wanted, t.Record)
        if isinstance(found, t.Record):
            names = {field.name for field in found.fields}
        else:
            assert isinstance(found, t.Row)
            names = set(self.symbols.entities[found.entity].member_names())
        missing = [field.name for field in wanted.fields if field.required and field.name not in names]
        if missing:
            about = Subject("", wanted.name, lacking=tuple(missing))
            said = f"missing {in_quotes(missing)} in the result"
            self.report.error(node, said, "CAI0306", help_text=for_missing(missing), subject=about)

    def _status(self, node: ex.Expression) -> int | None:
        if isinstance(node, ex.IntLiteral) and 200 <= node.value <= 599:
            return node.value
        hint = "" if isinstance(node, ex.IntLiteral) else "as in 'fail 404 \"no such order\"' or 'return order status 201'"
        self.report.error(node, "a status is a number from 200 to 599", "CAI0343", help_text=hint)
        return None

    def _failure(self, node: st.Failure | None, scope: Scope) -> s.Failure:
        if node is None:
            return s.Failure(422)
        status = self._status(node.status)
        if status is not None and status < 400:
            self.report.error(
                node.status,
                "a failure has a status from 400 to 599",
                "CAI0343",
                help_text="what succeeds is returned, not failed",
            )
        message = self.value(node.message, scope, t.String(), "the text of the failure") if node.message is not None else None
        code = node.code.value if isinstance(node.code, ex.StringLiteral) else node.code.text if isinstance(node.code, ex.Name) else None
        return s.Failure(status or 500, message, code)

    def _require(self, node: st.Require, scope: Scope) -> s.Statement:
        return s.Require(condition=self.condition(node.condition, scope), failure=self._failure(node.failure, scope), at=node.start)

    def _evaluate(self, node: st.ExpressionStatement, scope: Scope) -> s.Statement:
        if isinstance(node.value, ex.Binary) and node.value.operator == "=" and isinstance(node.value.left, ex.Member):
            left = node.value.left
            target, name = left.target.text if isinstance(left.target, ex.Name) else "row", left.name.text
            advice = f"a row is changed by 'update {target} {{ {name}: … }}', a variable by '{target} = …'"
            self.report.error(node, "members cannot be assigned", "CAI0311", help_text=advice)
            return s.Evaluate(value=broken(node), at=node.start)
        value = self.expression(node.value, scope)
        effects = (ir.CreateRow, ir.ChangeRow, ir.RemoveRow, ir.UpdateRows, ir.DeleteRows, ir.CallFunction, ir.Call, ir.Request, *_RUNS)
        if isinstance(value, ir.Shell):
            return s.Evaluate(value=msgspec.structs.replace(value, checked=True), at=node.start)
        demands = isinstance(value, ir.Selection) and value.kind == "get"  # answers 404
        if not isinstance(value, effects) and not demands and not isinstance(value.type, t.Unknown):
            self.report.warning(
                node, "this value is not used", "CAI0344", help_text="return it, give it a name with 'let', or leave it out"
            )
        return s.Evaluate(value=value, at=node.start)

    def _log(self, node: st.Log, scope: Scope) -> s.Statement:
        message = self.value(node.message, scope, t.String(), "the text of the log")
        data = tuple(ir.Entry(entry.key.text, self.expression(entry.value, scope)) for entry in node.data)
        for place, value in (
            (node.message, message),
            *zip((entry.value for entry in node.data), (entry.value for entry in data), strict=True),
        ):
            self._not_secret(place, value, "is secret and never logged", "CAI0345")
        level = node.level.text if node.level is not None else "info"
        return s.Log(level=level, message=message, data=data, at=node.start)  # type: ignore[arg-type]  # the parser knows the levels

    def _not_secret(self, node: Node, value: ir.Expression, said: str, code: str) -> None:
        for at, name in secrets_in(value, lambda entity, field: self.symbols.entities[entity].fields.get(field)):
            self.report.error(place_of(node, at), f"{name} {said}", code, help_text="leave it out, or name another field of the row")

    def _sleep(self, node: st.Sleep, scope: Scope) -> s.Statement:
        scope.host.sleeps.append(node)
        return s.Sleep(duration=self.ahead(node.duration, scope, "sleep"), at=node.start)

    def ahead(self, node: ex.Expression, scope: Scope, what: str) -> ir.Expression:
        """A duration by which time goes on."""
        if isinstance(node, ex.Unary) and node.operator == "-" and isinstance(node.operand, ex.DurationLiteral):
            self.report.error(node, f"'{what}' is not negative", "CAI0304", help_text="time goes on only")
        return self.value(node, scope, t.Duration(), what, nullable=False)

    def _as_user(self, node: st.AsUser, scope: Scope) -> s.Statement:
        if node.body is None and not (scope.host.test or scope.host.script):
            hint = "put what runs as this user into braces: as user { id: … } { … }"
            self.report.error(node, "'as user' without a block stands in tests and scripts only", "CAI0401", help_text=hint)
        principal = self._principal(node.principal, scope)
        body = self.block(node.body, scope.child()) if node.body is not None else ()
        return s.AsUser(principal=principal, body=body, at=node.start)

    def _principal(self, node: ex.Expression, scope: Scope) -> ir.Expression:
        entries: list[ir.Entry] = []
        for entry in node.entries if isinstance(node, ex.MapLiteral) else ():
            name = entry.key.text
            if name not in _PRINCIPAL:
                self.report.unknown(entry.key, f"unknown member '{name}' of user", name, _PRINCIPAL, "CAI0108")
                continue
            entries.append(ir.Entry(name, self._principal_value(name, entry.value, scope)))
        return ir.RecordOf(type=t.Record(()), entries=tuple(entries), at=node.start)

    def _principal_value(self, name: str, node: ex.Expression, scope: Scope) -> ir.Expression:
        if name not in ("roles", "permissions") or not isinstance(node, ex.ListLiteral):
            return self.expression(node, scope)
        items: list[ir.Expression] = []
        for item in node.items:
            text = item.text if isinstance(item, ex.Name) else item.value if isinstance(item, ex.StringLiteral) else ""
            if name == "roles":
                self.check_role(Identifier(item.start, item.end, text))
            items.append(ir.Constant(type=t.String(), value=text, at=item.start))
        return ir.ListOf(type=t.List(t.String()), items=tuple(items), at=node.start)

    def _expect(self, node: st.Expect, scope: Scope) -> s.Statement:
        if not scope.host.test:
            self.report.error(node, "'expect' stands in tests only", "CAI0346", help_text="elsewhere write 'require … else fail 409 \"…\"'")
        return s.Expect(condition=self.condition(node.condition, scope), at=node.start)


def finish(tree: _Tree, host: Host) -> _Tree:
    """Writes what the host found out about its selections into them: relations to load, rows to lock."""
    if not host.loads and not host.locks:
        return tree
    return cast("_Tree", _rewritten(tree, host))


def _rewritten(value: Any, host: Host) -> Any:
    if type(value) in _LEAVES:
        return value
    if isinstance(value, tuple):
        items = [_rewritten(item, host) for item in value]
        return value if all(new is old for new, old in zip(items, value, strict=True)) else tuple(items)
    if not isinstance(value, _NODES):
        return value
    changes: dict[str, Any] = {}
    for name in value.__struct_fields__:
        if name in ("type", "at"):
            continue
        old = getattr(value, name)
        new = _rewritten(old, host)
        if new is not old:
            changes[name] = new
    if isinstance(value, ir.Selection):
        changes |= _found_out(value, host)
    return msgspec.structs.replace(value, **changes) if changes else value


def _found_out(value: ir.Selection, host: Host) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    paths = {path for path in host.loads.get(value.at, ()) if path}
    if paths:
        changes["implied"] = tuple(sorted(paths))
    if value.at in host.locks and value.kind in ("get", "first"):
        changes["for_update"] = True
    return changes
