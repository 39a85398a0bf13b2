"""Keeps the local copy of the contract's events up to date."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from chain_common.errors import Locked
from chain_common.world import World


@dataclass(slots=True)
class Indexer:
    """Copies events from the last checkpoint to the newest block.

    A replaced chain (a development chain that was started anew) is recognised by its deployment's hashes, a reorganised
    one by the hash of the last block copied; the copy is then rebuilt from the first block.
    """

    world: World
    _reconciled: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def sync(self) -> int:
        """Copy what is new and return the number of events.

        Raises
        ------
        Unavailable
            If the chain cannot be reached; what was copied before stays.
        """
        with self._lock:
            index, ledger = self.world.index, self.world.ledger
            identity = ledger.identity()
            if index.identity() != identity:
                index.reset(identity)
            head = ledger.head().number
            head_hash = ledger.block_hash(head)
            if not self._is_on_this_chain(head):
                index.reset(identity)
                self._reconciled = False
            if not self._reconciled:
                self._reconciled = self._reconcile()
            n_copied = 0
            start = index.checkpoint() + 1
            if start > head:
                return 0
            for page in ledger.events(start, head):
                index.add(page, page[-1].block - 1 if page else start - 1)
                n_copied += len(page)
            index.add((), head)
            self.world.documents.put("index", "checkpoint", {"block": head, "hash": head_hash})
            return n_copied

    def _reconcile(self) -> bool:
        try:
            self.world.ledger.reconcile()
        except Locked:
            return False  # There is no account yet, and so nothing recorded.
        return True

    def _is_on_this_chain(self, head: int) -> bool:
        """Tell whether the last block copied is still a block of the chain.

        It is not after a reorganisation, or when a development chain came back from an older state.
        """
        checkpoint = self.world.index.checkpoint()
        if checkpoint < 0:
            return True
        noted = self.world.documents.get("index", "checkpoint") or {}
        known = noted.get("block") == checkpoint
        return checkpoint <= head and known and self.world.ledger.block_hash(checkpoint) == noted.get("hash")
