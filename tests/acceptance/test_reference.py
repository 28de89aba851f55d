"""S10 to S26, S42 to S48, S67 to S70, S99, S131, S141, T14, T15: what the guide's tables and recipes promise."""

import http.server
import json
import re
import threading
import time
import uuid

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from acceptance.conftest import token
from codeai.auth import errors as auth
from codeai.auth.issuing import SigningKey, issue_token
from codeai.integrations.breaker import LocalMachine
from codeai.model.integration import Breaker
from services.polling import until
from services.process import SECRET

WORK = """
config { name: "work"  default_auth: public  database: postgres }
entity Note { id: uuid, primary, auto  text: string, required }
workflow Publish {
    trigger: manual
    input { title: string, required }
    steps { draft { do { create Note { text: input.title } } } }
}
"""


def mine(operator, bearer: str | None) -> httpx.Response:
    return httpx.get(f"{operator.server.base_url}/mine", headers={"Authorization": bearer} if bearer else {})


def test_s10_s22_s23_a_bearer_token_of_the_secret_opens_and_nothing_else(operator):
    assert mine(operator, f"Bearer {token('clerk')}").json() == "yours"
    wrong = issue_token(SigningKey(secret="another secret that is long enough too"), "ada", (), None, time.time())
    for bearer, code in ((None, "AUTH005"), ("Bearer nonsense", "AUTH001"), (f"Bearer {wrong}", "AUTH001")):
        answer = mine(operator, bearer)
        assert (answer.status_code, answer.json()["code"]) == (401, code)
        assert answer.headers["www-authenticate"].startswith("Bearer")


def test_s24_a_token_has_three_parts_and_its_claims_can_be_read(embedded):
    embedded.shell(f"echo '{token('clerk')}' > token.txt")
    recipe = 'echo "$(cat token.txt)" | cut -d. -f2 | base64 -d 2>/dev/null | jq -r .exp'
    assert int(embedded.shell(recipe)) > time.time()
    assert token().count(".") == 2


@pytest.fixture(scope="module")
def issuer():
    """A provider with a key set of its own."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = {**json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key())), "kid": "one", "alg": "RS256", "use": "sig"}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = json.dumps({"keys": [public]}).encode() if self.path == "/.well-known/jwks.json" else b"{}"
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def sign(kid="one", **claims):
        whole = {"sub": "ada", "exp": time.time() + 600, "iss": "https://issuer.example", "aud": "desk", **claims}
        present = {name: value for name, value in whole.items() if value is not None}
        return jwt.encode(present, key, algorithm="RS256", headers={"kid": kid})

    yield f"http://127.0.0.1:{server.server_port}/.well-known/jwks.json", sign
    server.shutdown()


PROVIDER = """
config { name: "desk" }
auth main { method: jwt  %s  issuer: "https://issuer.example"  audience: "desk" }
endpoint GET /mine { auth: required  returns: string  do { return "yours" } }
"""


@pytest.fixture(scope="module")
def keyed(launch, issuer):
    """A server that trusts the keys of a provider."""
    return launch(source=PROVIDER % "jwks_url: env(KEYS)", env={"KEYS": issuer[0]})


@pytest.fixture(scope="module")
def keyless(launch):
    """Servers whose provider is away, and that have no secret: where HS256 is asked for all the same."""
    return launch(source=PROVIDER % 'jwks_url: env(KEYS)  algorithms: ["HS256", "RS256"]', env={"KEYS": "http://127.0.0.1:1/keys"})


def test_s12_to_s26_s77_to_s85_every_refusal_has_its_name_message_and_status(keyed, keyless, issuer):
    """S21, S25, S26 beside: RS256 by the provider's keys opens, with this issuer and audience alone."""
    _, sign = issuer
    assert mine(keyed, f"Bearer {sign()}").json() == "yours"
    head, payload, signature = sign().split(".")
    symmetric = jwt.encode({"sub": "ada", "exp": time.time() + 60}, SECRET, algorithm="HS256")
    refusals = [
        (keyed, f"Bearer {head}.{payload}.{signature[:-6]}AAAAAA", "AUTH001", auth.InvalidToken, 401),
        (keyed, f"Bearer {sign(exp=None)}", "AUTH001", auth.InvalidToken, 401),  # T21
        (keyed, f"Bearer {sign(exp=time.time() - 60)}", "AUTH002", auth.ExpiredToken, 401),
        (keyed, f"Bearer {sign(iss='https://other.example')}", "AUTH003", auth.InvalidIssuer, 401),
        (keyed, f"Bearer {sign(aud='other')}", "AUTH004", auth.InvalidAudience, 401),
        (keyed, None, "AUTH005", auth.MissingToken, 401),
        (keyed, f"Bearer {sign(kid='two')}", "AUTH006", auth.KeyNotFound, 500),
        (keyed, f"Bearer {symmetric}", "AUTH007", auth.UnsupportedAlgorithm, 400),
        (keyless, f"Bearer {symmetric}", "AUTH008", auth.NoSecretConfigured, 500),
        (keyless, f"Bearer {sign()}", "AUTH009", auth.JWKSFetchFailed, 500),
    ]
    for operator, bearer, code, kind, status in refusals:
        answer = mine(operator, bearer)
        assert (answer.status_code, answer.json()["code"], answer.json()["detail"]) == (status, code, kind.text), bearer
        assert (kind.code, kind.status) == (code, status)
        assert ("hint" in answer.json(), "www-authenticate" in answer.headers) == (status < 500, status == 401)
        logged = f"authentication failed: {code}" if code != "AUTH009" else "authentication failed: JWKS fetch failed"
        operator.log_line(lambda line, text=logged: line["msg"].startswith(text))
        assert f'auth_failures_total{{code="{code}"}}' in operator.shell("curl -s http://localhost:8080/metrics")


async def test_s42_s43_s47_s48_a_breaker_has_the_defaults_of_the_guide():
    machine = LocalMachine(Breaker())
    for number in range(5):
        admitted = await machine.admit(0.0)
        assert admitted.permit is not None, number
        outcome = await machine.report(0.0, admitted.permit, "failure")
    assert outcome.state == "open"
    assert (await machine.admit(59.9)).permit is None
    for number in range(3):
        admitted = await machine.admit(60.0)
        assert (admitted.state, admitted.permit is not None) == ("half-open", True), number
        outcome = await machine.report(60.0, admitted.permit, "success")
    assert outcome.state == "closed"


def test_s67_s68_s70_the_database_shows_our_tables_and_statements(launch, postgres):
    name = f"shown{uuid.uuid4().hex[:12]}"
    operator = launch(env={"DATABASE_URL": postgres.create_database(name)})
    httpx.post(f"{operator.server.base_url}/tickets", json={"title": "a"})
    tables = postgres.sql("SELECT tablename FROM pg_catalog.pg_tables WHERE schemaname = 'public'", name).split()
    assert {"tickets", "workflows", "executions"} <= set(tables)
    assert "tickets" in postgres.sql("SELECT relname FROM pg_stat_user_tables", name).split()
    postgres.sql("ANALYZE tickets", name)
    assert "title" in postgres.sql("SELECT attname FROM pg_stats WHERE schemaname = 'public' AND tablename = 'tickets'", name).split()
    shown = f"SELECT usename, state, query FROM pg_stat_activity WHERE datname = '{name}' AND application_name = 'codeai'"
    active = until(lambda: found if (found := postgres.sql(shown)).startswith("codeai|idle|") else None)
    assert "tickets" in active or "codeai" in active
    plan = "EXPLAIN (ANALYZE, COSTS, BUFFERS) SELECT * FROM executions WHERE workflow_id = 'abc' ORDER BY created_at DESC LIMIT 10"
    assert "executions_workflow_id_created_at_idx" in postgres.sql(f"SET enable_seqscan = off; {plan}", name)
    assert postgres.sql("SELECT count(*) FROM workflows WHERE status = 'active'", name) == "0"


def asked(operator, text: str) -> dict:
    return httpx.post(f"{operator.server.base_url}/api/v1/query", json={"q": text}).json()


def test_t14_t15_messages_of_queries_print_names_as_typed(operator):
    assert asked(operator, "select Ticket where title == @")["detail"] == "LexerError: unexpected character '@'"
    assert asked(operator, "select tIckets")["detail"].startswith("SemanticError: unknown entity 'tIckets'")


def test_s99_a_failure_of_the_database_is_an_execution_error(launch, postgres):
    name = f"s99{uuid.uuid4().hex[:12]}"
    operator = launch(env={"DATABASE_URL": postgres.create_database(name)})
    postgres.sql("DROP TABLE tickets", name)
    answer = asked(operator, "select Ticket")
    assert answer["detail"].startswith("ExecutionError: ")
    assert "relation" not in answer["detail"]
    assert 'relation "tickets" does not exist' in operator.log_line(lambda line: line["msg"] == "a query failed")["cause"]


@pytest.mark.parametrize("processes", [1, 3])
def test_s131_executions_are_counted_wherever_they_run(launch, postgres, processes):
    """In the one process of the embedded database, and in a process beside two that serve HTTP.

    What the program says of its database does not make it need one: where nothing names a PostgreSQL it is embedded, which is said.
    """
    env = {"DATABASE_URL": postgres.create_database(), "CODEAI_WORKERS": "2"} if processes > 1 else {}
    operator = launch(source=WORK, env=env)
    said = re.search(r"^  database +(.*)$", operator.server.output, re.MULTILINE).group(1)
    assert said.endswith(".codeai/app.db (embedded; set DATABASE_URL for PostgreSQL)") == (processes == 1)
    started = httpx.post(f"{operator.server.base_url}/api/v1/workflows/Publish/executions", json={"input": {"title": "first"}})
    assert started.status_code == 202
    wanted = 'workflow_executions_total{status="completed",workflow="Publish"} 1.0'
    until(lambda: wanted in operator.shell("curl -s http://localhost:8080/metrics"), explain=lambda: operator.server.output[-2000:])
    for wanted in ('workflow_steps_total{status="done"} 1.0', "events_waiting 0.0"):
        until(lambda wanted=wanted: wanted in operator.shell("curl -s http://localhost:8080/metrics"))


@pytest.mark.parametrize(
    ("settings", "levels"), [({"LOG_LEVEL": "error"}, set()), ({"LOG_LEVEL": "info", "LOG_ADD_SOURCE": "true"}, {"info"})]
)
def test_s141_levels_behave_as_listed(launch, settings, levels):
    operator = launch(env=settings)
    httpx.get(f"{operator.server.base_url}/tickets")
    operator.server.terminate()
    found = operator.log()
    assert {line["level"] for line in found} == levels
    assert all("source" in line for line in found)


def test_t17_a_short_secret_is_refused_in_production(launch, postgres):
    environment = {
        "JWT_SECRET": "short",
        "CODEAI_ENV": "production",
        "DATABASE_URL": postgres.create_database(),
    }
    operator = launch(env=environment, wait=False)
    assert operator.server.wait() == 3
    assert "shorter than 32 bytes" in operator.server.output
    assert SECRET not in operator.server.output
