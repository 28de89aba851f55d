"""Talking to the control API of a server: address, token, answers, and what is wrong with them."""

from __future__ import annotations

import functools
import json
import os
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import click
import httpx

from codeai.cli.main import fail

_Command = TypeVar("_Command", bound=Callable[..., Any])
_TIMEOUT: Final = 60.0


class Remote:
    """A server that is asked.

    :param url: its address, without a path
    :param output: ``table`` for people, ``json`` for programs
    """

    def __init__(self, url: str, token: str | None, output: str) -> None:
        self.url = address(url)
        self.as_json = output == "json"
        headers = {"authorization": f"Bearer {token}"} if token else {}
        self._client = httpx.Client(base_url=self.url + "/api/v1", headers=headers, timeout=_TIMEOUT)

    def get(self, path: str, **parameters: Any) -> Any:
        """The answer to a GET; parameters that are None are left out."""
        return self._ask("GET", path, params={name: value for name, value in parameters.items() if value is not None})

    def send(self, method: str, path: str, body: Mapping[str, Any] | None = None, **parameters: Any) -> Any:
        """The answer to a change."""
        given = {name: value for name, value in parameters.items() if value is not None}
        return self._ask(method, path, params=given, **({"json": body} if body is not None else {}))

    def _ask(self, method: str, path: str, **arguments: Any) -> Any:
        try:
            answer = self._client.request(method, path, **arguments)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            fail(f"no server answers at {self.url}: {reason(error)}; name another with --url or CODEAI_URL")
            raise AssertionError from error
        if answer.is_success:
            return answer.json() if answer.content else None
        fail(problem_text(answer), 1)
        raise AssertionError


def address(url: str) -> str:
    """The address of a server as people give it: ``localhost:8080`` is one."""
    return (url if "://" in url else f"http://{url}").rstrip("/")


def nearby(environment: Mapping[str, str] | None = None) -> str:
    """Where operators find the server that an environment (by default ours) describes; its ``CODEAI_URL`` says it outright."""
    given = environment if environment is not None else os.environ
    host, port = given.get("CODEAI_HOST") or "127.0.0.1", given.get("CODEAI_OPERATOR_PORT") or given.get("CODEAI_PORT") or "8080"
    if host in ("0.0.0.0", "::"):  # noqa: S104  # all addresses of a server are none to ask
        host = "127.0.0.1"
    scheme = "https" if given.get("CODEAI_TLS_CERT") else "http"
    return given.get("CODEAI_URL") or f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def reason(error: Exception) -> str:
    """Why nothing came, without the number of the operating system."""
    return re.sub(r"^\[Errno -?\d+\] ", "", str(error)) or type(error).__name__


def problem_text(answer: httpx.Response) -> str:
    """What a problem says, for people."""
    try:
        problem = answer.json()
    except ValueError:
        return f"the server answered {answer.status_code}"
    lines = [str(problem.get("detail") or problem.get("title") or answer.status_code)]
    lines += [f"  {error['field']}: {error['message']}".replace("  : ", "  ") for error in problem.get("errors", ())]
    for found in problem.get("diagnostics", ()):
        start = found["place"]["start"]
        lines.append(f"  {start['path']}:{start['line']}:{start['column']}: {found['class']}: {found['message']} [{found['code']}]")
    if answer.status_code in (401, 403):
        lines.append("  give an operator's token with --token or CODEAI_TOKEN")
    if problem.get("hint"):
        lines.append(f"  hint: {problem['hint']}")
    return "\n".join(lines)


def remote(command: _Command) -> _Command:
    """Gives a command the options of all that ask a server, and the server as its first argument."""

    @functools.wraps(command)
    def run(*arguments: Any, url: str, token: str | None, output: str, **options: Any) -> Any:
        return command(Remote(url, token, output), *arguments, **options)

    for option in (
        click.option("--output", type=click.Choice(["table", "json"]), default="table", help="For people, or for programs."),
        click.option("--token", envvar=["CODEAI_TOKEN", "CODEAI_OPERATOR_TOKEN"], default=None, help="An operator's token (CODEAI_TOKEN)."),
        click.option(
            "--url", default=nearby, show_default="http://127.0.0.1:8080", help="The server (CODEAI_URL, or CODEAI_HOST and CODEAI_PORT)."
        ),
    ):
        run = option(run)
    return run  # type: ignore[return-value]  # the command with more options


def json_object(text: str, what: str) -> dict[str, Any]:
    """A JSON object that was given on the command line; ``@file`` reads a file. Ends the command when it is none."""
    try:
        if text.startswith("@"):
            with click.open_file(text[1:], encoding="utf-8") as file:
                text = file.read()
        found = json.loads(text)
    except (OSError, ValueError) as error:
        raise click.UsageError(f"{what} is no JSON: {error}") from None
    if not isinstance(found, dict):
        raise click.UsageError(f'{what} must be a JSON object, as in \'{{"name": "Ada"}}\'')
    return found
