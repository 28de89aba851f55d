"""The floor on SQLite: key reads inline in the event loop."""

import hashlib
import os
import sqlite3
from typing import Any

import msgspec

COLUMNS = ("id", "title", "body", "status", "views", "author", "created_at")
GET = f"SELECT {', '.join(COLUMNS)} FROM posts WHERE id = ?"
encode = msgspec.json.Encoder().encode
database = sqlite3.connect(os.environ["DATABASE_URL"].removeprefix("sqlite:///"), isolation_level=None)


async def app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            kind = "startup" if message["type"] == "lifespan.startup" else "shutdown"
            await send({"type": f"lifespan.{kind}.complete"})
            if kind == "shutdown":
                return
    row = database.execute(GET, (scope["path"][7:],)).fetchone()
    body = encode(dict(zip(COLUMNS, row, strict=True)))
    tag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'.encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), (b"etag", tag)]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
