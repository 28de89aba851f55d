"""From declared integrations to clients. What cannot be built is an error of the start."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

import msgspec

from codeai.cache.flights import Cache
from codeai.evaluate.operations import text
from codeai.integrations import authentication as auth
from codeai.integrations.addresses import AddressPolicy
from codeai.integrations.answers import Absent, AnswerReader
from codeai.integrations.breaker import CircuitBreaker, Machine
from codeai.integrations.client import IntegrationClient, OperationPlan, Surroundings, Throttle
from codeai.integrations.errors import BadAddress
from codeai.integrations.outbound import OURS, Outbound, host_of
from codeai.integrations.requests import Default, Headers, HeaderValues, RequestWriter, sendable
from codeai.model.event import Retry
from codeai.model.expression import Entry, Expression
from codeai.model.integration import Breaker, Integration, Operation
from codeai.model.record_rules import NO_RULES, RecordRules

_NO_RETRY: Final = Retry(times=0)
_SECRETS: Final = frozenset(["token", "password", "key", "client_secret"])


class NotBuildable(Exception):
    """An integration that cannot be built; ``at`` is its place in the program."""

    def __init__(self, message: str, at: int) -> None:
        super().__init__(message)
        self.at = at


class Values(Protocol):
    """Computes the expressions of declarations (the evaluator)."""

    def constant(self, expression: Expression) -> object:
        """The value of an expression that needs nothing."""

    def values(self, expressions: tuple[Expression, ...]) -> Callable[[Any], tuple[Any, ...]]:
        """A function that computes expressions over the values of a context."""


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """What clients are made with. ``machine`` and ``throttle`` decide where the state of breakers and limits lives."""

    policy: AddressPolicy
    machine: Callable[[str, Breaker], Machine]
    throttle: Callable[[Integration], Throttle | None]
    now: Callable[[], float]
    surroundings: Surroundings
    default: Default
    absent: Absent = lambda _: {}
    records: RecordRules = NO_RULES
    cache: Cache | None = None
    on_change: Callable[[str, Any], None] | None = None


class _Arguments:
    """The context of header values: the arguments of the call."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = values


def client(model: Integration, values: Values, parts: Parts) -> IntegrationClient:
    """The client of one integration.

    :raises NotBuildable: an address, a secret or a header is unusable
    """
    base = text(values.constant(model.base_url))
    settings = {entry.name: values.constant(entry.value) for entry in model.auth[1]} if model.auth is not None else {}
    for name in _SECRETS & settings.keys():
        if not settings[name]:
            raise NotBuildable(f"the {name} of integration '{model.name}' is empty", model.at)
    hosts = [_host(base, f"base_url of integration '{model.name}'", model.at)]
    if "token_url" in settings:
        hosts.append(_host(text(settings["token_url"]), f"token_url of integration '{model.name}'", model.at))
    outbound = Outbound(parts.policy.trusting(*hosts))
    return IntegrationClient(
        model.name,
        base,
        outbound,
        operations(model, values, parts.default, parts.absent, parts.records),
        authentication=_authentication(model.auth[0], settings, outbound) if model.auth is not None else None,
        breaker=CircuitBreaker(model.name, parts.machine(model.name, model.breaker or Breaker()), parts.now, parts.on_change),
        throttle=parts.throttle(model),
        cache=parts.cache,
        surroundings=parts.surroundings,
    )


def operations(
    model: Integration, values: Values, default: Default, absent: Absent = lambda _: {}, records: RecordRules = NO_RULES
) -> dict[str, OperationPlan]:
    """The plans of an integration's operations, by name; raises NotBuildable."""
    fixed = _headers(model.headers, values, model)
    return {operation.name: _operation(operation, model, values, fixed, default, absent, records) for operation in model.operations}


def _host(url: str, what: str, at: int) -> str:
    try:
        host = host_of(url)
    except BadAddress as error:
        raise NotBuildable(f"{what}: {error}", at) from error
    if "?" in url or "#" in url:
        raise NotBuildable(f"{what}: it has a query or a fragment", at)
    return host


def _authentication(kind: str, settings: Mapping[str, Any], outbound: Outbound) -> auth.Authentication:
    given = {name: " ".join(map(text, value)) if isinstance(value, list) else text(value) for name, value in settings.items()}
    if kind == "bearer":
        return auth.bearer(given["token"])
    if kind == "basic":
        return auth.basic(given["username"], given["password"])
    if kind == "api_key":
        return auth.api_key(given["key"], header=given.get("header"), query=given.get("query"))
    return auth.ClientCredentials(
        outbound, given["token_url"], given["client_id"], given["client_secret"], given.get("scopes", ""), time.monotonic
    )


def _headers(entries: tuple[Entry, ...], values: Values, model: Integration) -> tuple[tuple[str, str], ...]:
    found = tuple((entry.name, text(values.constant(entry.value))) for entry in entries)
    for name, value in found:
        _check_name(name, model)
        if not sendable(value):
            raise NotBuildable(f"header '{name}' of integration '{model.name}' is not printable", model.at)
    return found


def _check_name(name: str, model: Integration) -> None:
    if name.lower() in OURS:
        raise NotBuildable(f"header '{name}' of integration '{model.name}' is written by the client", model.at)


def _operation(
    model: Operation, owner: Integration, values: Values, fixed: Headers, default: Default, absent: Absent, records: RecordRules
) -> OperationPlan:
    graphql = owner.kind == "graphql"
    mutation = graphql and model.document.lstrip().startswith("mutation")
    for entry in model.headers:
        _check_name(entry.name, owner)
    return OperationPlan(
        name=model.name,
        writer=RequestWriter(model, _header_values(model, fixed, values), default, graphql=graphql, records=records),
        reader=AnswerReader(model.result, absent),
        idempotent=model.idempotent or (graphql and not mutation),
        keyed=model.idempotent,
        cache=_kept(model, graphql=graphql, mutation=mutation),
        graphql=graphql,
        timeout=(model.timeout if model.timeout is not None else owner.timeout) / 1000,
        retry=model.retry or owner.retry or _NO_RETRY,
    )


def _kept(model: Operation, *, graphql: bool, mutation: bool) -> float:
    """Seconds for which an answer may be kept.

    :raises NotBuildable: the operation changes something
    """
    if not model.cache:
        return 0.0
    if mutation or (not graphql and model.method not in ("GET", "HEAD")):
        raise NotBuildable(f"operation '{model.name}' changes something, so its answer is not kept in a cache", model.at)
    return model.cache / 1000


def _header_values(model: Operation, fixed: tuple[tuple[str, str], ...], values: Values) -> HeaderValues:
    if not model.headers:
        return lambda arguments: fixed
    names = [entry.name for entry in model.headers]
    compute = values.values(tuple(entry.value for entry in model.headers))
    absent = dict.fromkeys((field.name for field in model.arguments.fields), None)
    overridden = {name.lower() for name in names}
    kept = tuple((name, value) for name, value in fixed if name.lower() not in overridden)

    def headers(arguments: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
        found = compute(_Arguments({**absent, **arguments}))
        return (*kept, *((name, text(value)) for name, value in zip(names, found, strict=True) if value is not None))

    return headers
