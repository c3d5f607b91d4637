"""The table, and the bodies of requests and answers."""
from datetime import datetime, timezone
from typing import Annotated

from pydantic import PlainSerializer
from sqlmodel import BigInteger, Column, DateTime, Field, Identity, SQLModel


def now() -> datetime:
    return datetime.now(timezone.utc)


def rfc3339(time: datetime) -> str:
    return time.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


Timestamp = Annotated[datetime, PlainSerializer(rfc3339)]


class Task(SQLModel, table=True):
    __tablename__ = "tasks"

    user_id: str = Field(primary_key=True)
    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(), primary_key=True))
    title: str
    description: str | None = None
    completed: bool = False
    version: int = Field(default=1, sa_type=BigInteger)
    created_at: datetime = Field(default_factory=now, sa_type=DateTime(timezone=True))
    updated_at: datetime = Field(default_factory=now, sa_type=DateTime(timezone=True))


class TaskCreate(SQLModel):
    title: str = Field(min_length=1, max_length=200)
    description: str | None = Field(default=None, max_length=1000)


class TaskUpdate(SQLModel):
    title: str | None = Field(default=None, min_length=1, max_length=200)
    description: str | None = Field(default=None, max_length=1000)
    completed: bool | None = None


class TaskCompletion(SQLModel):
    completed: bool | None = None


class TaskResponse(SQLModel):
    id: int
    user_id: str
    title: str
    description: str | None
    completed: bool
    created_at: Timestamp
    updated_at: Timestamp
