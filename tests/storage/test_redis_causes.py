"""What is said of a Redis that is of no use: in one line, its words and the next step; and which addresses are none."""

import subprocess
from collections.abc import Iterator

import pytest

from codeai.storage.redis import Redis, RedisUnavailable, check_url
from services.ports import free_port
from services.redis import RedisServer

REFUSALS = [
    ("redis://:wrong@127.0.0.1:PORT/0", "invalid username-password pair or user is disabled; check user and password in REDIS_URL"),
    ("redis://ghost:secret@127.0.0.1:PORT/0", "invalid username-password pair or user is disabled; check user and password in REDIS_URL"),
    ("redis://127.0.0.1:PORT/0", "it wants a password: set it in REDIS_URL, as in redis://:password@host:6379/0"),
    ("redis://:secret@127.0.0.1:PORT/99", "DB index is out of range; it is the number behind the last / of REDIS_URL"),
    ("redis://nohost.invalid:6379/0", "is the host in REDIS_URL spelled right?"),
    ("redis://127.0.0.1:1/0", "connection refused; is Redis running there? REDIS_URL says where"),
    ("unix:///nowhere.sock", "no such file or directory; is Redis running there? REDIS_URL says where"),
    (
        "rediss://:secret@127.0.0.1:TLS/0",
        "self-signed certificate; add ssl_ca_certs=FILE with its authority to REDIS_URL, after a question mark",
    ),
    ("rediss://:secret@127.0.0.1:TLS/0?ssl_ca_certs=CERT", "not valid for '127.0.0.1'; name the host in REDIS_URL as its certificate does"),
    ("redis://:secret@127.0.0.1:TLS/0", "connection reset by peer"),
]


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A server that wants a password, and speaks TLS on another port with a certificate that nobody trusts."""
    folder = tmp_path_factory.mktemp("redis")
    made = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost -keyout key.pem -out cert.pem"
    subprocess.run(made.split(), cwd=folder, check=True, capture_output=True)
    server = RedisServer()
    server.start()
    server.cert = folder / "cert.pem"  # type: ignore[attr-defined]  # for these tests
    server.tls_port = free_port()  # type: ignore[attr-defined]  # for these tests
    wanted = {"tls-cert-file": f"{folder}/cert.pem", "tls-key-file": f"{folder}/key.pem", "tls-auth-clients": "no"}
    wanted |= {"tls-port": str(server.tls_port), "requirepass": "secret"}  # type: ignore[attr-defined]
    assert server.cli("CONFIG", "SET", *(word for pair in wanted.items() for word in pair)) == "OK"
    yield server
    server.remove()


@pytest.mark.parametrize(("address", "said"), REFUSALS, ids=[address for address, _ in REFUSALS])
async def test_a_redis_that_is_of_no_use_says_why_and_what_to_do(strict: RedisServer, address: str, said: str) -> None:
    for word, value in (("PORT", strict.port), ("TLS", strict.tls_port), ("CERT", strict.cert)):
        address = address.replace(word, str(value))
    redis = Redis(address, timeout=60)
    try:
        for look in (redis.ping, lambda: redis.command("PING")):
            with pytest.raises(RedisUnavailable, match="does not answer: ") as found:
                await look()
            assert said in str(found.value)
            assert "secret" not in str(found.value)
    finally:
        await redis.close()


@pytest.mark.parametrize(
    "address",
    [
        *("localhost:6379", "redis://", "redis://:secret@localhost:x", "redis://localhost:0", "redis://localhost:99999", "unix://"),
        *("redis://localhost/0x", "redis://localhost/-1", "redis://localhost/0/1", "http://localhost:6379/0"),
    ],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match=r"^an address, as in redis://localhost:6379/0$"):
        check_url(address)


@pytest.mark.parametrize(
    "address", ["redis://localhost", "redis://localhost/", "redis://u:p@[::1]:7000/15", "rediss://c.example:6380", "unix:///r.sock?db=2"]
)
def test_what_is_one_is_taken(address: str) -> None:
    assert check_url(address) == address
