"""Lists of a million rows, and of a tenth of that behind a policy: ours beside the floor, and beside itself."""

from urllib.parse import quote

import httpx
import psutil
from comparing import CASES, OTHER_CORE, SERVER_CORE, TOKEN, Compared, alternate, compare
from data import fill_many, pin
from load import Load
from machine import processor
from report import at_most, row
from servers import Server

from services.postgres import PostgresServer

LIST = CASES["list of 20"]
_BEARER = (("Authorization", f"Bearer {TOKEN}"),)
_PAGE = 1000


def many_rows(rounds: int, seconds: float) -> list[str]:
    """The rows of the table."""
    with PostgresServer() as database:
        pin(database, OTHER_CORE)
        url = database.create_database("many")
        first = Server("ours", url, None)
        first.wait("/ping")
        first.stop()
        fill_many(url)
        pin(database, OTHER_CORE)
        listed = compare(url, "floor", (), {"list": LIST}, rounds, seconds)["list"]
        server = Server("ours", url, SERVER_CORE)
        try:
            server.wait("/ping")
            guarded, plain = (Load((path,), headers=_BEARER) for path in ("/letters", "/notes"))
            first_page, page = (Load((path,)) for path in _pages(server.port))
            paged = _beside("page by cursor", server, database, page, first_page, rounds, seconds)
            policed = _beside("policy", server, database, guarded, plain, rounds, seconds)
        finally:
            server.stop()
    return [
        row("a page of 20 of 1,000,000 rows, time to that of the floor", _times(listed, 1.3), "1.3"),
        row(f"page {_PAGE:,} by cursor, time to that of page 1", _times(paged, 1.1), "as fast"),
        row("a page behind a policy, time to that of the condition as a filter (100,000 rows)", _times(policed, 1.1), "1.1"),
    ]


def _beside(case: str, server: Server, database: PostgresServer, one: Load, other: Load, rounds: int, seconds: float) -> Compared:
    """Two loads of one server in turn; the database's processor time counts, too."""

    def used() -> float:
        assert database._process is not None
        return server.processor() + processor(psutil.Process(database._process.pid))

    return alternate(case, {"ours": (used, one, server.port), "floor": (used, other, server.port)}, rounds, seconds)


def _times(found: Compared, most: float) -> str:
    """How many times as long ours takes: by requests per second where that was to be measured, and by processor time."""
    by_rate, by_processor = 1 / found.by_rate(), 1 / found.by_processor()
    if found.decided:
        return f"**{at_most(by_rate, most, 2)}**, by processor time {by_processor:.2f}"
    return f"{by_rate:.2f} (not quiet), by processor time **{at_most(by_processor, most, 2)}**"


def _pages(port: int) -> tuple[str, str]:
    """Where the first page and the later one are, found as clients find them: page by page."""
    first = path = f"{LIST.paths[0]}&cursor="
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
        for _ in range(_PAGE - 1):
            answer = client.get(path)
            assert answer.status_code == 200, answer.text
            path = f"{first}{quote(answer.json()['pagination']['next_cursor'])}"
    return first, path
