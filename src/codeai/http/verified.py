"""Inbound webhooks: an endpoint whose sender is verified before anything of the request is decoded.

The identifier of the message then has the place of an ``Idempotency-Key`` (see ``idempotency``): what was received once has its
effects once, and its repetitions get the answer of the first time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from codeai.http.messages import Request, Response
from codeai.http.plans import EndpointPlan, Runtime
from codeai.http.problems import Problem


class Verifier(Protocol):
    """Knows the sender of a request by the raw body."""

    def verify(self, headers: Mapping[bytes, bytes], body: bytes) -> str:
        """The identifier of the message; raises what ``VerifiedPlan`` was told to expect."""


class VerifiedPlan:
    """A plan behind a verifier; it stands where the plan would stand.

    :param rejection: what the verifier raises
    """

    def __init__(self, plan: EndpointPlan, verifier: Verifier, rejection: type[Exception], runtime: Runtime) -> None:
        self.template = plan.template
        self.name = plan.name
        self.declared = plan.declared
        self.media_type = plan.media_type
        self._plan = plan
        self._verifier = verifier
        self._rejection = rejection
        self._runtime = runtime

    async def handle(self, request: Request, values: list[str]) -> Response:
        """See ``EndpointPlan.handle``; 401 without a good signature."""
        settings = self._runtime.settings
        body = await request.body(settings.max_body, settings.body_timeout, self._runtime.deadlines)
        try:
            request.receipt = self._verifier.verify(request.headers, body)
        except self._rejection as error:
            raise Problem(401, str(error), getattr(error, "code", None), hint="sign the raw body as it is sent") from None
        request.keep(body)
        return await self._plan.handle(request, values)
