"""Small JSON documents in the app's database."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import cast

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from chain_common.adapters.database import insert_or_ignore, metadata, transaction
from chain_common.ports import JsonObject

documents_table = sa.Table(
    "documents",
    metadata,
    # Grows with each new document, so it is also the order in which they were made.
    sa.Column("row_id", sa.Integer, primary_key=True),
    sa.Column("collection", sa.Text, nullable=False),
    sa.Column("document_id", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.UniqueConstraint("collection", "document_id", name="documents_name"),
)


class DatabaseDocuments:
    """Documents in a table; each method is one transaction and may be called from any thread or process."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def put(self, collection: str, document_id: str, document: JsonObject) -> None:
        """Write a document, replacing an older one; it keeps the older one's place in the order."""
        body = encode_document(document)
        with transaction(self._engine) as connection:
            _ensure(connection, collection, document_id)
            _write(connection, collection, document_id, body)

    def get(self, collection: str, document_id: str) -> JsonObject | None:
        """Return a document or ``None``."""
        query = sa.select(documents_table.c.body).where(_named(collection, document_id))
        with transaction(self._engine) as connection:
            body = connection.execute(query).scalar_one_or_none()
        return None if body is None else decode_document(body)

    def update(self, collection: str, document_id: str, change: Callable[[JsonObject], JsonObject]) -> JsonObject:
        """Read, change and write one document in a single transaction; a missing one starts as ``{}``.

        If ``change`` raises, nothing was written. It must not use the database itself: it holds the write lock.
        """
        query = sa.select(documents_table.c.body).where(_named(collection, document_id))
        with transaction(self._engine) as connection:
            _ensure(connection, collection, document_id)
            changed = change(decode_document(connection.execute(query).scalar_one()))
            body = encode_document(changed)
            _write(connection, collection, document_id, body)
        return decode_document(body)

    def all(self, collection: str) -> list[tuple[str, JsonObject]]:
        """Return ids and documents of a collection, oldest first."""
        query = (
            sa.select(documents_table.c.document_id, documents_table.c.body)
            .where(documents_table.c.collection == collection)
            .order_by(documents_table.c.row_id)
        )
        with transaction(self._engine) as connection:
            rows = connection.execute(query).all()
        return [(row.document_id, decode_document(row.body)) for row in rows]

    def delete(self, collection: str, document_id: str) -> None:
        """Remove a document if it is there."""
        with transaction(self._engine) as connection:
            connection.execute(sa.delete(documents_table).where(_named(collection, document_id)))


def encode_document(document: JsonObject) -> str:
    """Write a document as text; integers keep every digit. Raises ``ValueError`` or ``TypeError`` if it is not JSON."""
    return json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def decode_document(body: str) -> JsonObject:
    """Read back what :func:`encode_document` wrote."""
    return cast("JsonObject", json.loads(body))


def _named(collection: str, document_id: str) -> sa.ColumnElement[bool]:
    return sa.and_(documents_table.c.collection == collection, documents_table.c.document_id == document_id)


def _ensure(connection: Connection, collection: str, document_id: str) -> None:
    row = {"collection": collection, "document_id": document_id, "body": "{}"}
    insert_or_ignore(connection, documents_table, [row])


def _write(connection: Connection, collection: str, document_id: str, body: str) -> None:
    connection.execute(sa.update(documents_table).where(_named(collection, document_id)).values(body=body))
