"""The endpoints of a program: for each, a plan behind its guard, and what stands around it."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from codeai.auth.guard import Guard, Provider
from codeai.events.signatures import SignatureRejected
from codeai.http.application import Handler
from codeai.http.middleware.surrounded import GatedPlan
from codeai.http.multipart import FormReader
from codeai.http.parameters import ParameterDecoder, reader
from codeai.http.plans import EndpointPlan, Runtime
from codeai.http.projection import Projection
from codeai.http.shapes import ShapeDecoder, ShapeTypes
from codeai.http.verified import VerifiedPlan
from codeai.language import types as t
from codeai.model.endpoint import Endpoint, ListRows
from codeai.server.errors import StartError, compiling
from codeai.server.wiring.actions import Actions
from codeai.server.wiring.events import Eventing
from codeai.server.wiring.foundation import Foundation
from codeai.server.wiring.middleware import Surrounding


class Endpoints:
    """Makes what answers at them.

    :param providers: who knows callers, by name
    :param eventing: where events wait for their commit, and who knows senders of webhooks
    """

    def __init__(
        self, foundation: Foundation, runtime: Runtime, surrounding: Surrounding, providers: Mapping[str, Provider], eventing: Eventing
    ) -> None:
        application, evaluator = foundation.application, foundation.evaluator
        self._foundation = foundation
        self._runtime = runtime
        self._surrounding = surrounding
        self._providers = providers
        self._eventing = eventing
        self._types = ShapeTypes(application, foundation.default)
        projection = Projection(application, evaluator)
        self._actions = Actions(application, foundation.statements, evaluator, projection, runtime, eventing.outbox)

    def handler(self, endpoint: Endpoint) -> Handler:
        """What answers at an endpoint.

        :raises StartError: it cannot be built
        """
        plan = self._plan(endpoint)
        if endpoint.verify is None:
            return self._surrounding.around(endpoint, plan)
        verified = VerifiedPlan(plan, self._eventing.verifier(endpoint.verify), SignatureRejected, self._runtime)
        return self._surrounding.around(endpoint, verified)

    def _guard(self, endpoint: Endpoint) -> Guard:
        guard = self._surrounding.guard(endpoint)
        if guard.silent and not self._foundation.settings.development:
            raise StartError(f"'{endpoint.method} {endpoint.template}' says nothing of auth, and the program has none", endpoint.at)
        names = guard.providers or tuple(self._providers)
        for name in names:
            if name not in self._providers:
                raise StartError(f"unknown auth '{name}'", endpoint.at)
        return Guard(guard, tuple(self._providers[name] for name in names))

    def _plan(self, endpoint: Endpoint) -> EndpointPlan:
        with compiling(endpoint.at):
            action = self._surrounding.cached(endpoint, self._actions.of(endpoint))
        gates = self._surrounding.gates(endpoint)
        kind: Any = functools.partial(GatedPlan, gates=gates) if gates else EndpointPlan
        body, key_of = endpoint.inputs.body, self._key_type
        plan: EndpointPlan = kind(
            endpoint,
            self._guard(endpoint),
            action,
            self._runtime,
            readers=tuple((field.name, reader(field, key_of)) for field in endpoint.inputs.path),
            **self._parameters(endpoint),
            body=ShapeDecoder(body, self._types, self._foundation.default) if body is not None and not body.open else None,
            open_body=body is not None and body.open,
            form=FormReader(body, key_of) if body is not None and body.multipart else None,
        )
        return plan

    def _parameters(self, endpoint: Endpoint) -> dict[str, ParameterDecoder | None]:
        """What decodes those of the query, the headers and the cookies, where there are any."""
        inputs, key_of, default = endpoint.inputs, self._key_type, self._foundation.default
        listing = isinstance(endpoint.action, ListRows)
        query = ParameterDecoder("query", inputs.query, key_of, default, closed=inputs.closed_query, listing=listing)
        return {
            "query": query if inputs.query or inputs.closed_query else None,
            "header": ParameterDecoder("header", inputs.header, key_of, default) if inputs.header else None,
            "cookie": ParameterDecoder("cookie", inputs.cookie, key_of, default) if inputs.cookie else None,
        }

    def _key_type(self, entity: str) -> t.Type:
        return self._foundation.application.entity(entity).primary_field.type
