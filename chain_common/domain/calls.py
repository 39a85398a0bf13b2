"""What can be asked of the ``ModelRepository`` contract: one record per call that changes it."""

from __future__ import annotations

from dataclasses import dataclass

from chain_common.domain.repository import Contribution, Publication, SettlementReport, Terms


@dataclass(frozen=True, slots=True)
class CreateModel:
    """Create a model, escrowing bounty and bond."""

    bounty_wei: int
    bond_wei: int
    publication: Publication
    terms: Terms


@dataclass(frozen=True, slots=True)
class TopUp:
    """Add to bounty and bond."""

    model_id: int
    bounty_wei: int
    bond_wei: int


@dataclass(frozen=True, slots=True)
class Contribute:
    """Take a seat with a stake."""

    model_id: int
    stake_wei: int
    contribution: Contribution


@dataclass(frozen=True, slots=True)
class Settle:
    """Settle the running round."""

    model_id: int
    report: SettlementReport


@dataclass(frozen=True, slots=True)
class FailRound:
    """Fail an overdue round."""

    model_id: int


@dataclass(frozen=True, slots=True)
class End:
    """End training."""

    model_id: int


@dataclass(frozen=True, slots=True)
class SettleClosing:
    """Give the closing-set losses."""

    model_id: int
    losses: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Reclaim:
    """Return what is left of an ended model to its lender."""

    model_id: int


@dataclass(frozen=True, slots=True)
class Claim:
    """Credit a seat's owner."""

    model_id: int
    round: int
    seat: int


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Pay out the caller's credit."""


Call = CreateModel | TopUp | Contribute | Settle | FailRound | End | SettleClosing | Reclaim | Claim | Withdraw
