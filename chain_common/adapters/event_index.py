"""The contract's events, copied into the app's database."""

from __future__ import annotations

import json
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Engine, Row

from chain_common.adapters.database import insert_or_ignore, metadata, transaction
from chain_common.domain.repository import Address, ChainEvent, ChainIdentity

# One row at most: the deployment that the events belong to, and the last block copied.
source_table = sa.Table(
    "event_source",
    metadata,
    sa.Column("row_id", sa.Integer, primary_key=True),
    sa.Column("chain_id", sa.BigInteger, nullable=False),
    sa.Column("contract", sa.Text, nullable=False),
    sa.Column("deployment_transaction", sa.Text, nullable=False),
    sa.Column("deployment_block_hash", sa.Text, nullable=False),
    sa.Column("checkpoint", sa.BigInteger, nullable=False),
)

events_table = sa.Table(
    "events",
    metadata,
    sa.Column("block", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("log_index", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("transaction_hash", sa.Text, nullable=False),
    sa.Column("timestamp", sa.BigInteger, nullable=False),
    sa.Column("model_id", sa.BigInteger),
    sa.Column("arguments", sa.Text, nullable=False),
    sa.Index("events_by_model", "model_id", "name", "block"),
)


class IndexNotReset(RuntimeError):
    """Events were added before the index was told which deployment they come from: a fault of the program."""

    def __init__(self) -> None:
        super().__init__("reset the event index for a deployment before adding to it")


class DatabaseEventIndex:
    """Events in a table; an event is known by its block and its place in it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def reset(self, identity: ChainIdentity) -> None:
        """Forget everything and start anew for a deployment."""
        with transaction(self._engine) as connection:
            connection.execute(sa.delete(events_table))
            connection.execute(sa.delete(source_table))
            connection.execute(
                sa.insert(source_table).values(
                    row_id=1,
                    chain_id=identity.chain_id,
                    contract=identity.contract,
                    deployment_transaction=identity.deployment_transaction,
                    deployment_block_hash=identity.deployment_block_hash,
                    checkpoint=-1,
                )
            )

    def identity(self) -> ChainIdentity | None:
        """Return the deployment the copied events belong to."""
        with transaction(self._engine) as connection:
            row = connection.execute(sa.select(source_table)).one_or_none()
        if row is None:
            return None
        return ChainIdentity(
            chain_id=row.chain_id,
            contract=Address(row.contract),
            deployment_transaction=row.deployment_transaction,
            deployment_block_hash=row.deployment_block_hash,
        )

    def checkpoint(self) -> int:
        """Return the last block copied, or -1."""
        with transaction(self._engine) as connection:
            checkpoint = connection.execute(sa.select(source_table.c.checkpoint)).scalar_one_or_none()
        return -1 if checkpoint is None else int(checkpoint)

    def add(self, events: Sequence[ChainEvent], checkpoint: int) -> None:
        """Store a page of events and move the checkpoint, which never moves back, in one transaction.

        Raises
        ------
        IndexNotReset
            If no deployment has been set.
        """
        newest = sa.case((source_table.c.checkpoint > checkpoint, source_table.c.checkpoint), else_=checkpoint)
        with transaction(self._engine) as connection:
            moved = connection.execute(sa.update(source_table).values(checkpoint=newest))
            if moved.rowcount == 0:
                raise IndexNotReset
            insert_or_ignore(connection, events_table, [_row(event) for event in events])

    def events(
        self,
        *,
        model_id: int | None = None,
        name: str | None = None,
        newest_first: bool = False,
        limit: int = 1000,
    ) -> list[ChainEvent]:
        """Return at most ``limit`` events in chain order, filtered."""
        columns = events_table.c
        query = sa.select(events_table).limit(limit)
        if model_id is not None:
            query = query.where(columns.model_id == model_id)
        if name is not None:
            query = query.where(columns.name == name)
        if newest_first:
            query = query.order_by(columns.block.desc(), columns.log_index.desc())
        else:
            query = query.order_by(columns.block, columns.log_index)
        with transaction(self._engine) as connection:
            rows = connection.execute(query).all()
        return [_event(row) for row in rows]


def _row(event: ChainEvent) -> dict[str, object]:
    return {
        "block": event.block,
        "log_index": event.log_index,
        "name": event.name,
        "transaction_hash": event.transaction,
        "timestamp": event.timestamp,
        "model_id": event.model_id,
        "arguments": json.dumps(event.arguments, allow_nan=False, separators=(",", ":")),
    }


def _event(row: Row[tuple[object, ...]]) -> ChainEvent:
    return ChainEvent(
        name=row.name,
        block=row.block,
        log_index=row.log_index,
        transaction=row.transaction_hash,
        timestamp=row.timestamp,
        model_id=row.model_id,
        arguments=json.loads(row.arguments),
    )
