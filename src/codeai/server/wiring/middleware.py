"""Declared middleware, rate limits and caches, put around the endpoints that ask for them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from codeai.auth.guard import Provider
from codeai.cache.watching import TableNames, WatchedDatabase
from codeai.http.application import Handler
from codeai.http.middleware.caching import CachedAction, anybody, caller
from codeai.http.middleware.clients import ClientAddresses
from codeai.http.middleware.compression import Compression
from codeai.http.middleware.cors import BadCors, CorsPolicy
from codeai.http.middleware.limits import Limit, keys
from codeai.http.middleware.logging import FIELDS, RequestLogging
from codeai.http.middleware.python import BadHook, PythonMiddleware
from codeai.http.middleware.surrounded import Authorization, Gate, Layer, Surrounded
from codeai.http.plans import Action
from codeai.limits.rules import STRATEGIES, Rule
from codeai.model.application import Application
from codeai.model.endpoint import Endpoint
from codeai.model.integration import Middleware
from codeai.model.security import AuthProvider, Guard
from codeai.server.errors import StartError
from codeai.server.settings import Settings
from codeai.server.wiring.sharing import Setting, Sharing
from codeai.server.wiring.stated import Stated
from codeai.storage.interface import Database
from codeai.storage.schema.system import SYSTEM_TABLES

_LOG: Final = logging.getLogger("codeai.server")
_BEFORE_GUARD: Final = ("ip", "all")
_COUNTED: Final = ("user", "ip", "tenant", "all")
_METHODS: Final = ("jwt", "api_key", "basic", "oauth2")
Constant = Callable[[Any], object]
MakeProvider = Callable[[str, str, Mapping[str, object], int], Provider]


class Surrounding:
    """Makes what stands around endpoints.

    :param constant: the value of a setting's expression
    :param provider: makes a provider that a middleware describes itself (name, method, settings, place)
    """

    def __init__(
        self, application: Application, settings: Settings, sharing: Sharing, constant: Constant, provider: MakeProvider, folder: Path
    ) -> None:
        self._models = {model.name: model for model in application.middleware}
        self._values = {
            model.name: Stated({entry.name: constant(entry.value) for entry in model.settings}, f"middleware '{model.name}'", model.at)
            for model in application.middleware
        }
        self._sharing = sharing
        self._provider = provider
        self._folder = folder
        self._addresses = ClientAddresses(settings.trusted_proxies)
        self._hooks: dict[str, PythonMiddleware] = {}
        self.providers: dict[str, Provider] = {}
        self._layers = {model.name: layer for model in application.middleware if (layer := self._layer(model)) is not None}
        self._cors = {model.name: cors_policy(self._values[model.name]) for model in self._of("cors")}
        for model in self._of("authentication"):
            self._own_provider(model)

    def _of(self, kind: str) -> Iterable[Middleware]:
        return [model for model in self._models.values() if model.kind == kind]

    def _used(self, endpoint: Endpoint, kind: str) -> list[Middleware]:
        return [self._models[name] for name in endpoint.middleware if self._models[name].kind == kind]

    # -- who may call ----------------------------------------------------------------------------------------------

    def _own_provider(self, model: Middleware) -> None:
        values = self._values[model.name]
        if "method" in values:
            settings = {name: value for name, value in values if name not in ("method", "required", "roles")}
            self.providers[model.name] = self._provider(model.name, values.one_of("method", _METHODS, "jwt"), settings, model.at)

    def guard(self, endpoint: Endpoint) -> Guard:
        """The endpoint's guard with what ``authentication`` and ``authorization`` middleware say."""
        guard = endpoint.guard
        for model in self._used(endpoint, "authentication"):
            values = self._values[model.name]
            named = (*values.texts("provider"), *values.texts("auth"))
            providers = (model.name,) if model.name in self.providers else named or guard.providers
            mode: Any = "required" if values.flag("required", True) or guard.mode == "required" else "optional"
            roles = tuple(values.texts("roles")) or guard.roles
            guard = msgspec.structs.replace(guard, mode=mode, providers=providers, roles=roles, silent=False)
        if self._used(endpoint, "authorization"):
            guard = msgspec.structs.replace(guard, mode="required", silent=False)
        return guard

    def documented(self, application: Application) -> Application:
        """The program as its documentation should show it: with the guards that really stand there."""
        own = tuple(
            AuthProvider(name=name, method=self._values[name].one_of("method", _METHODS, "jwt"), settings=self._models[name].settings)  # type: ignore[arg-type]  # known to the provider
            for name in self.providers
        )
        endpoints = tuple(msgspec.structs.replace(endpoint, guard=self.guard(endpoint)) for endpoint in application.endpoints)
        return msgspec.structs.replace(application, endpoints=endpoints, providers=(*application.providers, *own))

    # -- around the plan -------------------------------------------------------------------------------------------

    def gates(self, endpoint: Endpoint) -> tuple[Gate, ...]:
        """What decides when the caller is known."""
        found: list[Gate] = []
        for model in self._used(endpoint, "authorization"):
            values = self._values[model.name]
            found.append(Authorization([*values.texts("roles"), *values.texts("role")], values.texts("permissions")))
        found.extend(limit for limit in self._limits(endpoint) if not limit.before_guard)
        return tuple(found)

    def around(self, endpoint: Endpoint, handler: Handler) -> Handler:
        """The handler with limits by address, cross-origin rules and layers, if there are any."""
        limits = tuple(limit for limit in self._limits(endpoint) if limit.before_guard)
        layers = tuple(self._layers[name] for name in endpoint.middleware if name in self._layers)
        cors = next((self._cors[name] for name in endpoint.middleware if name in self._cors), None)
        return Surrounded(handler, limits, layers, cors) if limits or layers or cors is not None else handler

    def _limits(self, endpoint: Endpoint) -> list[Limit]:
        found: list[Limit] = []
        for model in self._used(endpoint, "rate_limiting"):
            values = self._values[model.name]
            rule = Rule(
                requests=values.whole("requests", 60),
                window=round(values.seconds("window", 60.0) * 1000),
                strategy=values.one_of("strategy", STRATEGIES, "sliding_window"),  # type: ignore[arg-type]  # one of them
                burst=values.whole("burst", 1) if "burst" in values else None,
            )
            found.append(self._limit(f"middleware:{model.name}", rule, values.one_of("by", _COUNTED, "user")))
        if endpoint.rate_limit is not None:
            limit = endpoint.rate_limit
            found.append(self._limit(f"endpoint:{endpoint.name}", Rule(limit.requests, limit.window), limit.by or "user"))
        return found

    def _limit(self, name: str, rule: Rule, by: str) -> Limit:
        return Limit(name, rule, keys(by, self._addresses), self._sharing.limits, before_guard=by in _BEFORE_GUARD)

    def _layer(self, model: Middleware) -> Layer | None:
        values = self._values[model.name]
        if model.kind == "logging":
            fields = tuple(values.texts("fields")) or tuple(FIELDS)
            for name in fields:
                if name not in FIELDS and name != "client":
                    raise values.fail("fields", f"client, {', '.join(FIELDS)}")
            level = values.one_of("level", ("debug", "info", "warn", "error"), "info")
            return RequestLogging(level, fields, self._addresses, headers=values.flag("headers"), body=values.flag("body"))
        if model.kind == "compression":
            return Compression(values.whole("min_size", 1_024, 0), values.whole("level", 4, 1, 11), tuple(values.texts("types")))
        if model.kind == "python":
            return self._hook(model, "".join(values.texts("function") or values.texts("source")))
        return None

    def _hook(self, model: Middleware, name: str) -> PythonMiddleware:
        try:
            found = self._hooks[model.name] = PythonMiddleware(self._folder, name, self._addresses)
        except BadHook as error:
            raise StartError(str(error), model.at) from error
        return found

    def load(self) -> None:
        """Imports the Python of the program; only processes that serve do. Raises StartError."""
        for name, hook in self._hooks.items():
            try:
                hook.load()
            except BadHook as error:
                raise StartError(str(error), self._models[name].at) from error

    # -- caches ----------------------------------------------------------------------------------------------------

    def _ttl(self, endpoint: Endpoint) -> float:
        if endpoint.method != "GET":
            return 0.0
        if endpoint.cache is not None:
            return endpoint.cache / 1000
        for model in self._used(endpoint, "cache"):
            return self._values[model.name].seconds("ttl", self._sharing.default_ttl)
        return 0.0

    def cached(self, endpoint: Endpoint, action: Action) -> Action:
        """The action, with a cache before it if the endpoint wants one."""
        ttl = self._ttl(endpoint)
        if not ttl:
            return action
        values = next((self._values[model.name] for model in self._used(endpoint, "cache")), Stated({}, "", -1))
        vary = tuple(name.lower().encode("latin-1") for name in values.texts("vary"))
        by = anybody if values.one_of("by", (*_COUNTED, "public"), "user") in ("all", "public") else caller
        name = ":".join((endpoint.name, *values.texts("key")))
        return CachedAction(action, self._sharing.cache, name, ttl, vary=vary, by=by)


def watched(application: Application, database: Database, sharing: Sharing, workers: int) -> Database:
    """The database, and before it who notes reads and writes if the program keeps answers."""
    caching = any(model.kind == "cache" for model in application.middleware) or any(found.cache for found in application.endpoints)
    if not caching:
        return database
    later = application.workflows or application.jobs or application.handlers
    if sharing.redis is None and database.dialect == "postgresql" and not database.hears and (workers > 1 or later):
        _LOG.warning("answers are cached in each process by itself behind a pooler; set REDIS_URL so that writes of one are seen by all")
    ours = frozenset(table.name for table in SYSTEM_TABLES) - {entity.table for entity in application.entities}
    return WatchedDatabase(database, TableNames(_cascades(application), ours), sharing.cache.written, sharing.announced())


def _cascades(application: Application) -> dict[str, frozenset[str]]:
    """For each table, those that change when one of its rows is deleted."""
    tables = {entity.name: entity.table for entity in application.entities}
    direct: dict[str, set[str]] = {}
    for entity in application.entities:
        for field in entity.fields:
            if field.on_delete != "restrict" and (target := getattr(field.type, "entity", None)) in tables:
                direct.setdefault(tables[target], set()).add(entity.table)
    found: dict[str, frozenset[str]] = {}
    for table in direct:
        reached: set[str] = set()
        waiting = [table]
        while waiting:
            for other in direct.get(waiting.pop(), ()):
                if other not in reached:
                    reached.add(other)
                    waiting.append(other)
        found[table] = frozenset(reached)
    return found


def program_cors(application: Application, setting: Setting) -> CorsPolicy | None:
    """The cross-origin rules of ``config.cors``."""
    at = next((found.at for found in application.settings if found.path[0] == "cors"), -1)
    values = {found.path[1]: setting(found.path) for found in application.settings if found.path[0] == "cors" and len(found.path) == 2}
    return cors_policy(Stated(values, "cors", at)) if values else None


def cors_policy(values: Stated) -> CorsPolicy:
    """Cross-origin rules from their settings; raises StartError."""
    given: dict[str, Any] = {name: values.texts(name) for name in ("methods", "headers", "expose") if name in values}
    if "max_age" in values:
        given["max_age"] = round(values.seconds("max_age", 600.0))
    try:
        return CorsPolicy(values.texts("origins"), credentials=values.flag("credentials"), **given)
    except BadCors as error:
        raise StartError(str(error), values.at) from error
