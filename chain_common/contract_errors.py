"""What the ``ModelRepository`` contract refuses: one error for each of its custom errors, of the same name.

Each is a :class:`~chain_common.errors.RuleBroken`, takes the facts in the order of the Solidity error, keeps them as
attributes and writes its own sentence. :data:`CONTRACT_ERRORS` lists them by name; a test compares it with the ABI.
"""

from __future__ import annotations

from typing import Final

from chain_common.chain_errors import in_ether, in_utc
from chain_common.domain.repository import ModelStatus
from chain_common.round_errors import (
    BaseMustChange,
    BaseMustStay,
    ClosingAlreadySettled,
    ClosingLossMustStay,
    ClosingOver,
    ContractError,
    LossOffGrid,
    RoundFull,
    RoundMismatch,
    RoundNotCollecting,
    RoundNotOverdue,
    RoundNotSettleable,
    RoundRunning,
    SharesSum,
    StillDeliverable,
    UnexpectedShares,
    WrongLength,
)

__all__ = [
    "CONTRACT_ERRORS",
    "BaseMustChange",
    "BaseMustStay",
    "ClosingAlreadySettled",
    "ClosingLossMustStay",
    "ClosingOver",
    "ContractError",
    "CurrencyNotSupported",
    "DeadlinePassed",
    "LossOffGrid",
    "MissingDigest",
    "ModelNotClosing",
    "ModelNotOpen",
    "NoRows",
    "NotLender",
    "NothingToClaim",
    "NothingToWithdraw",
    "PaymentFailed",
    "RoundFull",
    "RoundMismatch",
    "RoundNotCollecting",
    "RoundNotOverdue",
    "RoundNotSettleable",
    "RoundRunning",
    "RowsAlreadyContributed",
    "SharesSum",
    "StaleBase",
    "StillDeliverable",
    "TermOutOfBounds",
    "TooEarly",
    "UnexpectedDigest",
    "UnexpectedShares",
    "UnknownModel",
    "UnknownSeat",
    "WrongLength",
    "WrongValue",
]

_MODEL_STANDS: Final = {
    ModelStatus.NONE: "does not exist",
    ModelStatus.OPEN: "is open",
    ModelStatus.CLOSING: "is closing",
    ModelStatus.ENDED: "has ended",
}


class UnknownModel(ContractError):
    """There is no such model."""

    def __init__(self, model_id: int) -> None:
        self.model_id = model_id
        super().__init__(f"There is no model {model_id}.", do="Choose one from the list of models.")


class UnknownSeat(ContractError):
    """There is no such seat."""

    def __init__(self, model_id: int, round_: int, seat: int) -> None:
        self.model_id, self.round, self.seat = model_id, round_, seat
        super().__init__(f"Round {round_} of model {model_id} has no seat {seat}.", expected="Seats count from zero.")


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
        super().__init__(f"{in_ether(got)} was sent with the call.", expected=f"Exactly {in_ether(expected)} is due.")


class MissingDigest(ContractError):
    """A digest that must be given is zero."""

    def __init__(self, digest: str) -> None:
        self.digest = digest
        super().__init__(f"The digest {digest} is missing.", expected="It names what was published, 32 bytes.")


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
        super().__init__(f"Model {model_id} {_MODEL_STANDS[self.status]}.", expected="Only an open model takes this.")


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


CONTRACT_ERRORS: Final[dict[str, type[ContractError]]] = {cls.__name__: cls for cls in ContractError.__subclasses__()}
