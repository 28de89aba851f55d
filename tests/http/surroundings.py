"""Programs in this process with a clock that tests move."""

import datetime
from pathlib import Path
from typing import Any

from services.service import Answer, Service, exchange, scope_of

BEGIN = datetime.datetime(2026, 11, 25, 12, tzinfo=datetime.UTC)


class Moved:
    """A clock."""

    def __init__(self) -> None:
        self.now = BEGIN

    def __call__(self) -> datetime.datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += datetime.timedelta(seconds=seconds)


def served(folder: Path, text: str, env: dict[str, str] | None = None, clock: Moved | None = None, url: str = "") -> Service:
    """A program of one file in a folder."""
    program = folder / "app.cai"
    program.write_text(text)
    return Service(program, url or f"sqlite:///{folder}/data/app.db", env, clock=clock)


def from_address(service: Service, address: str, target: str, method: str = "GET", headers: Any = ()) -> Answer:
    """A request from an address."""
    scope = scope_of(method, target, headers)
    scope["client"] = (address, 40000)
    answer: Answer = service.run(exchange(service.composition.asgi, scope, []))
    return answer
