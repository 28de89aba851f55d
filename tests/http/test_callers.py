"""Who counts as the same caller, and where a caller says who it is."""

from pathlib import Path

from surroundings import served

from services.service import exchange, scope_of

PROGRAM = """
config { name: "callers" }
auth service { method: api_key  header: "X-Service-Key"  keys: secret(API_KEYS) }
endpoint GET /me { auth: public  returns: json  do { return { id: user.id } } }
endpoint POST /dice { auth: public  body { n: int, required }  returns: json  do { return { n: random(1, 1000000000) } } }
"""
ENV = {"API_KEYS": "bot:a-long-key", "CODEAI_TRUSTED_PROXIES": "10.0.0.1"}


def test_a_public_endpoint_knows_who_calls_by_a_header_of_any_name(tmp_path: Path) -> None:
    service = served(tmp_path, PROGRAM, ENV)
    assert service.request("GET", "/me", headers={"x-service-key": "a-long-key"}).json == {"id": "bot"}
    assert service.request("GET", "/me", headers={"x-service-key": "another"}).json == {"id": None}
    assert service.request("GET", "/me").json == {"id": None}
    service.close()


def test_an_idempotency_key_behind_a_proxy_belongs_to_the_client_not_to_the_proxy(tmp_path: Path) -> None:
    service = served(tmp_path, PROGRAM, ENV)

    def throw(client: str, peer: str = "10.0.0.1") -> float:
        body = b'{"n": 1}'
        headers = [("content-type", "application/json"), ("content-length", str(len(body))), ("idempotency-key", "one")]
        scope = scope_of("POST", "/dice", [*headers, ("x-forwarded-for", client)])
        scope["client"] = (peer, 40000)
        answer = service.run(exchange(service.composition.asgi, scope, [body]))
        assert answer.status == 200, answer.body
        return float(answer.json["n"])

    first = throw("198.51.100.7")
    assert throw("198.51.100.7") == first
    assert throw("198.51.100.8") != first
    # What a stranger writes into the header is nobody's address.
    assert throw("198.51.100.7", peer="203.0.113.5") != first
    service.close()
