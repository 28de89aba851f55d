"""The floor: ASGI, asyncpg and msgspec by hand, without a framework. It does what the program does and nothing else."""

import hashlib
import os
import time
import uuid
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from urllib.parse import parse_qs

import asyncpg
import jwt
import msgspec

SECRET = os.environ["JWT_SECRET"]
COLUMNS = "id, title, body, status, views, author, created_at"
GET = f"SELECT {COLUMNS} FROM posts WHERE id = $1"
LETTER = "SELECT id, title, body, status, views, owner, created_at FROM letters WHERE id = $1 AND owner = $2"
LIST = f"SELECT {COLUMNS} FROM posts WHERE status = $1 ORDER BY created_at DESC, id DESC LIMIT 21"
CREATE = f"INSERT INTO posts ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING {COLUMNS}"
LOCKED = f"SELECT {COLUMNS} FROM posts WHERE id = $1 FOR UPDATE"
UPDATE = f"UPDATE posts SET views = $2 WHERE id = $1 RETURNING {COLUMNS}"
VISIT = "INSERT INTO visits (id, post, at) VALUES ($1, $2, $3) RETURNING id, post, at"


class NewPost(msgspec.Struct, forbid_unknown_fields=True):
    title: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    body: str
    status: Literal["draft", "published", "archived"]
    author: uuid.UUID
    views: Annotated[int, msgspec.Meta(ge=0)] = 0


decode = msgspec.json.Decoder(NewPost).decode
encode = msgspec.json.Encoder(decimal_format="number").encode
pool: Any
verified: dict[bytes, tuple[float, str]] = {}


async def no_reset(connection: Any) -> None:
    """asyncpg's reset query would cost 40 %."""


def row_of(record: Any) -> dict[str, Any]:
    return dict(record.items())


async def answer(send: Any, status: int, body: bytes, *headers: tuple[bytes, bytes]) -> None:
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"application/json"), length, *headers]})
    await send({"type": "http.response.body", "body": body})


def subject(scope: Any) -> str | None:
    for name, value in scope["headers"]:
        if name == b"authorization":
            known = verified.get(value)
            if known is not None and known[0] > time.time():
                return known[1]
            claims = jwt.decode(value[7:].decode(), SECRET, algorithms=["HS256"], options={"require": ["exp", "sub"]})
            if len(verified) > 10_000:
                verified.clear()
            verified[value] = (claims["exp"], claims["sub"])
            return str(claims["sub"])
    return None


async def body_of(receive: Any) -> bytes:
    message = await receive()
    body = message["body"]
    while message.get("more_body"):
        message = await receive()
        body += message["body"]
    return bytes(body)


def etag(body: bytes) -> tuple[bytes, bytes]:
    return (b"etag", f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'.encode())


async def visits(send: Any, key: str) -> None:
    identity = uuid.UUID(key)
    async with pool.acquire() as connection, connection.transaction():
        post = await connection.fetchrow(LOCKED, identity)
        changed = await connection.fetchrow(UPDATE, identity, post["views"] + 1)
        await connection.fetchrow(VISIT, uuid.uuid4(), identity, datetime.now(UTC))
    await answer(send, 201, encode({"views": changed["views"]}))


async def app(scope: Any, receive: Any, send: Any) -> None:
    global pool  # noqa: PLW0603  # the floor has no framework to keep it
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                pool = await asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=4, max_size=20, reset=no_reset)
                await send({"type": "lifespan.startup.complete"})
            else:
                await pool.close()
                await send({"type": "lifespan.shutdown.complete"})
                return None
    path = scope["path"]
    if path == "/ping":
        return await answer(send, 200, encode({"ok": True}))
    if path == "/posts":
        if scope["method"] == "POST":
            new = decode(await body_of(receive))
            async with pool.acquire() as connection:
                record = await connection.fetchrow(
                    CREATE, uuid.uuid4(), new.title, new.body, new.status, new.views, new.author, datetime.now(UTC)
                )
            return await answer(send, 201, encode(row_of(record)), (b"location", f"/posts/{record['id']}".encode()))
        query = parse_qs(scope["query_string"].decode())
        async with pool.acquire() as connection:
            records = await connection.fetch(LIST, query["status"][0])
        more = len(records) > 20
        page = {"page": 1, "limit": 20, "has_next": more, "has_previous": False}
        return await answer(send, 200, encode({"data": [row_of(record) for record in records[:20]], "pagination": page}))
    if path.startswith("/letters/"):
        owner = subject(scope)
        if owner is None:
            return await answer(send, 401, b"{}")
        async with pool.acquire() as connection:
            record = await connection.fetchrow(LETTER, uuid.UUID(path[9:]), owner)
        if record is None:
            return await answer(send, 404, b"{}")
        body = encode(row_of(record))
        return await answer(send, 200, body, etag(body))
    if path.endswith("/visits"):
        return await visits(send, path[7:43])
    async with pool.acquire() as connection:
        record = await connection.fetchrow(GET, uuid.UUID(path[7:]))
    if record is None:
        return await answer(send, 404, b"{}")
    body = encode(row_of(record))
    return await answer(send, 200, body, etag(body))
