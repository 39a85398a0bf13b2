"""The data owner's use cases, wired together."""

from __future__ import annotations

from dataclasses import dataclass

from chain_common.ports import LoanReader
from chain_common.services.account import Account
from chain_common.services.data_owner.contributing import Contributing
from chain_common.services.data_owner.contributions import Contributions
from chain_common.services.data_owner.delivering import Delivering
from chain_common.services.data_owner.files import Files
from chain_common.services.data_owner.market import Market
from chain_common.services.indexer import Indexer
from chain_common.services.model_describer import ModelDescriber
from chain_common.services.model_reader import ModelReader
from chain_common.services.transactions import Transactions
from chain_common.world import World


@dataclass(frozen=True, slots=True)
class DataOwner:
    """Everything a data owner does."""

    world: World
    account: Account
    market: Market
    files: Files
    contributing: Contributing
    delivering: Delivering
    contributions: Contributions
    indexer: Indexer

    @classmethod
    def of(cls, world: World, loans: LoanReader) -> DataOwner:
        """Wire the use cases on a world and make their jobs known to its worker."""
        transactions = Transactions(world)
        reader = ModelReader(world)
        market = Market(world, reader, ModelDescriber(reader), transactions)
        files = Files(world, reader, market, loans)
        delivering = Delivering(world)
        contributing = Contributing(world, reader, market, files, delivering)
        for part in (transactions, contributing, delivering):
            part.register()
        contributions = Contributions(world, transactions, contributing)
        return cls(
            world,
            Account(world, transactions),
            market,
            files,
            contributing,
            delivering,
            contributions,
            Indexer(world),
        )

    def watch(self) -> None:
        """Forget rows nobody decided about and payloads of rounds that are over, and copy new events."""
        self.files.forget_old()
        self.indexer.sync()
        self.contributions.watch()
        self.delivering.tidy()
