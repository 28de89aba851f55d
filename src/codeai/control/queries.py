"""Queries of operators: the program's entities and those of the server itself, read by default, written when asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from codeai.auth.principal import SYSTEM
from codeai.control.reading import Reading, with_operator_entities
from codeai.evaluate.context import Context
from codeai.evaluate.program import Evaluator
from codeai.http.plans import Runtime
from codeai.http.projection import Projection
from codeai.model.application import Application
from codeai.query.statements import Statements
from codeai.query.text import parse_query_text, parse_statement_text
from codeai.query.text.symbols import symbols_of
from codeai.storage.interface import Session


class OperatorQueries:
    """Runs query texts of operators; they pass row policies, and secret fields have no name for them.

    :param environment: what ``env`` reads in computed fields
    """

    def __init__(self, application: Application, reading: Reading, runtime: Runtime, environment: Mapping[str, str]) -> None:
        both = with_operator_entities(application, reading)
        self._symbols = symbols_of(both)
        self._runtime = runtime
        self._statements = Statements(both, runtime.database.dialect)
        self._evaluator = Evaluator(both, self._statements, environment)
        self._projection = Projection(both, self._evaluator)

    def check(self, text: str, parameters: Mapping[str, Any] | None = None, *, write: bool = False) -> None:
        """Raises what ``read``, or ``write``, would find wrong with a text before the database is asked."""
        parse = parse_statement_text if write else parse_query_text
        parse(text, self._symbols, self._runtime.clock(), parameters)

    async def read(self, text: str, parameters: Mapping[str, Any] | None = None) -> Any:
        """The result of a query, as it is encoded.

        :param parameters: the values of ``params.name``
        :raises QueryError: the text is no query, or the query cannot be answered
        :raises StorageError: the database refuses it
        """
        expression = parse_query_text(text, self._symbols, self._runtime.clock(), parameters)
        return await self._run(self._runtime.database, expression)

    async def write(self, session: Session, text: str, parameters: Mapping[str, Any] | None = None) -> Any:
        """The result of a query or of one write, in the transaction of the session; raises as ``read``."""
        expression = parse_statement_text(text, self._symbols, self._runtime.clock(), parameters)
        return await self._run(session, expression)

    async def _run(self, session: Session, expression: Any) -> Any:
        runtime = self._runtime
        plan = self._statements.compile(expression)
        context = Context(SYSTEM, session, runtime.clock(), runtime.services, runtime.log, effects=runtime.effects)
        found = await plan.run(session, self._evaluator.values(plan.values)(context))
        return self._projection.of(expression.type)(found, context)
