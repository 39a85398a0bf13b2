"""The lender's use cases, wired together."""

from __future__ import annotations

from dataclasses import dataclass

from chain_common.ports import LoanReader, Presets
from chain_common.services.account import Account
from chain_common.services.indexer import Indexer
from chain_common.services.lender.backups import Backups
from chain_common.services.lender.bounties import Bounties
from chain_common.services.lender.closing import Closing
from chain_common.services.lender.keys import ModelKeys
from chain_common.services.lender.models import LenderModels
from chain_common.services.lender.payloads import Payloads
from chain_common.services.lender.publishing import Publishing
from chain_common.services.lender.settling import Settling
from chain_common.services.model_describer import ModelDescriber
from chain_common.services.model_reader import ModelReader
from chain_common.services.transactions import Transactions
from chain_common.world import World


@dataclass(frozen=True, slots=True)
class Lender:
    """Everything a lender does."""

    world: World
    account: Account
    bounties: Bounties
    models: LenderModels
    keys: ModelKeys
    backups: Backups

    @classmethod
    def of(cls, world: World, loans: LoanReader, presets: Presets, *, key_bits: int) -> Lender:
        """Wire the use cases on a world and make their jobs known to its worker."""
        transactions = Transactions(world)
        reader = ModelReader(world)
        bounties = Bounties(world, loans, presets)
        keys = ModelKeys(world, key_bits)
        publishing = Publishing(world, bounties, keys, presets)
        settling = Settling(world, reader, bounties, keys, publishing, Payloads(world, reader, keys))
        closing = Closing(world, bounties, keys, publishing)
        for part in (transactions, publishing, settling, closing):
            part.register()
        models = LenderModels(
            world, Indexer(world), reader, ModelDescriber(reader), bounties, settling, closing, transactions
        )
        return cls(world, Account(world, transactions), bounties, models, keys, Backups(world))
