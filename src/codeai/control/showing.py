"""Single rows of the operators' entities, in the shape in which the lists show them."""

from __future__ import annotations

from typing import Any, Final

from codeai.auth.principal import SYSTEM
from codeai.control.exchange import unknown
from codeai.control.reading import Reading
from codeai.evaluate.context import Context
from codeai.evaluate.program import Evaluator
from codeai.http.plans import Runtime
from codeai.http.problems import Problem
from codeai.http.projection import Projection
from codeai.query.errors import QueryError
from codeai.query.statements import Statements
from codeai.query.text import parse_query_text
from codeai.query.text.symbols import symbols_of

_ACT: Final = {"execution": "it can be cancelled, and fails by itself after 20 tries", "job": "it can be cancelled"}


class Showing:
    """Reads rows by their key."""

    def __init__(self, reading: Reading, runtime: Runtime) -> None:
        application = reading.application
        self._runtime = runtime
        self._keys = {entity.name: entity.primary for entity in application.entities}
        self._symbols = symbols_of(application)
        self._statements = Statements(application, runtime.database.dialect)
        self._evaluator = Evaluator(application, self._statements, {})
        self._projection = Projection(application, self._evaluator)

    async def row(self, entity: str, key: str) -> dict[str, Any]:
        """A row.

        :raises Problem: 404 when there is none, also for a key that cannot be one; 500 for one whose columns nobody can read
        """
        runtime = self._runtime
        text = f"first {entity} where {self._keys[entity]} == params.key"
        try:
            expression = parse_query_text(text, self._symbols, parameters={"key": key})
        except QueryError:
            raise unknown(entity, key) from None
        plan = self._statements.compile(expression)
        context = Context(SYSTEM, runtime.database, runtime.clock(), runtime.services, runtime.log)
        try:
            found = await plan.run(runtime.database, self._evaluator.values(plan.values)(context))
        except ValueError as error:
            hint = f"'sort' and 'q' of the lists find it; {_ACT.get(entity, 'see what has written it')}"
            raise Problem(500, f"{entity} '{key}' cannot be read: {error}", "unreadable", hint=hint) from error
        if found is None:
            raise unknown(entity, key)
        shown: dict[str, Any] = self._projection.of(expression.type)(found, context)
        return shown
