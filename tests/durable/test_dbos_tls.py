"""The connections of DBOS speak TLS with the database as ours do: what ``DATABASE_URL`` says of it holds for both."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from codeai.durable.dispatch.dbos.engine import connections
from codeai.storage.settings import from_url
from services.postgres import PostgresServer
from services.tls import speak_tls

ENTRANCES = """
local all all trust
hostssl all codeai 127.0.0.1/32 trust
hostssl all codeai ::1/128 trust
"""


@pytest.fixture(scope="module")
def root() -> Iterator[tuple[int, str]]:
    """A server that lets nobody in without TLS: its port and its certificate."""
    with PostgresServer() as server:
        yield server.port, str(speak_tls(server, ENTRANCES))


def secured(address: tuple[int, str], options: str, host: str = "localhost") -> bool:
    port, root = address
    opened = connections(from_url(f"postgresql://codeai@{host}:{port}/postgres?{options.replace('ROOT', root)}"))
    try:
        with opened.connect() as connection:
            return bool(connection.execute(sa.text("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")).scalar_one())
    finally:
        opened.dispose()


@pytest.mark.parametrize("options", ["", "sslmode=require", "sslmode=verify-ca&sslrootcert=ROOT", "sslmode=verify-full&sslrootcert=ROOT"])
def test_it_is_encrypted(root: tuple[int, str], options: str) -> None:
    assert secured(root, options)


@pytest.mark.parametrize(
    ("options", "host", "refusal"),
    [
        ("sslmode=disable", "localhost", "no encryption"),
        ("sslmode=verify-full", "localhost", "certificate verify failed"),
        ("sslmode=verify-full&sslrootcert=ROOT", "127.0.0.1", "does not match host name"),
    ],
)
def test_what_is_not_as_it_was_asked_for_is_refused(root: tuple[int, str], options: str, host: str, refusal: str) -> None:
    with pytest.raises(sa.exc.OperationalError, match=refusal):
        secured(root, options, host)
