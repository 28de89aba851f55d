"""POST /api/v1/query: the query language for operators."""

from __future__ import annotations

import logging
from typing import Any

import msgspec

from codeai.control.audit import Trail
from codeai.control.exchange import Exchange
from codeai.control.queries import OperatorQueries
from codeai.http.messages import Response
from codeai.http.plans import json_response
from codeai.http.problems import FieldError, Problem
from codeai.query.errors import QueryError
from codeai.storage.errors import DatabaseUnavailable, PoolExhausted, StorageError
from codeai.storage.interface import Database

_LOG = logging.getLogger("codeai.control")


class QueryRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A query text with the values of its ``params.name``; it may write only when told to."""

    q: str
    params: dict[str, Any] = {}
    write: bool = False


class QueryPage:
    """Answers queries as ``{"data": …}``."""

    def __init__(self, queries: OperatorQueries, database: Database, trail: Trail) -> None:
        self._queries = queries
        self._database = database
        self._trail = trail

    async def run(self, exchange: Exchange) -> Response:
        """Runs one text; 422 with the class and text of the error when it cannot."""
        asked = await exchange.body(QueryRequest)
        try:
            found = await self._write(asked, exchange.actor) if asked.write else await self._queries.read(asked.q, asked.params)
        except (DatabaseUnavailable, PoolExhausted):
            raise
        except QueryError as error:
            raise _problem(type(error).__name__, str(error), error.hint) from error
        except StorageError as error:
            _LOG.error("a query failed", extra={"cause": str(error)})
            raise _problem("ExecutionError", "the database could not run the query", "the log has the cause") from error
        return json_response({"data": found})

    async def _write(self, asked: QueryRequest, actor: str | None) -> Any:
        async with self._database.transaction() as session:
            found = await self._queries.write(session, asked.q, asked.params)
            await self._trail.write(session, actor, "query", "query", "", after={"q": asked.q})
            return found


def _problem(kind: str, message: str, hint: str) -> Problem:
    return Problem(422, f"{kind}: {message}", "invalid_query", errors=(FieldError("q", kind, message),), hint=hint)
