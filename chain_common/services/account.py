"""The account behind an app: what it has, what it can withdraw, and whether chain and store are reached."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from chain_common.domain.calls import Withdraw
from chain_common.errors import Locked, RuleBroken, Unavailable
from chain_common.ports import Job
from chain_common.services.transactions import Transactions
from chain_common.services.views import AccountView, Vitals
from chain_common.world import World


class NothingToWithdrawNow(RuleBroken):
    """The account has no credit in the contract."""

    def __init__(self) -> None:
        super().__init__(
            "There is nothing to withdraw.",
            expected="A claim first moves what is due to you into your credit.",
            do="Claim what is due, then withdraw.",
        )


@dataclass(frozen=True, slots=True)
class Account:
    """Use cases around the user's own account."""

    world: World
    transactions: Transactions

    def view(self) -> AccountView:
        """Return address, balance, credit and past withdrawals."""
        ledger = self.world.ledger
        identity, address = ledger.identity(), ledger.account()
        withdrawals = self.world.index.events(name="Withdrawn", newest_first=True)
        return AccountView(
            address=address,
            balance_wei=ledger.balance(address),
            credit_wei=ledger.credit(address),
            chain_id=identity.chain_id,
            contract=identity.contract,
            withdrawals=tuple(event for event in withdrawals if event.arguments["account"] == address),
        )

    def withdraw(self) -> Job:
        """Pay the account's credit out. Raises ``NothingToWithdrawNow``."""
        if self.world.ledger.credit(self.world.ledger.account()) == 0:
            raise NothingToWithdrawNow
        return self.transactions.submit(Withdraw(), title="Withdraw", intention="withdraw")

    def vitals(self) -> Vitals:
        """Say how chain and store are; never raises because one of them is away."""
        ledger, store = self.world.ledger, self.world.store
        problems: list[str] = []
        account, chain_id, block, balance, credit = "", 0, 0, 0, 0
        chain_reached = store_reached = True
        try:
            block, chain_id = ledger.head().number, ledger.identity().chain_id
            with suppress(Locked):  # There is no account yet.
                account = ledger.account()
                balance, credit = ledger.balance(account), ledger.credit(account)
        except Unavailable as error:
            chain_reached = False
            problems.append(error.sentence)
        try:
            store.check()
        except Unavailable as error:
            store_reached = False
            problems.append(error.sentence)
        return Vitals(
            chain_reached=chain_reached,
            chain_id=chain_id,
            block=block,
            store_reached=store_reached,
            store_location=store.location(),
            account=account,
            balance_wei=balance,
            credit_wei=credit,
            problem=" ".join(problems),
        )
