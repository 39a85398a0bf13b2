"""The app's own database: SQLite by default, PostgreSQL by URL.

Every table of the adapters is put on :data:`metadata`; :func:`open_database` brings an older or empty database up to
date before it returns the engine. Work on it goes through :func:`transaction`, which turns the driver's exceptions
into ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    DataError,
    IntegrityError,
    NoSuchModuleError,
    ProgrammingError,
    SQLAlchemyError,
)
from sqlalchemy.pool import ConnectionPoolEntry

from chain_common.errors import BadInput, Unavailable

metadata = sa.MetaData()

# A writer waits this long for another one. Our transactions take milliseconds, so half a minute means a fault.
BUSY_TIMEOUT_S = 30
# Any number serves, as long as nothing else in that PostgreSQL database locks it.
_TRANSACTION_LOCK = 0x636841494E


class DatabaseUnavailable(Unavailable):
    """The app's database cannot be opened, read or written."""


def open_database(url: str) -> Engine:
    """Open a database, creating or upgrading its tables.

    Transactions take turns, so that one that reads and then writes needs no locks of its own: with SQLAlchemy's
    defaults two processes that do so lose each other's updates without an error. On SQLite each begins ``IMMEDIATE``,
    with a write-ahead log and a busy timeout; on PostgreSQL each begins by taking one advisory lock. They take
    milliseconds and an app has its database for itself, so the turns cost nothing that is felt.

    Parameters
    ----------
    url
        ``sqlite:////absolute/path.sqlite3`` or ``postgresql://user@host/name`` (with psycopg installed).

    Raises
    ------
    BadInput
        If the URL is not one of a database this library can use.
    DatabaseUnavailable
        If the database cannot be reached, read or written.
    """
    engine = _engine(url)
    try:
        _upgrade(engine)
    except DatabaseUnavailable:
        engine.dispose()
        raise
    except SQLAlchemyError as error:
        engine.dispose()
        raise _unavailable(engine, error) from error
    return engine


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """Run the block in one transaction: all of it is committed at the end, or nothing.

    Raises
    ------
    DatabaseUnavailable
        If the database is locked for too long, full, read-only or gone.
    """
    try:
        with engine.begin() as connection:
            yield connection
    except (IntegrityError, ProgrammingError, DataError):
        raise
    except DatabaseError as error:
        raise _unavailable(engine, error) from error


def insert_or_ignore(connection: Connection, table: sa.Table, rows: list[Mapping[str, Any]]) -> None:
    """Insert the rows whose keys are not there yet and leave the others as they are."""
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        connection.execute(postgresql.insert(table).on_conflict_do_nothing(), rows)
    else:
        connection.execute(sqlite.insert(table).on_conflict_do_nothing(), rows)


def _engine(url: str) -> Engine:
    try:
        parsed = sa.make_url(url)
    except ArgumentError as error:
        raise BadInput("The database's URL cannot be read.", do=_URL_HELP) from error
    backend = parsed.get_backend_name()
    if parsed.drivername in ("sqlite", "sqlite+pysqlite"):
        return _sqlite(parsed)
    if backend not in ("postgres", "postgresql"):
        raise BadInput(f"A database of the kind {backend!r} is not supported.", do=_URL_HELP)
    if parsed.drivername in ("postgres", "postgresql"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    try:
        engine = sa.create_engine(
            parsed,
            pool_pre_ping=True,
            connect_args={"options": f"-c lock_timeout={BUSY_TIMEOUT_S * 1000:.0f}"},
        )
    except (ModuleNotFoundError, NoSuchModuleError) as error:
        raise BadInput(
            "The driver for PostgreSQL is not installed.",
            do="Install it with: pip install 'psycopg[binary]'.",
        ) from error
    sa.event.listen(engine, "begin", _begin_in_turn)
    return engine


_URL_HELP = "Use sqlite:////absolute/path.sqlite3 or postgresql://user:password@host/name."


def _sqlite(url: sa.URL) -> Engine:
    if url.database and url.database != ":memory:":
        try:
            Path(url.database).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise DatabaseUnavailable(
                f"The folder of the database {url.database} cannot be made ({error.strerror}).",
                do="Choose another CHAIN_HOME or DATABASE_URL.",
            ) from error
    engine = sa.create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_S})
    sa.event.listen(engine, "connect", _prepare_sqlite)
    sa.event.listen(engine, "begin", _begin_immediate)
    return engine


def _prepare_sqlite(dbapi_connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    # Python's own driver would begin a transaction only at the first write, after the read it depends on.
    dbapi_connection.isolation_level = None
    cursor = dbapi_connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    # A transaction recorded before it is sent has to survive a power cut too, not only a killed process.
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin_in_turn(connection: Connection) -> None:
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_TRANSACTION_LOCK})")


def _upgrade(engine: Engine) -> None:
    # Alembic takes a third of a second to import, and only this needs it.
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", "chain_common.adapters:migrations")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise DatabaseUnavailable(
                f"The database {_shown(engine)} was written by a newer version of this app ({error}).",
                do="Install that version, or choose another CHAIN_HOME or DATABASE_URL.",
            ) from error


def _unavailable(engine: Engine, error: SQLAlchemyError) -> DatabaseUnavailable:
    cause = str(getattr(error, "orig", None) or type(error).__name__).strip()
    return DatabaseUnavailable(
        f"The database {_shown(engine)} cannot be used ({cause}).",
        do="Check that it is running, that its disk is not full and that this user may write to it.",
    )


def _shown(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=True)
