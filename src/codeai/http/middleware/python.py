"""The program's own middleware in Python: ``async def name(request, call_next)`` in a file of the folder ``middleware`` beside it.

::

    async def stamp(request, call_next):
        response = await call_next()
        response.headers["x-served-by"] = "us"
        return response

The file is found and its function checked by its syntax tree when the program is composed; it is imported only in processes that serve.
"""

from __future__ import annotations

import ast
import importlib.util
import inspect
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from codeai.http.messages import Request, Response
from codeai.http.middleware.clients import ClientAddresses
from codeai.http.middleware.surrounded import Next

_FOLDER: Final = "middleware"


class HookRequest:
    """A request as a hook sees it; header names are in lower case."""

    def __init__(self, request: Request, client: str) -> None:
        self.method = request.method
        self.path = request.path
        self.route = request.template
        self.query = request.query_string.decode("latin-1")
        self.headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in request.headers.items()}
        self.request_id = request.id
        self.client = client


class HookResponse:
    """An answer as a hook sees and may change or make it. The last value of a header counts."""

    def __init__(self, status: int = 200, headers: dict[str, str] | None = None, body: bytes | str = b"") -> None:
        self.status = status
        self.headers = dict(headers or {})
        self.body = body


Hook = Callable[[HookRequest, Callable[[], Awaitable[HookResponse]]], Awaitable[HookResponse]]


class BadHook(Exception):
    """A hook that is not there, or is none."""


class PythonMiddleware:
    """Runs a hook.

    :param folder: of the program
    :param name: ``file.function`` below ``middleware/``
    :raises BadHook: there is no such coroutine function
    """

    def __init__(self, folder: Path, name: str, addresses: ClientAddresses) -> None:
        module, _, function = name.rpartition(".")
        self._path = (folder / _FOLDER / Path(*module.split("."))).with_suffix(".py") if module else Path()
        self._name = name
        self._function = function
        self._addresses = addresses
        self._hook: Hook | None = None
        if not module or not all(part.isidentifier() for part in name.split(".")):
            raise BadHook(f"'{name}' is no function, as in headers.stamp of middleware/headers.py")
        self._check()

    def _check(self) -> None:
        try:
            tree = ast.parse(self._path.read_text(encoding="utf-8"), str(self._path))
        except OSError as error:
            raise BadHook(f"cannot read {self._path}: {error.strerror or error}") from error
        except (SyntaxError, ValueError) as error:
            raise BadHook(f"{self._path} is no Python: {error}") from error
        found = next((node for node in tree.body if getattr(node, "name", None) == self._function), None)
        if not isinstance(found, ast.AsyncFunctionDef) or len(found.args.args) != 2:
            raise BadHook(f"'{self._name}' needs 'async def {self._function}(request, call_next)' in {self._path}")

    def load(self) -> None:
        """Imports the file; raises BadHook."""
        name = f"codeai_middleware.{self._name.rpartition('.')[0]}"
        spec = importlib.util.spec_from_file_location(name, self._path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
        except Exception as error:
            raise BadHook(f"{self._path} cannot be loaded: {type(error).__name__}: {error}") from error
        hook: Any = getattr(module, self._function, None)
        if not inspect.iscoroutinefunction(hook):
            raise BadHook(f"'{self._name}' is no coroutine function")
        self._hook = hook

    async def around(self, request: Request, proceed: Next) -> Response:
        """See ``Layer``; what the hook raises is an error of the server."""

        async def call_next() -> HookResponse:
            inner = await proceed()
            headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in inner.headers}
            return HookResponse(inner.status, headers, inner.body)

        assert self._hook is not None, "the hook is loaded before requests are answered"
        found = await self._hook(HookRequest(request, self._addresses.of(request)), call_next)
        if not isinstance(found, HookResponse):
            raise TypeError(f"middleware '{self._name}' returned {type(found).__name__}, not a response")
        body = found.body.encode() if isinstance(found.body, str) else found.body
        headers = tuple((name.lower().encode("latin-1"), str(value).encode("latin-1")) for name, value in found.headers.items())
        return Response(found.status, body, headers)
