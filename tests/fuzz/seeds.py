"""What the fuzzer begins with: programs of the project, and a few messages of each kind."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
LONGEST = 1_500  # bytes of an input

QUERIES = [
    "select Book where price > 10 and title contains 'a' order by title desc limit 3 offset 1",
    "select author, count(*) as n, avg(price) as mean from Book group by author having n > 3",
    "count(Book where price between 1 and 2 or author is null)",
    'status:open price:>100 "exact phrase" -archived tag:a,b',
    "update Book set stock = stock - 1 where id == '1'",
]
_JSON = "Content-Type: application/json"
REQUESTS = [
    "GET /things?min_count=1&sort=-price&limit=2&expand=shelf&total=exact",
    "GET /things?q=price%20%3E%201%20and%20name%20contains%20'a'",
    'GET /things?cursor=abc&page=2\nAccept: text/html\nIf-None-Match: "x"',
    'POST /shelves\nContent-Type: application/json\n\n{"name": "a"}',
    f'POST /things\n{_JSON}\nIdempotency-Key: k\n\n{{"name": "a", "price": 1.5, "count": 1, "span": "1h", "raw": "YQ=="}}',
    f'POST /things\n{_JSON}\n\n{{"name": "a", "words": ["b"], "scores": {{"c": 1}}, "at": "2026-01-01T00:00:00Z", "free": [{{}}]}}',
    "POST /things\nContent-Type: application/x-www-form-urlencoded\nContent-Encoding: gzip\n\nname=a",
    'PATCH /things/00000000-0000-7000-8000-000000000001\nContent-Type: application/json\n\n{"kind": "small", "mail": "a@b.c"}',
    "DELETE /things/1\nAuthorization: Bearer a.b.c",
    f'POST /notes\nAuthorization: Bearer admin\n{_JSON}\n\n{{"text": "a", "owner": "00000000-0000-7000-8000-000000000001"}}',
    "GET /notes?sort=text&q=text%20in%20%5B'a'%5D\nAuthorization: Bearer admin",
    "OPTIONS /things\nOrigin: https://a.b\nAccess-Control-Request-Method: POST",
    "HEAD /openapi.json\nAccept-Encoding: gzip;q=0.5, br",
    'POST /uploads\nContent-Type: multipart/form-data; boundary=x\n\n--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--x--\r\n',
]
TOKENS = [
    b'S{"alg": "HS256", "typ": "JWT"}\x00{"sub": "ada", "exp": 1800000600, "iss": "a", "aud": ["b"], "roles": ["admin"]}',
    b'S{"alg": "HS256", "kid": "k"}\x00{"sub": "ada", "exp": 1800000600, "nbf": 1800000000, "iat": 1, "permissions": "a:b c:*"}',
    b'S{"alg": "none", "crit": ["b64"], "b64": false}\x00{"exp": 1e400}',
    b"Reyhe.yJh.x",
]
CONNECTIONS = [
    b"\x01\x05\x09\x20GET /a?b HTTP/1.1\r\nhost: x\r\n\r\nGET /instant HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
    (
        b"\x10\x30\x50\x60POST /a HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
        b"3;x=y\r\nabc\r\n0\r\nx: y\r\n\r\nGET /b HTTP/1.0\r\n\r\n"
    ),
    (
        b"\x10\x30\x50\x60POST /unread HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 3\r\n\r\nabc"
        b"GET http://y/ HTTP/1.1\r\nhost: x\r\n\r\n"
    ),
    b"\x00\x00\x00\x33GET /\xc3\x9f HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\nPRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
]
SIGNATURES = [
    b"Smsg_1\n1800000000\n\n{}",
    b"Rmsg_1\n1800000000\nv1,YQ== v1a,YQ==\n{}",
    b"Hmsg_1\n1800000000\nsha256=00\n{}",
    b"Kwhsec_YQ== plain,whsec_\n\n\n",
]


def seeds(target: str) -> list[bytes]:
    """The first inputs of a target."""
    if target in ("program", "format"):
        paths = sorted([*ROOT.glob("tests/corpus/*/*.cai"), *ROOT.glob("examples/*/*.cai"), ROOT / "docs/language/shop.cai"])
        pieces = {piece.strip() for path in paths for piece in re.split(rb"\n(?=\S)(?!\})", path.read_bytes())}
        return sorted(piece for piece in pieces if b"{" in piece and len(piece) <= LONGEST)
    texts: dict[str, list[bytes]] = {
        "query": [text.encode() for text in QUERIES],
        "http": [text.encode() for text in REQUESTS],
        "token": TOKENS,
        "signature": SIGNATURES,
        "connection": CONNECTIONS,
    }
    return texts[target]
