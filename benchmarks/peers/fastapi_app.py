"""FastAPI with SQLAlchemy's ORM on asyncpg, as its tutorial teaches it."""

import os
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated, Literal

import jwt
from fastapi import Depends, FastAPI, Header, HTTPException
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import DateTime, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

engine = create_async_engine(os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+asyncpg://"), pool_size=20)
sessions = async_sessionmaker(engine, expire_on_commit=False)
app = FastAPI()


class Base(DeclarativeBase):
    pass


class Post(Base):
    __tablename__ = "posts"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    title: Mapped[str]
    body: Mapped[str]
    status: Mapped[str]
    views: Mapped[int]
    author: Mapped[uuid.UUID]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class Letter(Base):
    __tablename__ = "letters"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    title: Mapped[str]
    body: Mapped[str]
    status: Mapped[str]
    views: Mapped[int]
    owner: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class NewPost(BaseModel):
    model_config = ConfigDict(extra="forbid")
    title: Annotated[str, Field(min_length=1, max_length=200)]
    body: str
    status: Literal["draft", "published", "archived"]
    author: uuid.UUID
    views: Annotated[int, Field(ge=0)] = 0


class PostOut(NewPost):
    model_config = ConfigDict(from_attributes=True)
    id: uuid.UUID
    created_at: datetime


class LetterOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    id: uuid.UUID
    title: str
    body: str
    status: str
    views: int
    owner: str
    created_at: datetime


class Page(BaseModel):
    data: list[PostOut]
    pagination: dict[str, int | bool]


async def session() -> AsyncIterator[AsyncSession]:
    async with sessions() as found:
        yield found


Session = Annotated[AsyncSession, Depends(session)]


def caller(authorization: Annotated[str, Header()]) -> str:
    claims = jwt.decode(authorization[7:], os.environ["JWT_SECRET"], algorithms=["HS256"])
    return str(claims["sub"])


@app.get("/ping")
async def ping() -> dict[str, bool]:
    return {"ok": True}


@app.get("/posts")
async def posts(session: Session, status: str) -> Page:
    found = select(Post).where(Post.status == status).order_by(Post.created_at.desc(), Post.id.desc()).limit(21)
    rows = list(await session.scalars(found))
    page = {"page": 1, "limit": 20, "has_next": len(rows) > 20, "has_previous": False}
    return Page(data=[PostOut.model_validate(row) for row in rows[:20]], pagination=page)


@app.get("/posts/{key}")
async def post(session: Session, key: uuid.UUID) -> PostOut:
    found = await session.get(Post, key)
    if found is None:
        raise HTTPException(404)
    return PostOut.model_validate(found)


@app.post("/posts", status_code=201)
async def create(session: Session, new: NewPost) -> PostOut:
    found = Post(id=uuid.uuid4(), created_at=datetime.now(UTC), **new.model_dump())
    session.add(found)
    await session.commit()
    return PostOut.model_validate(found)


@app.get("/letters/{key}")
async def letter(session: Session, key: uuid.UUID, owner: Annotated[str, Depends(caller)]) -> LetterOut:
    found = await session.scalar(select(Letter).where(Letter.id == key, Letter.owner == owner))
    if found is None:
        raise HTTPException(404)
    return LetterOut.model_validate(found)
