"""What is said of a PostgreSQL that does not let us in, or is none: in one line, its words and the next step."""

import asyncio
import socket
from collections.abc import Iterator

import msgspec
import pytest

from codeai.server.database import synchronise, synchronise_here
from codeai.server.loading import load_program
from codeai.storage.errors import DatabaseUnavailable, TooManyClients
from codeai.storage.opening import open_database
from codeai.storage.settings import DatabaseUrlError, from_url
from services.postgres import PostgresServer
from services.tls import speak_tls

USERS = (
    *(
        "CREATE ROLE plain LOGIN PASSWORD 'hidden'",
        "CREATE ROLE secure LOGIN PASSWORD 'hidden'",
        "CREATE ROLE weak LOGIN",
        "CREATE ROLE idle",
    ),
    *("CREATE ROLE single LOGIN CONNECTION LIMIT 0", "CREATE DATABASE closed", "REVOKE CONNECT ON DATABASE closed FROM public"),
)
ENTRANCES = """
local all all trust
hostnossl all plain 127.0.0.1/32 scram-sha-256
hostssl all secure 127.0.0.1/32 scram-sha-256
host all codeai,weak,idle,ghost,single 127.0.0.1/32 trust
"""


@pytest.fixture(scope="module")
def strict() -> Iterator[PostgresServer]:
    """A server with TLS that lets users in as ``ENTRANCES`` says; its certificate is for 'localhost' and signed by itself."""
    with PostgresServer() as server:
        for statement in USERS:
            server.sql(statement)
        speak_tls(server, ENTRANCES)
        yield server


@pytest.fixture(scope="module")
def mute() -> Iterator[int]:
    """A port that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


@pytest.fixture
def application(tmp_path):
    (tmp_path / "app.cai").write_text("entity Item { id: uuid, primary, auto }")
    return load_program(tmp_path / "app.cai").application


REFUSALS = [
    ("codeai@127.0.0.1:PORT/nope", "database \"nope\" does not exist; 'createdb -h 127.0.0.1 -p PORT -U codeai nope' creates it"),
    ("codeai@127.0.0.1:PORT/no%20pe", "-U codeai 'no pe'' creates it, DATABASE_URL or DB_NAME name another"),
    ("ghost@127.0.0.1:PORT/x", "role \"ghost\" does not exist; 'createuser -h 127.0.0.1 -p PORT --pwprompt ghost' creates it"),
    ("idle@127.0.0.1:PORT/postgres", 'role "idle" is not permitted to log in; \'ALTER ROLE "idle" LOGIN\' lets it in'),
    ("plain:wrong@127.0.0.1:PORT/postgres", 'for user "plain"; check the password in DATABASE_URL or DB_PASSWORD'),
    ("plain@127.0.0.1:PORT/postgres", 'for user "plain"; set a password in DATABASE_URL or DB_PASSWORD'),
    ("stranger@127.0.0.1:PORT/postgres", "pg_hba.conf of the server says who is let in from where"),
    ("127.0.0.1:PORT/postgres", "no user was named, and that of the operating system was taken: name one in DATABASE_URL or DB_USER"),
    (
        "secure:hidden@127.0.0.1:PORT/postgres?sslmode=disable",
        "it may be let in with TLS: say sslmode=require in DATABASE_URL",
    ),
    ("secure:hidden@127.0.0.1:PORT/postgres?sslmode=verify-full", "add sslrootcert=FILE with its authority to DATABASE_URL"),
    ("secure:hidden@127.0.0.1:PORT/postgres?sslmode=verify-full&sslrootcert=ROOT", "name the host as its certificate does"),
    ("single@127.0.0.1:PORT/postgres", 'too many connections for role "single"; end programs that hold connections, or raise the limit'),
    ("weak@127.0.0.1:PORT/closed", '\'GRANT CONNECT ON DATABASE "closed" TO "weak"\' lets the user in'),
    ("x@nohost.invalid/app", "is the host 'nohost.invalid' spelled right? DATABASE_URL or DB_HOST say where PostgreSQL is"),
    ("x@127.0.0.1:1/app", "is PostgreSQL running there? DATABASE_URL or DB_HOST say where"),
    ("x@/app?host=/nowhere", "no such file or directory; is PostgreSQL running there?"),
    ("x@127.0.0.1:MUTE/app", "no answer within 0.5 s; is PostgreSQL running there?"),
]


@pytest.mark.parametrize(("address", "said"), REFUSALS, ids=[address for address, _ in REFUSALS])
def test_a_refusal_comes_with_its_next_step(strict, mute, application, address, said):
    def filled(text: str) -> str:
        root = str(strict.folder / "data/server.crt")
        return text.replace("PORT", str(strict.port)).replace("ROOT", root).replace("MUTE", str(mute))

    settings = from_url(f"postgresql://{filled(address)}", connect_timeout=0.5 if "MUTE" in address else 60.0)
    for bring in (synchronise, synchronise_here):  # the look at the tables and their change each connect
        with pytest.raises(DatabaseUnavailable) as found:
            bring(settings, application, development=True)
        assert filled(said) in str(found.value)
        assert str(found.value).startswith(f"cannot connect to {settings.shown}: ")
        assert "\n" not in str(found.value) and "hidden" not in str(found.value)
    assert isinstance(found.value, TooManyClients) == ("too many" in said)


async def test_a_certificate_of_a_named_authority_is_taken(strict):
    root = strict.folder / "data/server.crt"
    wanted = from_url(f"postgresql://secure:hidden@localhost:{strict.port}/postgres?sslmode=verify-full&sslrootcert={root}")
    database = open_database(wanted)
    await database.start()
    assert (await database.fetch_row("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()", ()))[0] is True
    await database.close()


async def test_a_server_without_tls_is_said_to_be_one(postgres):
    for mode in ("require", "verify-full"):
        with pytest.raises(DatabaseUnavailable, match="no TLS is spoken there: switch it on, or say sslmode=prefer"):
            await open_database(from_url(f"{postgres.dsn()}?sslmode={mode}")).start()


async def test_what_is_no_postgresql_is_said_to_be_none(application):
    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(DatabaseUnavailable, match="what answers there is no PostgreSQL"):
            await open_database(from_url(f"postgresql://x@127.0.0.1:{port}/app")).start()


def test_a_user_that_may_make_no_tables_is_told_how_it_may(strict, application):
    settings = msgspec.structs.replace(from_url(strict.dsn()), user="weak")
    with pytest.raises(DatabaseUnavailable) as found:
        synchronise(settings, application, development=True)
    assert str(found.value) == (
        f"cannot make the tables in {settings.shown}: permission denied for schema public; "
        "'GRANT CREATE ON SCHEMA public TO \"weak\"' lets the user make them"
    )


def test_an_unknown_mode_of_tls_is_refused_and_not_taken_for_another():
    with pytest.raises(DatabaseUrlError, match="unknown sslmode 'on', expected one of disable, allow"):
        from_url("postgresql://codeai@127.0.0.1/app?sslmode=on")
