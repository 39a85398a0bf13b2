"""What the ``ModelRepository`` contract refuses: one error for each of its custom errors, of the same name.

Each is a :class:`~chain_common.errors.RuleBroken`, takes the facts in the order of the Solidity error, keeps them as
attributes and writes its own sentence. :data:`CONTRACT_ERRORS` lists them by name; a test compares it with the ABI.
"""

from __future__ import annotations

from typing import Final

from chain_common.chain_errors import in_ether, in_utc
from chain_common.domain.repository import SHARE_UNITS, ModelStatus, RoundState
from chain_common.errors import RuleBroken

_MODEL_STANDS: Final = {
    ModelStatus.NONE: "does not exist",
    ModelStatus.OPEN: "is open",
    ModelStatus.CLOSING: "is closing",
    ModelStatus.ENDED: "has ended",
}
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


class UnknownModel(ContractError):
    """There is no such model."""

    def __init__(self, model_id: int) -> None:
        self.model_id = model_id
        super().__init__(f"There is no model {model_id}.", do="Choose one from the list of models.")


class UnknownSeat(ContractError):
    """There is no such seat."""

    def __init__(self, model_id: int, round_: int, seat: int) -> None:
        self.model_id, self.round, self.seat = model_id, round_, seat
        super().__init__(
            f"Round {round_} of model {model_id} has no seat {seat}.", expected="Seats count from zero."
        )


class NotLender(ContractError):
    """Only the model's lender may do this, or not yet anyone else."""

    def __init__(self, model_id: int, caller: str) -> None:
        self.model_id, self.caller = model_id, caller
        super().__init__(
            f"The account {caller} is not the lender of model {model_id}.",
            do="Use the lender's account; what is open to anyone later is open after the model's deadline.",
        )


class TermOutOfBounds(ContractError):
    """A term or an amount lies outside its bounds."""

    def __init__(self, term: str, got: int, least: int, most: int) -> None:
        self.term, self.got_value, self.least, self.most = term, got, least, most
        super().__init__(f"The term {term} is {got}.", expected=f"It lies between {least} and {most}.")


class CurrencyNotSupported(ContractError):
    """Only ether is taken."""

    def __init__(self, currency: str) -> None:
        self.currency = currency
        super().__init__(f"The currency {currency} is not taken.", expected="Bounties are in ether.")


class WrongValue(ContractError):
    """The ether sent is not the amount due."""

    def __init__(self, got: int, expected: int) -> None:
        self.got_wei, self.expected_wei = got, expected
        super().__init__(
            f"{in_ether(got)} was sent with the call.", expected=f"Exactly {in_ether(expected)} is due."
        )


class MissingDigest(ContractError):
    """A digest that must be given is zero."""

    def __init__(self, digest: str) -> None:
        self.digest = digest
        super().__init__(
            f"The digest {digest} is missing.", expected="It names what was published, 32 bytes."
        )


class UnexpectedDigest(ContractError):
    """A digest is given for something the terms say does not exist."""

    def __init__(self, digest: str) -> None:
        self.digest = digest
        super().__init__(
            f"The digest {digest} is given.",
            expected="By the terms there is nothing of that kind, so it is zero.",
        )


class ModelNotOpen(ContractError):
    """The model is not open."""

    def __init__(self, model_id: int, status: int) -> None:
        self.model_id, self.status = model_id, ModelStatus(status)
        super().__init__(
            f"Model {model_id} {_MODEL_STANDS[self.status]}.", expected="Only an open model takes this."
        )


class ModelNotClosing(ContractError):
    """The model is not closing."""

    def __init__(self, model_id: int, status: int) -> None:
        self.model_id, self.status = model_id, ModelStatus(status)
        super().__init__(
            f"Model {model_id} {_MODEL_STANDS[self.status]}.",
            expected="This belongs to a model whose training has ended and whose money has not been returned.",
        )


class DeadlinePassed(ContractError):
    """No round can be opened any more."""

    def __init__(self, model_id: int, deadline: int) -> None:
        self.model_id, self.deadline = model_id, deadline
        super().__init__(
            f"The deadline of model {model_id} was {in_utc(deadline)}.",
            do="Look for a model that is still open.",
        )


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


class RoundNotSettleable(ContractError):
    """The round has not closed yet, or its time for settlement is over."""

    def __init__(self, model_id: int, round_: int, state: int) -> None:
        self.model_id, self.round, self.state = model_id, round_, RoundState(state)
        super().__init__(
            f"Round {round_} of model {model_id} {_ROUND_STANDS[self.state]}.",
            expected="A round is settled after it has closed and before its time for settlement is over.",
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


class StaleBase(ContractError):
    """The update was made on other weights than the current base."""

    def __init__(self, got: bytes, expected: bytes) -> None:
        self.got_digest, self.expected_digest = got, expected
        super().__init__(
            f"The update was made on the weights {got.hex()}.",
            expected=f"The current ones are {expected.hex()}.",
            do="Make the contribution again on the current weights.",
        )


class RowsAlreadyContributed(ContractError):
    """The same data owner has contributed the same rows to this model before."""

    def __init__(self, model_id: int, owner: str, tag_root: bytes) -> None:
        self.model_id, self.owner, self.tag_root = model_id, owner, tag_root
        super().__init__(
            f"The account {owner} has contributed these rows to model {model_id} before.",
            do="The same rows are paid once; contribute other rows.",
        )


class NoRows(ContractError):
    """A contribution was made from no rows."""

    def __init__(self) -> None:
        super().__init__("The contribution says it was made from no rows.", expected="It needs at least one.")


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
        super().__init__(
            f"The loss {loss} does not lie on the model's grid.", expected=f"One step of it is {step}."
        )


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
        super().__init__(
            f"The closing score of model {model_id} has been given.", expected="It is given once."
        )


class ClosingLossMustStay(ContractError):
    """A round without money left the weights as they were, so their closing loss is the same."""

    def __init__(self, round_: int, got: int, expected: int) -> None:
        self.round, self.got_loss, self.expected_loss = round_, got, expected
        super().__init__(
            f"The closing loss after round {round_} is given as {got}.",
            expected=f"That round had no money and left the weights as they were, with {expected}.",
        )


class TooEarly(ContractError):
    """It is too early for this."""

    def __init__(self, now: int, from_: int) -> None:
        self.now, self.allowed_from = now, from_
        super().__init__(
            f"It is {in_utc(now)} on the chain.",
            expected=f"This is allowed from {in_utc(from_)}.",
            do="Wait until then.",
        )


class NothingToClaim(ContractError):
    """Nothing is due to this seat now."""

    def __init__(self, model_id: int, round_: int, seat: int) -> None:
        self.model_id, self.round, self.seat = model_id, round_, seat
        super().__init__(
            f"Nothing is due to seat {seat} of round {round_} of model {model_id} now.",
            expected="Stake and first half are due once the round is settled, the held half after the closing score.",
        )


class NothingToWithdraw(ContractError):
    """The account has no credit."""

    def __init__(self, account: str) -> None:
        self.account = account
        super().__init__(f"The account {account} has no credit.", do="Claim what is due first.")


class PaymentFailed(ContractError):
    """The receiver refused its money; its credit stands."""

    def __init__(self, account: str, amount: int) -> None:
        self.account, self.amount_wei = account, amount
        super().__init__(
            f"The account {account} did not take its {in_ether(amount)}.",
            expected="The credit stands.",
            do="If it is a contract, it needs a receive function that accepts ether.",
        )


CONTRACT_ERRORS: Final[dict[str, type[ContractError]]] = {
    cls.__name__: cls for cls in ContractError.__subclasses__()
}
