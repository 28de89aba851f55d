"""kill -9 around the outbox and around deliveries: no event lost, no effect doubled, none into a workflow twice."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from extent import ALL
from faultshop import PROGRAM, Books, environment, until

from services.peer import Peer, Reply
from services.process import ServerProcess

ORDERS = 6
Start = Callable[..., ServerProcess]
OFTEN = [
    ("sqlite", "after-emit:3"),
    ("sqlite", "before-relay:2"),
    ("sqlite", "before-delivered:3"),
    ("sqlite", "after-send:3"),
    ("postgresql", "before-delivered:3"),
]
# Those that the others nearly imply; ``make faults`` runs them, too.
SELDOM = [
    ("sqlite", "after-relay:2"),
    ("sqlite", "before-handler:2"),
    ("sqlite", "after-delivered:3"),
    ("postgresql", "after-emit:3"),
    ("postgresql", "before-relay:2"),
    ("postgresql", "after-send:3"),
]
CASES = OFTEN + (SELDOM if ALL else [])


@pytest.fixture
def partner() -> Iterator[Peer]:
    with Peer(lambda seen: Reply(200)) as peer:
        yield peer


@pytest.mark.parametrize(("dialect", "point"), CASES, ids=["-".join(case) for case in CASES])
def test_nothing_is_lost_and_nothing_doubled(
    start_server: Start, tmp_path: Path, request: pytest.FixtureRequest, partner: Peer, dialect: str, point: str
) -> None:
    postgres = request.getfixturevalue("postgres") if dialect == "postgresql" else None
    url = postgres.create_database() if postgres is not None else f"sqlite:///{tmp_path}/data/app.db"
    (tmp_path / "app.cai").write_text(PROGRAM)
    wanted = environment(url, partner.url)
    books = Books(url, postgres)

    first = start_server(tmp_path / "app.cai", wait=False, env={**wanted, "CODEAI_FAULT_POINT": point})
    first.wait_until_ready()
    accepted: set[int] = set()
    for number in range(ORDERS):
        with suppress(httpx.HTTPError):
            if httpx.post(first.base_url + "/orders", json={"number": number}).status_code == 201:
                accepted.add(number)
    assert first.process is not None
    gone = first.process
    died = until(lambda: gone.poll() is not None or "died" in first.output)
    assert died, f"the point was not passed:\n{first.output}"
    first.kill()

    # The leases of the dead end by themselves after ten seconds; the test does not wait for that.
    ended = "UPDATE codeai_activations SET ready_ms = 1 WHERE state <> 0"
    books.rows(ended)
    second = start_server(tmp_path / "app.cai", wait=False, env=wanted)
    second.wait_until_ready()
    assert until(books.settled), second.output
    assert second.terminate() == 0

    books.agree(accepted, partner.seen)
