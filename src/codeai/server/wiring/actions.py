"""What the endpoints of a program do: from each action of the model to the one that serves it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from codeai.evaluate.program import Evaluator
from codeai.events.announcing import announcement
from codeai.events.outbox import Outbox
from codeai.http.blocks import BlockAction, UnavailableAction
from codeai.http.lists import ListAction
from codeai.http.plans import Action, Runtime
from codeai.http.projection import Projection
from codeai.http.rows import CreateAction, DeleteAction, GetAction, ModifyAction
from codeai.http.success import Success
from codeai.model.application import Application
from codeai.model.endpoint import CreateOne, DeleteOne, Endpoint, GetRow, ListRows, ModifyRow, ReplaceRow, RunBlock, Unavailable
from codeai.query.statements import Statements
from codeai.query.text import FilterText


class Actions:
    """Makes the actions of one server.

    :param outbox: where what ``on_success`` emits waits for its commit
    """

    def __init__(
        self,
        application: Application,
        statements: Statements,
        evaluator: Evaluator,
        projection: Projection,
        runtime: Runtime,
        outbox: Outbox,
    ) -> None:
        self._application = application
        self._statements = statements
        self._evaluator = evaluator
        self._projection = projection
        self._runtime = runtime
        self._outbox = outbox
        self._filter_text = FilterText(application)

    def of(self, endpoint: Endpoint) -> Action:
        """The action of an endpoint.

        :raises NotCompilable: something in it cannot stand there
        :raises QueryError: a query cannot be answered
        """
        action, model, success = endpoint.action, self._statements.model, self._success(endpoint)
        if isinstance(action, RunBlock):
            host = self._evaluator.block(action.body, endpoint.name)
            instant = self._evaluator.instant(action.body, endpoint.name)
            return BlockAction(endpoint, action, host, instant, self._projection.of(endpoint.returns.type), self._runtime, success)
        if isinstance(action, GetRow):
            return GetAction(model, self._evaluator, action, self._runtime, self._filter_text)
        if isinstance(action, ListRows):
            return ListAction(model, self._evaluator, endpoint, action, self._filter_text, self._runtime)
        if isinstance(action, CreateOne):
            location = self._location(action.entity)
            return CreateAction(model, self._evaluator, self._projection, endpoint, action, self._runtime, location, success)
        if isinstance(action, ModifyRow | ReplaceRow):
            return ModifyAction(model, self._evaluator, self._projection, endpoint, action, self._runtime, success)
        if isinstance(action, DeleteOne):
            return DeleteAction(model, self._evaluator, action, self._runtime, success)
        assert isinstance(action, Unavailable)
        return UnavailableAction(action)

    def _location(self, entity: str) -> Callable[[Mapping[str, Any]], str] | None:
        """The path at which a row of the entity is shown."""
        for endpoint in self._application.endpoints:
            action = endpoint.action
            if isinstance(action, GetRow) and action.entity == entity and not action.sources:
                parts, field = endpoint.path, action.field
                template = "/" + "/".join("{0}" if part.parameter else _plain(part.text) for part in parts)
                return lambda row: template.format(row[field])
        return None

    def _success(self, endpoint: Endpoint) -> Success | None:
        if not endpoint.on_success:
            return None
        host = self._evaluator.block(endpoint.on_success, f"{endpoint.name} on_success")
        return Success(host, announcement(endpoint.on_success, self._outbox, self._evaluator))


def _plain(text: str) -> str:
    """A text as a template that says the same."""
    return text.replace("{", "{{").replace("}", "}}")
