"""Errors of the chain behind the ``Ledger`` port.

::

    Unavailable ── ChainAway, WrongChain, ReplacedChain, NotDeployed, TransactionPending, NoChainProgram
    RuleBroken  ── NotEnoughEther, Reverted, KeyReused

What the contract itself refuses is in :mod:`chain_common.contract_errors`.
"""

from __future__ import annotations

from datetime import UTC, datetime

from chain_common.errors import RuleBroken, Unavailable
from chain_common.units import format_ether


def in_ether(amount_wei: int) -> str:
    """Write an amount exactly, with its unit: ``1500000000000000000`` is ``1.5 ether``."""
    return f"{format_ether(amount_wei)} ether"


def in_utc(moment_s: int) -> str:
    """Write a unix time: ``20 Nov 2026, 18:00:05 UTC``; one that no calendar has stays a number."""
    try:
        at = datetime.fromtimestamp(moment_s, UTC)
    except (ValueError, OverflowError, OSError):
        return f"second {moment_s}"
    return f"{at.day} {at:%b %Y, %H:%M:%S} UTC"


class ChainAway(Unavailable):
    """No answer, or none that can be used, comes from the chain's node.

    ``location`` is where it was looked for, without user, password or key; ``answered`` tells whether a node was there
    and refused, so that asking for less may help.
    """

    def __init__(self, location: str, reason: str, *, answered: bool = False) -> None:
        self.location = location
        self.reason = reason
        self.answered = answered
        super().__init__(
            f"The chain at {location} cannot be used: {reason}.",
            do="Start it, or name one that runs with --chain or CHAIN_RPC_URL; then try again.",
        )


class WrongChain(Unavailable):
    """The node serves another chain than the one the contract is on."""

    def __init__(self, location: str, found: int, wanted: int) -> None:
        self.location = location
        self.found = found
        self.wanted = wanted
        super().__init__(
            f"The node at {location} serves chain {found}.",
            expected=f"The contract is on chain {wanted}.",
            do="Name a node of that chain with --chain or CHAIN_RPC_URL, or deploy the contract here.",
        )


class ReplacedChain(Unavailable):
    """The chain has the right id, but the contract's deployment never happened on it: it was started anew."""

    def __init__(self, location: str, contract: str) -> None:
        self.location = location
        self.contract = contract
        super().__init__(
            f"The chain at {location} has been started anew since the contract {contract} was deployed on it.",
            do="Deploy the contract again with chain deploy; what was on the old chain is gone.",
        )


class NotDeployed(Unavailable):
    """It is not known here where the contract is, or what is there is something else."""

    def __init__(self, where: str, reason: str) -> None:
        self.where = where
        self.reason = reason
        super().__init__(
            f"{where} does not name a usable contract: {reason}.",
            do="Deploy the contract with chain deploy, or copy the deployment.json of who did.",
        )


class TransactionPending(Unavailable):
    """A transaction was sent and has not been mined yet; the same key waits for it again."""

    def __init__(self, transaction: str, waited_s: float) -> None:
        self.transaction = transaction
        self.waited_s = waited_s
        super().__init__(
            f"The transaction {transaction} is not mined after {waited_s:.0f} seconds.",
            do="It stays recorded and is waited for at the next try; it is never sent as a second one.",
        )


class NoChainProgram(Unavailable):
    """No program for a local chain is installed."""

    def __init__(self, program: str, mend: str) -> None:
        self.program = program
        super().__init__(f"No local chain can be started: {program} is not installed.", do=mend)


class NotEnoughEther(RuleBroken):
    """The account cannot pay what the call sends and what it costs."""

    def __init__(self, account: str, needed_wei: int, available_wei: int) -> None:
        self.account = account
        self.needed_wei = needed_wei
        self.available_wei = available_wei
        super().__init__(
            f"The account {account} has {in_ether(available_wei)}.",
            expected=f"The transaction needs {in_ether(needed_wei)} with its fee.",
            do=f"Send it at least {in_ether(max(0, needed_wei - available_wei))} first.",
        )


class Reverted(RuleBroken):
    """The call failed on chain for a reason that is none of the contract's own errors."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(
            f"The contract refused the call: {reason}.",
            do="Check that the contract is the one this version deploys.",
        )


class KeyReused(RuleBroken):
    """Another call was recorded under the same intention."""

    def __init__(self, key: str, transaction: str) -> None:
        self.key = key
        self.transaction = transaction
        super().__init__(
            f"The intention {key!r} has a recorded transaction {transaction} with other contents.",
            do="Finish that one first; a different call needs an intention of its own.",
        )
