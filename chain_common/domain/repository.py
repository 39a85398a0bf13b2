"""The records of the ``ModelRepository`` contract, as the rest of the library sees them.

They mirror ``contracts/interfaces/IModelRepository.sol``; money is in wei, times in unix seconds, losses in the unit
fixed by the model's spec, shares in 64ths. Addresses are checksummed strings, digests 32 bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import NewType

Address = NewType("Address", str)

ETHER = Address("0x0000000000000000000000000000000000000000")
SHARE_UNITS = 64


class ModelStatus(IntEnum):
    """Where a model stands; it only moves forward."""

    NONE = 0
    OPEN = 1
    CLOSING = 2
    ENDED = 3


class RoundState(IntEnum):
    """Where a round stands; it only moves forward."""

    NONE = 0
    COLLECTING = 1
    DELIVERING = 2
    AWAITING_SETTLEMENT = 3
    OVERDUE = 4
    SETTLED = 5
    FAILED = 6


class Rejection(IntEnum):
    """Why a seat was rejected."""

    ACCEPTED = 0
    NOT_DELIVERED = 1
    UNOPENABLE = 2
    SAME_ROWS = 3
    ROW_FLOOR = 4


class Metric(IntEnum):
    """The loss a model is settled on."""

    BRIER = 0
    BALANCED_BRIER = 1
    SQUARED_ERROR = 2


@dataclass(frozen=True, slots=True)
class Terms:
    """The rules of one model, fixed when it is created; see ``IModelRepository.Terms`` for each field."""

    stake_wei: int
    audit_fee_wei: int
    initial_loss: int
    target_loss: int
    min_gain: int
    loss_steps: int
    closing_share_ppm: int
    max_rounds: int
    seats: int
    close_when_full: bool
    deadline: int
    collect_window_s: int
    deliver_window_s: int
    settle_window_s: int
    closing_window_s: int
    audit_demand_window_s: int
    audit_answer_window_s: int
    metric: Metric
    loss_shift: int
    scoring_rows: int
    closing_rows: int
    pilot_seats: int = 0
    currency: Address = ETHER


@dataclass(frozen=True, slots=True)
class Publication:
    """The digests and commitments a lender publishes with a model."""

    spec: bytes
    base_weights: bytes
    weights_commitment: bytes
    scoring_commitment: bytes
    closing_commitment: bytes


@dataclass(frozen=True, slots=True)
class Contribution:
    """What a data owner commits to on chain: digests only."""

    round: int
    base_weights: bytes
    payload: bytes
    tag_root: bytes
    update_digest: bytes
    rows: int
    nonce: bytes


@dataclass(frozen=True, slots=True)
class SettlementReport:
    """A lender's settlement of a round: loss sum, a share and a rejection code per seat, the next weights."""

    round: int
    loss: int
    shares: tuple[int, ...]
    rejections: tuple[Rejection, ...]
    next_weights: bytes
    weights_commitment: bytes


@dataclass(frozen=True, slots=True)
class Model:
    """A model as it stands on chain."""

    model_id: int
    lender: Address
    status: ModelStatus
    bounty_wei: int
    bond_wei: int
    left_wei: int
    held_wei: int
    best_loss: int
    rounds: int
    paid_rounds: int
    seats_total: int
    closing_by: int
    reclaim_from: int
    closing_settled: bool
    failed: bool
    condemned: bool
    auditor: Address
    answer_by: int
    spec: bytes
    base_weights: bytes
    weights_commitment: bytes
    scoring_commitment: bytes
    closing_commitment: bytes


@dataclass(frozen=True, slots=True)
class Round:
    """A round as it stands on chain; ``shares`` and ``rejections`` have one entry per seat once it is settled."""

    model_id: int
    number: int
    state: RoundState
    seats: int
    opened_at: int
    closes_by: int
    deliver_by: int
    settle_by: int
    loss_before: int
    loss_after: int
    money_wei: int
    held_wei: int
    held_paid_wei: int
    shares: tuple[int, ...]
    rejections: tuple[Rejection, ...]
    base_weights: bytes
    weights_commitment: bytes


@dataclass(frozen=True, slots=True)
class Seat:
    """A seat as it stands on chain."""

    model_id: int
    round: int
    index: int
    owner: Address
    stake_wei: int
    commitment: bytes
    claimed: bool
    held_claimed: bool


@dataclass(frozen=True, slots=True)
class Due:
    """What a claim would credit now, in wei."""

    stake_wei: int
    reward_wei: int


@dataclass(frozen=True, slots=True)
class ChainEvent:
    """One event of the contract.

    ``arguments`` holds what the event says, by its Solidity name: integers, hex strings with ``0x``, lists and nested
    dictionaries of these, so that it can be stored as JSON.
    """

    name: str
    block: int
    log_index: int
    transaction: str
    timestamp: int
    model_id: int | None
    arguments: dict[str, object]


@dataclass(frozen=True, slots=True)
class ChainIdentity:
    """What tells one deployment from another: a restarted development chain has the same id but not the same hashes."""

    chain_id: int
    contract: Address
    deployment_transaction: str
    deployment_block_hash: str


@dataclass(frozen=True, slots=True)
class Head:
    """The newest block."""

    number: int
    timestamp: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """A mined, successful transaction and the events it emitted."""

    transaction: str
    block: int
    gas_used: int
    fee_wei: int
    events: tuple[ChainEvent, ...]
