"""What terms, digests and amounts a model may be created with; the twin of the contract's ``TermBounds``."""

from __future__ import annotations

from typing import Final

from chain_common.contract_errors import (
    CurrencyNotSupported,
    LossOffGrid,
    MissingDigest,
    TermOutOfBounds,
    UnexpectedDigest,
)
from chain_common.domain.repository import ETHER, Publication, Terms
from chain_common.domain.rewards import PPM

# Where windows may be as short as a second: Ganache, Anvil and eth-tester.
DEVELOPMENT_CHAINS: Final = (1337, 31337, 131277322940537)
MAX_AMOUNT: Final = 2**120 - 1
_MAX_LOSS: Final = 2**64 - 1
_MAX_DEADLINE_S: Final = 730 * 86_400
_MAX_WINDOW_S: Final = 365 * 86_400
_MIN_WINDOW_S: Final = 600
_MIN_ANSWER_S: Final = 3 * 86_400
# Rounds of a model and seats of a round; rows of a set; bits.
_MAX_ROUNDS, _MAX_SEATS, _MAX_ROWS, _MAX_SHIFT = 16, 16, 4096, 136


def check_amounts(bounty: int, bond: int) -> None:
    """Check bounty and bond of a model, all top-ups included; the bond is at least half the bounty."""
    _within("bounty", bounty, 1, MAX_AMOUNT)
    _within("bond", bond, (bounty + 1) // 2, MAX_AMOUNT)


def check_terms(terms: Terms, bounty: int, now: int, chain_id: int) -> None:
    """Check all terms of a model. Raises ``TermOutOfBounds``, ``CurrencyNotSupported`` or ``LossOffGrid``."""
    if terms.currency != ETHER:
        raise CurrencyNotSupported(terms.currency)
    _check_losses(terms)
    _within("closingSharePpm", terms.closing_share_ppm, 0, PPM)
    _within("maxRounds", terms.max_rounds, 1, _MAX_ROUNDS)
    _within("seats", terms.seats, 1, _MAX_SEATS)
    _within("pilotSeats", terms.pilot_seats, 0, _MAX_SEATS)
    _within("lossShift", terms.loss_shift, 0, _MAX_SHIFT)
    _within("scoringRows", terms.scoring_rows, 1, _MAX_ROWS)
    closes = terms.closing_share_ppm != 0
    _within("closingRows", terms.closing_rows, 1 if closes else 0, _MAX_ROWS if closes else 0)
    _check_times(terms, now, chain_id)
    _within("stake", terms.stake_wei, 0, bounty)
    _within("auditFee", terms.audit_fee_wei, 0, bounty)


def check_digests(publication: Publication, *, closes: bool) -> None:
    """Check that what the terms speak of is published, and nothing else."""
    named = {
        "spec": publication.spec,
        "baseWeights": publication.base_weights,
        "weightsCommitment": publication.weights_commitment,
        "scoringCommitment": publication.scoring_commitment,
    }
    if closes:
        named["closingCommitment"] = publication.closing_commitment
    require_digests(named)
    if not closes and any(publication.closing_commitment):
        raise UnexpectedDigest("closingCommitment")


def require_digests(named: dict[str, bytes]) -> None:
    """Raise ``MissingDigest`` for the first digest that is zero."""
    for name, digest in named.items():
        if not any(digest):
            raise MissingDigest(name)


def _check_losses(terms: Terms) -> None:
    _within("initialLoss", terms.initial_loss, 1, _MAX_LOSS)
    _within("targetLoss", terms.target_loss, 0, terms.initial_loss - 1)
    way = terms.initial_loss - terms.target_loss
    _within("minGain", terms.min_gain, 0, way)
    if terms.loss_steps and way % terms.loss_steps:
        raise LossOffGrid(way, terms.loss_steps)


def _check_times(terms: Terms, now: int, chain_id: int) -> None:
    development = chain_id in DEVELOPMENT_CHAINS
    least = 1 if development else _MIN_WINDOW_S
    _within("deadline", terms.deadline, now, now + _MAX_DEADLINE_S)
    _within("collectWindow", terms.collect_window_s, least, _MAX_WINDOW_S)
    _within("deliverWindow", terms.deliver_window_s, least, _MAX_WINDOW_S)
    _within("settleWindow", terms.settle_window_s, least, _MAX_WINDOW_S)
    _within("closingWindow", terms.closing_window_s, least, _MAX_WINDOW_S)
    _within("auditDemandWindow", terms.audit_demand_window_s, least, _MAX_WINDOW_S)
    _within("auditAnswerWindow", terms.audit_answer_window_s, 1 if development else _MIN_ANSWER_S, _MAX_WINDOW_S)


def _within(term: str, got: int, least: int, most: int) -> None:
    if not least <= got <= most:
        raise TermOutOfBounds(term, got, least, most)
