"""One engine a process, one session a request."""
import os
import re
from collections.abc import Iterator

from sqlmodel import Session, create_engine

# SQLAlchemy needs the driver in the scheme; the rest of the URL goes to libpq unchanged.
URL = re.sub(r"^postgres(ql)?://", "postgresql+psycopg2://", os.environ["DATABASE_URL"])

# A Lambda sandbox serves one request at a time.
engine = create_engine(URL, pool_size=1, max_overflow=0)


def get_session() -> Iterator[Session]:
    with Session(engine) as session:
        yield session
