from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "v0002"
down_revision = "v0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "outbox",
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
    )
    op.create_index("outbox_nonces", "outbox", ["deployment", "sender", "nonce"])
