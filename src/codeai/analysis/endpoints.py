"""Endpoints and resources."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from codeai.analysis.inference import words
from codeai.analysis.scope import Host, Scope
from codeai.analysis.surroundings import Surroundings
from codeai.analysis.symbols import EntitySymbol
from codeai.analysis.ways import UNRETURNED, always_ends
from codeai.language import types as t
from codeai.language.naming import snake_case
from codeai.language.tree import declarations as d
from codeai.language.tree import expressions as ex
from codeai.language.tree.node import Identifier
from codeai.language.tree.workflows import WorkClause
from codeai.model.endpoint import (
    CreateOne,
    DeleteOne,
    Endpoint,
    EndpointAction,
    ErrorAnswer,
    GetRow,
    Inputs,
    ModifyRow,
    Returns,
    RunBlock,
    Segment,
    Shape,
)
from codeai.model.security import Guard
from codeai.model.statement import Block

_ACTIONS: Final = ("list", "get", "create", "update", "delete")
_LISTING: Final = ("page_size", "max_page_size", "filter_by", "sort_by", "sort", "filter")
# Clauses of actions, by the actions that they mean something to.
_FITTING: Final = {
    ("list",): _LISTING,
    ("create", "update"): ("body", "validate"),
    ("create", "update", "delete"): ("on_success",),
}


class Endpoints(Surroundings):
    """Elaborates the HTTP interface."""

    default_auth: str | None = None
    prefix: tuple[Segment, ...] = ()

    def endpoint(self, node: d.EndpointDeclaration) -> Endpoint:
        """One declared endpoint."""
        clauses = node.clauses
        self.single_clauses(clauses)
        self._body_fits(node)
        clauses = (*clauses, *_annotated_roles(node.annotations))
        verify = self.verification(clauses)
        # A verified signature is the guard of an endpoint that says nothing else.
        guard = self.guard(node, clauses, "public" if verify is not None else self.default_auth)
        returns = self._returns(clauses)
        block = next((clause for clause in clauses if isinstance(clause, d.DoClause)), None)
        if block is not None:
            inputs = self.inputs(node.path, clauses, {})
            action, returns = self._block(node, block, inputs, returns)
        else:
            action, inputs, returns = self.inferred(node, returns)
        on_success, action = self._with_success(clauses, inputs, returns, action)
        return Endpoint(
            name=self._operation_name(node),
            method=node.method.text if node.method.text in ("GET", "POST", "PUT", "PATCH", "DELETE") else "GET",  # type: ignore[arg-type]  # one of the methods
            path=(*self.prefix, *_segments(node.path)),
            guard=guard,
            inputs=inputs,
            returns=returns,
            action=action,
            errors=self._errors(clauses),
            on_success=on_success,
            verify=verify,
            timeout_ms=self.milliseconds(clauses, "timeout"),
            description=node.description,
            at=node.start,
            **self.surroundings(clauses, node.annotations, node.method.text),
            **self._annotations(node.annotations, node.path, clauses),
        )

    def _with_success(
        self, clauses: tuple[d.Clause, ...], inputs: Inputs, returns: Returns, action: EndpointAction
    ) -> tuple[Block, EndpointAction]:
        """``on_success``, and the action that knows whether its transaction writes."""
        body, host = self.success(clauses, inputs, returns, action)
        if isinstance(action, RunBlock) and host is not None:
            action = msgspec.structs.replace(action, writes=action.writes or host.writes)
        return body, action

    def _operation_name(self, node: d.EndpointDeclaration) -> str:
        parts = [node.method.text.lower()]
        for segment in node.path.segments:
            parts.append(f"by_{segment.text}" if segment.parameter else segment.text.replace("-", "_").replace(".", "_"))
        return "_".join(parts)

    def single_clauses(self, clauses: tuple[d.Clause, ...]) -> None:
        """Reports clauses that stand twice where once is all that counts."""
        seen: dict[str, d.Clause] = {}
        for clause in clauses:
            if isinstance(clause, d.ErrorClause | d.ActionSettings | WorkClause):
                continue
            key = _clause_key(clause)
            if key in seen:
                self.report.duplicate(clause, key, seen[key])
            seen[key] = clause

    def _annotations(self, annotations: tuple[d.Annotation, ...], path: d.Path, clauses: tuple[d.Clause, ...]) -> dict[str, Any]:
        first = next((segment.text for segment in path.segments if not segment.parameter), "")
        tags = next((clause for clause in clauses if isinstance(clause, d.NamesClause) and clause.key.text == "tags"), None)
        if tags is not None:
            self.names_something(tags)
        found: dict[str, Any] = {"tags": tuple(name.text for name in tags.names) if tags is not None else (first,) if first else ()}
        seen: dict[str, d.Annotation] = {}
        for annotation in annotations:
            name = annotation.name.text
            if name in seen:
                self.report.duplicate(annotation, f"@{name}", seen[name])
            seen.setdefault(name, annotation)
            texts = tuple(argument.value for argument in annotation.arguments if isinstance(argument, ex.StringLiteral))
            self._check_texts(annotation, len(texts))
            if name in ("deprecated", "internal"):
                found[name] = True
            elif name == "tag":
                found["tags"] = texts
            elif name in ("summary", "version") and texts:
                found[name] = texts[0]
        return found

    def _body_fits(self, node: d.EndpointDeclaration) -> None:
        """A body of GET or DELETE means nothing to HTTP (RFC 9110, sections 9.3.1 and 9.3.5): who stands between may drop it."""
        for clause in node.clauses if node.method.text in ("GET", "DELETE") else ():
            if isinstance(clause, d.InputClause) and clause.place.text == "body":
                said = f"the body of a {node.method.text} may be lost on its way"
                self.report.warning(clause.place, said, "CAI0521", help_text="take it as 'query { … }', or by POST")

    def _check_texts(self, annotation: d.Annotation, texts: int) -> None:
        name, given = annotation.name.text, len(annotation.arguments)
        if name in ("deprecated", "internal") and given:
            self.report.error(annotation, f"'@{name}' takes nothing", "CAI0518", help_text=f"write @{name}")
        if name == "auth" and not (texts and texts == given):
            self.report.error(annotation, "'@auth' takes roles", "CAI0518", help_text='as in @auth("admin")')
        if name in ("summary", "version", "tag") and not (given == texts and (texts == 1 or (name == "tag" and texts > 1))):
            self.report.error(annotation, f"'@{name}' takes a text", "CAI0518", help_text=f'as in @{name}("…")')

    def _returns(self, clauses: tuple[d.Clause, ...]) -> Returns | None:
        clause = next((clause for clause in clauses if isinstance(clause, d.ReturnsClause)), None)
        if clause is None:
            return None
        type_ = self.resolve(clause.type)
        status = self._status(clause.status) if clause.status is not None else None
        return Returns(type=None if isinstance(type_, t.Void) else type_, status=status, media_type=clause.media_type)

    def _errors(self, clauses: tuple[d.Clause, ...]) -> tuple[ErrorAnswer, ...]:
        found: list[ErrorAnswer] = []
        seen: dict[tuple[int | None, str | None], d.Clause] = {}
        for clause in clauses:
            if isinstance(clause, d.ErrorClause):
                status = self._status(clause.status)
                if status is not None and (status, clause.code) in seen:
                    self.report.duplicate(clause, f"error {status}", seen[status, clause.code])
                seen[status, clause.code] = clause
                if status is not None and status < 400:
                    self.report.error(
                        clause.status,
                        "a failure has a status from 400 to 599",
                        "CAI0343",
                        help_text="what succeeds is returned, not failed",
                    )
                elif status is not None:
                    found.append(ErrorAnswer(status=status, message=clause.message, code=clause.code))
        return tuple(found)

    # -- blocks ----------------------------------------------------------------------------------------------------

    def _block(
        self, node: d.EndpointDeclaration, clause: d.DoClause, inputs: Inputs, returns: Returns | None
    ) -> tuple[EndpointAction, Returns]:
        wanted = (returns.type if returns.type is not None else t.Void()) if returns is not None else None
        host = Host("an endpoint", inputs=inputs, result=wanted)
        for other in node.clauses:
            if _clause_key(other) in (*_LISTING, "validate") and not isinstance(other, d.ValidateClause):
                said = f"'{_clause_key(other)}' goes with generated operations"
                self.report.error(other, said, "CAI0512", help_text="in a block write it into the query")
        body = self.host_block(clause.body, Scope(host))
        if returns is None:
            returns = Returns(type=self._inferred_result(host, ends=always_ends(clause.body)), declared=False)
        elif returns.type is not None and not always_ends(clause.body):
            self.report.absent(clause, node.method, "not every way through this block returns a result", "CAI0506", help_text=UNRETURNED)
        isolation = next(
            (
                c.value.value
                for c in node.clauses
                if isinstance(c, d.ValueClause) and c.key.text == "isolation" and isinstance(c.value, ex.StringLiteral)
            ),
            "read committed",
        )
        if isolation not in ("read committed", "serializable"):
            place = next((c.value for c in node.clauses if isinstance(c, d.ValueClause) and c.key.text == "isolation"), node)
            self.report.error(place, f"unknown isolation '{isolation}'", "CAI0507", help_text="read committed or serializable")
            isolation = "read committed"
        self._outside_effects(host, isolation)
        action = RunBlock(body=body, writes=host.writes, isolation=isolation, validations=self.validations(node.clauses, None))  # type: ignore[arg-type]  # checked above
        return action, returns

    def _outside_effects(self, host: Host, isolation: str) -> None:
        """What leaves the database can neither be rolled back nor be done a second time."""
        for word, node in host.effects:
            if word == "send":
                continue
            if isolation == "serializable":
                self.report.error(
                    node,
                    f"'{word}' cannot stand in a serializable block, which may run again",
                    "CAI0517",
                    help_text="move it to a workflow and 'start' that",
                )
            elif host.writes:
                hint = "move it to a workflow and 'start' that"
                self.report.warning(node, f"'{word}' in a block that writes cannot be rolled back", "CAI0516", help_text=hint)

    def _inferred_result(self, host: Host, *, ends: bool) -> t.Type | None:
        if not host.returned:
            return None
        first = host.returned[0]
        same = all(t.required(other) == t.required(first) for other in host.returned)
        optional = not ends or any(map(t.is_nullable, host.returned))
        return t.Json() if not same else t.optional(first) if optional else first

    # -- resources -------------------------------------------------------------------------------------------------

    def resource(self, node: d.ResourceDeclaration) -> list[Endpoint]:
        """The endpoints of a resource, one per action."""
        if not self.known_entity(node.entity):
            return []
        entity = self.symbols.entities[node.entity.text]
        if any(segment.parameter for segment in node.path.segments):
            self.report.error(node.path, "the path of a resource has no parameters", "CAI0508", help_text="declare endpoints instead")
        common = tuple(clause for clause in node.clauses if not isinstance(clause, d.ActionSettings))
        common = (*common, *_annotated_roles(node.annotations))
        self.single_clauses(common)
        around = self.surroundings(common, node.annotations, "GET")
        actions = self._actions(node)
        settings: dict[str, list[d.ActionSettings]] = {name: [] for name in _ACTIONS}
        for clause in node.clauses:
            if isinstance(clause, d.ActionSettings):
                self._fitting_settings(clause, actions)
            for name in clause.actions if isinstance(clause, d.ActionSettings) else ():
                if name.text in settings and isinstance(clause, d.ActionSettings):
                    settings[name.text].append(clause)
        found: list[Endpoint] = []
        for action in actions:
            own = tuple(inner for outer in settings[action] for inner in outer.clauses)
            self.single_clauses(own)
            markers = tuple(settings[action][:1])
            guard = self.guard(node, (*common, *markers, *own), self.default_auth)
            found.append(self._action(node, entity, action, own, guard, common, around))
        return found

    def _fitting_settings(self, clause: d.ActionSettings, actions: tuple[str, ...]) -> None:
        """Settings of an action that the resource has, and that mean something to it."""
        self.distinct(clause.actions)
        for name in clause.actions:
            if name.text in _ACTIONS and name.text not in actions:
                hint = f"add '{name.text}' to 'actions', or drop its settings"
                self.report.error(name, f"this resource has no action '{name.text}'", "CAI0115", help_text=hint)
        for inner in clause.clauses:
            key = _clause_key(inner)
            for fitting, what in _FITTING.items():
                strange = [name.text for name in clause.actions if name.text not in fitting]
                if key in what and len(strange) == len(clause.actions):  # several actions may share what means something to some
                    self.report.error(
                        inner, f"'{key}' means nothing to '{strange[0]}'", "CAI0512", help_text=f"it goes with {_listed(fitting)}"
                    )

    def _actions(self, node: d.ResourceDeclaration) -> tuple[str, ...]:
        for clause in node.clauses:
            if isinstance(clause, d.NamesClause) and clause.key.text == "actions":
                self.names_something(clause)
                self.distinct(clause.names)
                for name in clause.names:
                    if name.text not in _ACTIONS:
                        self.report.unknown(name, f"unknown action '{name.text}'", name.text, _ACTIONS, "CAI0115")
                return tuple(dict.fromkeys(name.text for name in clause.names if name.text in _ACTIONS))
        return _ACTIONS

    def _action(
        self,
        node: d.ResourceDeclaration,
        entity: EntitySymbol,
        action: str,
        clauses: tuple[d.Clause, ...],
        guard: Guard,
        common: tuple[d.Clause, ...],
        around: dict[str, Any],
    ) -> Endpoint:
        method = {"list": "GET", "get": "GET", "create": "POST", "update": "PATCH", "delete": "DELETE"}[action]
        path = (*self.prefix, *_segments(node.path))
        if action in ("get", "update", "delete"):
            path = (*path, Segment(entity.primary, True))
        inputs, returns, built = self._built(node, entity, action, clauses)
        name = snake_case(entity.name) if action != "list" else entity.table
        written = _own_success(common, clauses) if action not in ("list", "get") else ()
        on_success, built = self._with_success(written, inputs, returns, built)
        return Endpoint(
            name=f"{action}_{name}",
            method=method,  # type: ignore[arg-type]  # one of the methods
            path=path,
            guard=guard,
            inputs=inputs,
            returns=returns,
            action=built,
            on_success=on_success,
            timeout_ms=self.milliseconds(clauses, "timeout"),
            summary=f"{action.capitalize()} {words(name)}",
            description=node.description,
            at=node.start,
            **_surrounded(around, self.surroundings(clauses, (), method), method),
            **self._annotations(node.annotations, node.path, common),
        )

    def _built(
        self, node: d.ResourceDeclaration, entity: EntitySymbol, action: str, clauses: tuple[d.Clause, ...]
    ) -> tuple[Inputs, Returns, EndpointAction]:
        """What an action takes, gives and does."""
        tree_path, known = node.path, {}
        if action in ("get", "update", "delete"):
            start, end = node.path.start, node.path.end
            tree_path = d.Path(start, end, (*node.path.segments, d.PathSegment(start, end, entity.primary, True)))
            key = entity.fields.get(entity.primary)
            known = {entity.primary: key.type if key is not None else t.Unknown()}
        inputs = self.inputs(tree_path, clauses, known)
        row = t.Row(entity.name)
        name, primary = entity.name, entity.primary
        if action == "list":
            listing, inputs = self.listing(entity, clauses, inputs, (), paginated=True)
            return inputs, Returns(type=t.Paginated(row)), listing
        if action == "get":
            return inputs, Returns(type=row), GetRow(entity=name, parameter=primary, field=primary)
        if action == "create":
            created = CreateOne(entity=name, validations=self.validations(clauses, entity))
            return _with_body(inputs, self.entity_shape(entity, "create")), Returns(type=row, status=201), created
        if action == "update":
            changed = ModifyRow(entity=name, parameter=primary, field=primary, validations=self.validations(clauses, entity))
            return _with_body(inputs, self.entity_shape(entity, "update")), Returns(type=row), changed
        return inputs, Returns(type=None, status=204), DeleteOne(entity=name, parameter=primary, field=primary)


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(f"'{name}'" for name in names)


def _annotated_roles(annotations: tuple[d.Annotation, ...]) -> tuple[d.Clause, ...]:
    """``@auth("admin")`` is ``roles: [admin]``."""
    found: list[d.Clause] = []
    for annotation in annotations:
        if annotation.name.text == "auth":
            key = Identifier(annotation.name.start, annotation.name.end, "roles")
            names = tuple(Identifier(a.start, a.end, a.value) for a in annotation.arguments if isinstance(a, ex.StringLiteral))
            found.append(d.NamesClause(annotation.start, annotation.end, key, names))
    return tuple(found)


def _surrounded(common: dict[str, Any], own: dict[str, Any], method: str) -> dict[str, Any]:
    """What stands around an action of a resource: its own wins; the resource's cache is one of the actions that read."""
    return {
        "middleware": tuple(dict.fromkeys((*common["middleware"], *own["middleware"]))),
        "rate_limit": own["rate_limit"] or common["rate_limit"],
        "cache": own["cache"] or (common["cache"] if method == "GET" else None),
    }


def _own_success(common: tuple[d.Clause, ...], own: tuple[d.Clause, ...]) -> tuple[d.Clause, ...]:
    """The ``on_success`` of an action: its own, else that of the whole resource."""
    found = [clause for clause in (*own, *common) if isinstance(clause, d.OnClause)]
    return tuple(found[:1])


def _with_body(inputs: Inputs, shape: Shape) -> Inputs:
    return inputs if inputs.body is not None else msgspec.structs.replace(inputs, body=shape)


def _segments(path: d.Path) -> tuple[Segment, ...]:
    return tuple(Segment(segment.text, segment.parameter) for segment in path.segments)


def _clause_key(clause: d.Clause) -> str:
    key = getattr(clause, "key", None)
    if isinstance(key, Identifier):
        return key.text
    if isinstance(clause, d.InputClause):
        return clause.place.text
    return snake_case(type(clause).__name__.removesuffix("Clause"))
