"""Calls Python functions of the program: coroutines in the event loop, others on threads."""

from __future__ import annotations

import asyncio
import contextvars
import datetime
import importlib.util
import inspect
import sys
import uuid
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from codeai.durable.failures import StepFailure
from codeai.evaluate.context import Context
from codeai.functions.checking import FOLDER
from codeai.functions.threads import Threads
from codeai.model.application import Application

_THREADS: Final = 32
_PACKAGE: Final = "codeai_activities"
idempotency_key: contextvars.ContextVar[str | None] = contextvars.ContextVar("idempotency_key", default=None)


class FunctionFailed(StepFailure):
    """A Python function has raised; its code is the name of the exception."""


class PythonFunctions:
    """See ``evaluate.effects.Python``.

    :param folder: the folder of the program
    """

    def __init__(self, application: Application, folder: Path) -> None:
        self._folder = folder / FOLDER
        self._sources = {function.name: function.source for function in application.functions if function.source is not None}
        self._modules: dict[str, ModuleType] = {}
        self._threads = Threads(_THREADS)

    async def activity(self, context: Context, source: str, values: Mapping[str, Any]) -> Any:
        """See ``evaluate.effects.Python``. Arguments are given by name, in value form."""
        return await self._call(context, source, (), values)

    async def function(self, context: Context, name: str, arguments: tuple[Any, ...]) -> Any:
        """See ``evaluate.effects.Python``."""
        return await self._call(context, self._sources[name], arguments, {})

    async def _call(self, context: Context, source: str, arguments: tuple[Any, ...], values: Mapping[str, Any]) -> Any:
        function = self._function(source)
        token = idempotency_key.set(context.values.get("@key"))
        try:
            if inspect.iscoroutinefunction(function):
                found = await function(*arguments, **values)
            else:
                here = contextvars.copy_context()
                found = await self._threads.run(lambda: here.run(function, *arguments, **values))
        except (asyncio.CancelledError, TimeoutError):
            raise
        except (Exception, SystemExit) as error:  # a function that leaves does not take the server along
            raise _failed(source, error) from error
        finally:
            idempotency_key.reset(token)
        return _result(source, found)

    def _function(self, source: str) -> Callable[..., Any]:
        module, _, name = source.rpartition(".")
        try:
            found = getattr(self._module(module), name)
        except (Exception, SystemExit) as error:
            raise _failed(source, error) from error
        if not callable(found):
            raise FunctionFailed("not_callable", f"'{source}' is no function", retryable=False)
        return found  # type: ignore[no-any-return]  # checked above

    def _module(self, name: str) -> ModuleType:
        """The module, loaded when it is first needed; its neighbours can be imported by name."""
        if name in self._modules:
            return self._modules[name]
        if str(self._folder) not in sys.path:
            sys.path.append(str(self._folder))
        path = self._folder.joinpath(*name.split(".")).with_suffix(".py")
        spec = importlib.util.spec_from_file_location(f"{_PACKAGE}.{name}", path)
        if spec is None or spec.loader is None or not path.is_file():
            raise FileNotFoundError(f"there is no '{FOLDER}/{path.name}'")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        self._modules[name] = module
        return module


def _failed(source: str, error: Exception | SystemExit) -> FunctionFailed:
    """Functions may say that trying again cannot help by an attribute ``retryable = False`` of their exception."""
    retryable = getattr(error, "retryable", True)
    return FunctionFailed(type(error).__name__, f"'{source}' failed: {error}", retryable=bool(retryable))


def _result(source: str, value: Any) -> Any:
    """What a function returned, if a program can hold it."""
    if value is None or isinstance(value, str | bool | int | float | Decimal | bytes | uuid.UUID | datetime.date | datetime.time):
        return value
    if isinstance(value, datetime.timedelta):
        return value
    if isinstance(value, Mapping):
        return {str(name): _result(source, part) for name, part in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_result(source, part) for part in value]
    if hasattr(value, "__dict__") and not callable(value):
        return {name: _result(source, part) for name, part in vars(value).items() if not name.startswith("_")}
    raise FunctionFailed("bad_result", f"'{source}' returned {type(value).__name__}, which is no data", retryable=False)
