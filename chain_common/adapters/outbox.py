"""Transactions, recorded before they are sent.

A row is written, with the signed bytes, before anything leaves the process; so after a crash the same bytes can be
found, asked after and sent again, and no intention becomes two transactions. Rows belong to one deployment: those of a
chain that was replaced are never sent to its successor.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, Row

from chain_common.adapters.database import metadata, transaction
from chain_common.domain.repository import ChainIdentity

outbox_table = sa.Table(
    "outbox",
    metadata,
    sa.Column("row_id", sa.Integer, primary_key=True),
    sa.Column("deployment", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("sender", sa.Text, nullable=False),
    sa.Column("nonce", sa.BigInteger, nullable=False),
    sa.Column("call_digest", sa.Text, nullable=False),
    sa.Column("raw", sa.LargeBinary, nullable=False),
    sa.Column("transaction_hash", sa.Text, nullable=False),
    sa.Column("fate", sa.Text, nullable=False),
    sa.Column("revert_data", sa.LargeBinary),
    sa.Column("recorded_at", sa.Double, nullable=False),
    sa.UniqueConstraint("deployment", "key", "attempt", name="outbox_attempt"),
    sa.Index("outbox_nonces", "deployment", "sender", "nonce"),
)


class Fate(StrEnum):
    """What is known of a recorded transaction; the chain has the last word on all but ``LOST``."""

    RECORDED = "recorded"
    SENT = "sent"
    MINED = "mined"
    FAILED = "failed"
    LOST = "lost"


class Signed(Protocol):
    """A signed transaction: the bytes to send and their hash (32 bytes)."""

    @property
    def raw_transaction(self) -> bytes:
        """The bytes to send."""
        ...

    @property
    def hash(self) -> bytes:
        """The transaction's hash."""
        ...


@dataclass(frozen=True, slots=True)
class Entry:
    """One recorded transaction.

    Parameters
    ----------
    key
        The intention; ``attempt`` counts the transactions made for it, from one. A second one is only made once the
        first is lost.
    call_digest
        Tells whether another call is made under the same key.
    transaction
        Its hash, ``0x`` and 64 digits.
    revert_data
        Of one that failed: what the contract gave as the reason.
    """

    row_id: int
    key: str
    attempt: int
    sender: str
    nonce: int
    call_digest: str
    raw: bytes
    transaction: str
    fate: Fate
    revert_data: bytes | None


class Outbox:
    """The recorded transactions of one deployment.

    Parameters
    ----------
    engine
        The app's database, see :func:`chain_common.adapters.database.open_database`.
    identity
        The deployment they are for.
    clock
        Unix seconds, for the record only.
    """

    def __init__(self, engine: Engine, identity: ChainIdentity, *, clock: Callable[[], float] = time.time) -> None:
        self._engine = engine
        self._clock = clock
        self._deployment = (
            f"{identity.chain_id}:{identity.contract}"
            f":{identity.deployment_transaction}:{identity.deployment_block_hash}"
        )

    def attempts(self, key: str) -> list[Entry]:
        """Return the transactions made for an intention, the newest first."""
        with transaction(self._engine) as connection:
            return self._attempts(connection, key)

    def record(
        self, key: str, sender: str, call_digest: str, *, free_nonce: int, sign: Callable[[int], Signed]
    ) -> Entry:
        """Give an intention the next free nonce, sign and record its transaction, in one step.

        If another thread or process has recorded one meanwhile, that one is returned and nothing is signed.

        Parameters
        ----------
        free_nonce
            The first nonce that no transaction known to the chain has.
        sign
            Makes the transaction with a nonce.

        Raises
        ------
        Locked
            If the account is locked; nothing was recorded.
        """
        with transaction(self._engine) as connection:
            earlier = self._attempts(connection, key)
            if earlier and earlier[0].fate is not Fate.LOST:
                return earlier[0]
            taken = {entry.nonce for entry in self._standing(connection, sender, free_nonce)}
            nonce = next(nonce for nonce in range(free_nonce, free_nonce + len(taken) + 1) if nonce not in taken)
            signed = sign(nonce)
            connection.execute(
                sa.insert(outbox_table).values(
                    deployment=self._deployment,
                    key=key,
                    attempt=len(earlier) + 1,
                    sender=sender,
                    nonce=nonce,
                    call_digest=call_digest,
                    raw=bytes(signed.raw_transaction),
                    transaction_hash="0x" + bytes(signed.hash).hex(),
                    fate=Fate.RECORDED,
                    recorded_at=self._clock(),
                )
            )
            return self._attempts(connection, key)[0]

    def standing(self, sender: str, from_nonce: int) -> list[Entry]:
        """Return a sender's transactions that are not lost, from a nonce on, in the order of their nonces."""
        with transaction(self._engine) as connection:
            return self._standing(connection, sender, from_nonce)

    def mark(self, entry: Entry, fate: Fate, revert_data: bytes | None = None) -> None:
        """Note what has become of a transaction."""
        with transaction(self._engine) as connection:
            connection.execute(
                sa.update(outbox_table)
                .where(outbox_table.c.row_id == entry.row_id)
                .values(fate=fate, revert_data=revert_data)
            )

    def _attempts(self, connection: Connection, key: str) -> list[Entry]:
        rows = connection.execute(
            sa.select(outbox_table)
            .where(outbox_table.c.deployment == self._deployment, outbox_table.c.key == key)
            .order_by(outbox_table.c.attempt.desc())
        )
        return [_entry(row) for row in rows]

    def _standing(self, connection: Connection, sender: str, from_nonce: int) -> list[Entry]:
        rows = connection.execute(
            sa.select(outbox_table)
            .where(
                outbox_table.c.deployment == self._deployment,
                outbox_table.c.sender == sender,
                outbox_table.c.nonce >= from_nonce,
                outbox_table.c.fate != Fate.LOST,
            )
            .order_by(outbox_table.c.nonce)
        )
        return [_entry(row) for row in rows]


def _entry(row: Row[tuple[object, ...]]) -> Entry:
    return Entry(
        row_id=row.row_id,
        key=row.key,
        attempt=row.attempt,
        sender=row.sender,
        nonce=row.nonce,
        call_digest=row.call_digest,
        raw=bytes(row.raw),
        transaction=row.transaction_hash,
        fate=Fate(row.fate),
        revert_data=None if row.revert_data is None else bytes(row.revert_data),
    )
