"""Work that must not stay failed: what a deadline and a bond depend on is tried again by itself."""

from __future__ import annotations

from typing import Final, cast

from chain_common.ports import Job
from chain_common.world import World

PAUSE_S: Final = 20.0
"""Between a failure and the next try."""


def retry_in_time(world: World, job: Job) -> None:
    """Set a failed job waiting again after a pause."""
    if job.state == "failed" and world.clock.now() >= job.updated_at + PAUSE_S:
        world.jobs.retry(job.key)


def attempt_key(world: World, intention: str) -> str:
    """Name the transaction of an intention that may be tried again after the chain has refused it.

    Only for calls that the contract itself carries out once: an earlier transaction that was mined as reverted would
    answer for its key for ever.
    """
    noted = world.documents.get("attempts", intention) or {}
    return f"{intention}.{cast(int, noted.get('refused', 0))}"


def note_refusal(world: World, intention: str) -> None:
    """Let the next try of an intention be another transaction."""
    world.documents.update("attempts", intention, lambda old: {"refused": cast(int, old.get("refused", 0)) + 1})
