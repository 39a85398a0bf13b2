"""What the ``ModelRepository`` contract refuses about a round; see :mod:`chain_common.contract_errors`."""

from __future__ import annotations

from typing import Final

from chain_common.chain_errors import in_utc
from chain_common.domain.repository import SHARE_UNITS, RoundState
from chain_common.errors import RuleBroken

_ROUND_STANDS: Final = {
    RoundState.NONE: "has not been opened",
    RoundState.COLLECTING: "is collecting contributions",
    RoundState.DELIVERING: "has closed and waits for payloads",
    RoundState.AWAITING_SETTLEMENT: "waits to be settled",
    RoundState.OVERDUE: "was not settled in time",
    RoundState.SETTLED: "is settled",
    RoundState.FAILED: "has failed",
}


class ContractError(RuleBroken):
    """A condition of the contract is not met."""


class RoundMismatch(ContractError):
    """The call is for another round than the current one."""

    def __init__(self, model_id: int, got: int, expected: int) -> None:
        self.model_id, self.got_round, self.expected_round = model_id, got, expected
        super().__init__(
            f"Model {model_id} is in another round than {got}.",
            expected=f"The current one is {expected}.",
            do="Read the model again and start from its current base.",
        )


class RoundFull(ContractError):
    """All seats of the round are taken."""

    def __init__(self, model_id: int, round_: int, seats: int) -> None:
        self.model_id, self.round, self.seats = model_id, round_, seats
        super().__init__(
            f"All {seats} seats of round {round_} of model {model_id} are taken.",
            do="Wait for the next round.",
        )


class RoundNotCollecting(ContractError):
    """The round has closed and is not settled yet."""

    def __init__(self, model_id: int, round_: int, state: int) -> None:
        self.model_id, self.round, self.state = model_id, round_, RoundState(state)
        super().__init__(
            f"Round {round_} of model {model_id} {_ROUND_STANDS[self.state]}.",
            expected="Only a collecting round takes contributions.",
            do="Wait for the next round.",
        )


class RoundNotOverdue(ContractError):
    """The round can still be settled, or there is none."""

    def __init__(self, model_id: int, round_: int, state: int) -> None:
        self.model_id, self.round, self.state = model_id, round_, RoundState(state)
        super().__init__(
            f"Round {round_} of model {model_id} {_ROUND_STANDS[self.state]}.",
            expected="Only a round that was not settled in time can be failed.",
        )


class RoundRunning(ContractError):
    """A round is running; it finishes first."""

    def __init__(self, model_id: int, round_: int) -> None:
        self.model_id, self.round = model_id, round_
        super().__init__(
            f"Round {round_} of model {model_id} is running.",
            do="Settle it first, or wait until it is overdue.",
        )


class RoundNotSettleable(ContractError):
    """The round has not closed yet, or its time for settlement is over."""

    def __init__(self, model_id: int, round_: int, state: int) -> None:
        self.model_id, self.round, self.state = model_id, round_, RoundState(state)
        super().__init__(
            f"Round {round_} of model {model_id} {_ROUND_STANDS[self.state]}.",
            expected="A round is settled after it has closed and before its time for settlement is over.",
        )


class WrongLength(ContractError):
    """A list or a byte string has the wrong length."""

    def __init__(self, got: int, expected: int) -> None:
        self.got_length, self.expected_length = got, expected
        super().__init__(f"A list has {got} entries.", expected=f"It must have {expected}.")


class UnexpectedShares(ContractError):
    """A seat has a share that it cannot have: it is rejected, or the round has no money."""

    def __init__(self, seat: int, share: int) -> None:
        self.seat, self.share = seat, share
        super().__init__(
            f"Seat {seat} is given {share} of {SHARE_UNITS} shares.",
            expected="A rejected seat has no share, nor has any seat of a round without money.",
        )


class SharesSum(ContractError):
    """The shares of a round with money do not make a whole."""

    def __init__(self, got: int, expected: int) -> None:
        self.got_sum, self.expected_sum = got, expected
        super().__init__(f"The shares sum to {got}.", expected=f"They must sum to {expected}.")


class StillDeliverable(ContractError):
    """A seat cannot be rejected as not delivered while it can still deliver."""

    def __init__(self, seat: int, deliver_by: int) -> None:
        self.seat, self.deliver_by = seat, deliver_by
        super().__init__(
            f"Seat {seat} can be delivered until {in_utc(deliver_by)}.",
            do="Wait until then before rejecting it as not delivered.",
        )


class LossOffGrid(ContractError):
    """A loss does not lie on the grid of the terms, or the grid does not divide the way to the target."""

    def __init__(self, loss: int, step: int) -> None:
        self.loss, self.step = loss, step
        super().__init__(f"The loss {loss} does not lie on the model's grid.", expected=f"One step of it is {step}.")


class BaseMustStay(ContractError):
    """A round without money keeps base weights and commitment."""

    def __init__(self, got: bytes, expected: bytes) -> None:
        self.got_digest, self.expected_digest = got, expected
        super().__init__(
            f"The round has no money and names the next weights {got.hex()}.",
            expected=f"The base stays {expected.hex()}.",
        )


class BaseMustChange(ContractError):
    """A round with money has new base weights and a new commitment to them."""

    def __init__(self, base: bytes) -> None:
        self.base = base
        super().__init__(
            f"The round has money and keeps {base.hex()}.",
            expected="Weights that were paid for are the next base, newly encrypted and newly committed to.",
        )


class ClosingOver(ContractError):
    """The time for the closing score is over, or there is nothing to score."""

    def __init__(self, model_id: int, closing_by: int) -> None:
        self.model_id, self.closing_by = model_id, closing_by
        super().__init__(
            f"The closing score of model {model_id} could be given until {in_utc(closing_by)}."
            if closing_by
            else f"Model {model_id} has nothing to score on a closing set.",
            expected="The held half is paid in full." if closing_by else "",
        )


class ClosingAlreadySettled(ContractError):
    """The closing score was given before."""

    def __init__(self, model_id: int) -> None:
        self.model_id = model_id
        super().__init__(f"The closing score of model {model_id} has been given.", expected="It is given once.")


class ClosingLossMustStay(ContractError):
    """A round without money left the weights as they were, so their closing loss is the same."""

    def __init__(self, round_: int, got: int, expected: int) -> None:
        self.round, self.got_loss, self.expected_loss = round_, got, expected
        super().__init__(
            f"The closing loss after round {round_} is given as {got}.",
            expected=f"That round had no money and left the weights as they were, with {expected}.",
        )
