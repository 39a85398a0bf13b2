"""Alembic's entry: runs the versions inside the transaction that ``open_database`` began."""

from __future__ import annotations

from alembic import context

from chain_common.adapters.database import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
