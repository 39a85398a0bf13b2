"""The data owner's contributions: where each stands, what it earned, and claiming it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

from chain_common.domain.calls import Claim
from chain_common.domain.content_id import cid_of
from chain_common.domain.repository import Due, Model, ModelStatus, Round, RoundState
from chain_common.domain.rewards import seat_amounts
from chain_common.errors import BadInput, RuleBroken
from chain_common.ports import Job, JsonObject
from chain_common.services.data_owner.contributing import Contributing, contribute_key
from chain_common.services.data_owner.delivering import deliver_key
from chain_common.services.data_owner.files import COLLECTION
from chain_common.services.data_owner.views import ContributionsView, ContributionView
from chain_common.services.job_views import job_view
from chain_common.services.model_describer import REJECTION_REASONS
from chain_common.services.retrying import retry_in_time
from chain_common.services.transactions import Transactions
from chain_common.world import World


class NoSuchContribution(BadInput):
    """No contribution of that id was made on this machine."""

    def __init__(self, contribution_id: str) -> None:
        super().__init__(f"There is no contribution {contribution_id} here.", do="Look at your contributions.")


class NothingToClaimYet(RuleBroken):
    """A contribution has nothing due now."""

    def __init__(self, next_step: str) -> None:
        super().__init__("There is nothing to claim now.", expected=next_step)


@dataclass(frozen=True, slots=True)
class _Standing:
    """What a page says of a contribution that is on chain."""

    state: str
    next_step: str
    reason: str = ""
    share_64ths: int = 0
    reward_wei: int = 0
    held_wei: int = 0


@dataclass(frozen=True, slots=True)
class Contributions:
    """The contributions made from this app on this chain."""

    world: World
    transactions: Transactions
    contributing: Contributing

    def watch(self) -> None:
        """Take up contributions a crash left without their job, and deliveries that failed while there is time."""
        tag = self.world.chain_tag()
        for contribution_id, document in self.world.documents.all(COLLECTION):
            if document["chain"] != tag:
                continue
            if "seat" not in document:
                self.contributing.ensure(contribution_id)
                continue
            delivery = self.world.jobs.get(deliver_key(contribution_id))
            if delivery is not None and delivery.state == "failed":
                round_ = self.world.ledger.round(cast(int, document["model_id"]), cast(int, document["round"]))
                if round_.state in (RoundState.DELIVERING, RoundState.AWAITING_SETTLEMENT):
                    retry_in_time(self.world, delivery)

    def view(self) -> ContributionsView:
        """Return all contributions, newest first, and what they came to."""
        tag = self.world.chain_tag()
        mine = [
            self._one(contribution_id, document)
            for contribution_id, document in reversed(self.world.documents.all(COLLECTION))
            if document["chain"] == tag
        ]
        return ContributionsView(
            contributions=tuple(mine),
            due_wei=sum(each.due_wei for each in mine),
            credit_wei=self.world.ledger.credit(self.world.ledger.account()),
            earned_wei=sum(each.reward_wei for each in mine),
        )

    def one(self, contribution_id: str) -> ContributionView:
        """Return a contribution. Raises ``NoSuchContribution``."""
        document = self.world.documents.get(COLLECTION, contribution_id)
        if document is None or document["chain"] != self.world.chain_tag():
            raise NoSuchContribution(contribution_id)
        return self._one(contribution_id, document)

    def claim(self, contribution_id: str) -> Job:
        """Move what is due of a contribution into the account's credit.

        Raises
        ------
        NothingToClaimYet
            If nothing is due now.
        """
        view = self.one(contribution_id)
        if not view.can_claim or view.seat is None:
            raise NothingToClaimYet(view.next_step)
        return self.transactions.submit(
            Claim(view.model_id, view.round, view.seat),
            title=f"Claim for “{view.title}”, round {view.round}",
            intention=f"claim.{contribution_id}",
        )

    def _one(self, contribution_id: str, document: JsonObject) -> ContributionView:
        model_id = cast(int, document["model_id"])
        job = self.world.jobs.get(contribute_key(contribution_id))
        due, claimed = Due(0, 0), 0
        seat, number = cast("int | None", document.get("seat")), cast(int, document.get("round", 0))
        if seat is None:
            failed = job is not None and job.state == "failed"
            standing = _Standing(
                "did not get through" if failed else "computing",
                "Try again, or upload the file once more." if failed else "The update is being computed and committed.",
                job.failure if job is not None and failed else "",
            )
        else:
            model, round_ = self.world.ledger.model(model_id), self.world.ledger.round(model_id, number)
            standing = self._standing(model, round_, seat)
            due = self.world.ledger.due(model_id, number, seat) if seat < round_.seats else due
            claimed = self._claimed(model_id, number, seat)
            if claimed and not due.stake_wei + due.reward_wei and not standing.held_wei:
                standing = replace(standing, next_step="Nothing more is due; withdraw your credit from your account.")
            job = self.world.jobs.get(deliver_key(contribution_id)) or job
        due_wei = due.stake_wei + due.reward_wei
        return ContributionView(
            contribution_id=contribution_id,
            model_id=model_id,
            title=str(document["title"]),
            filename=str(document["filename"]),
            n_rows=cast(int, document["n_rows"]),
            created_at=cast(float, document["created_at"]),
            round=number,
            seat=seat,
            state=standing.state,
            reason=standing.reason,
            next_step=standing.next_step,
            stake_wei=int(str(document["stake_wei"])),
            share_64ths=standing.share_64ths,
            reward_wei=max(standing.reward_wei, claimed + due_wei - int(str(document["stake_wei"])))
            if seat is not None and standing.state == "round failed"
            else standing.reward_wei,
            held_wei=standing.held_wei,
            due_wei=due_wei,
            claimed_wei=claimed,
            can_claim=due_wei > 0,
            job=job_view(job) if job is not None else None,
            transaction=str(document.get("transaction", "")),
            payload_cid=cid_of(bytes.fromhex(str(document["payload"]))) if "payload" in document else "",
            update_digest=f"0x{document.get('update_digest', '')}",
            tag_root=f"0x{document.get('tag_root', '')}",
        )

    def _claimed(self, model_id: int, number: int, seat: int) -> int:
        events = self.world.index.events(model_id=model_id, name="Claimed", limit=1000)
        return sum(
            cast(int, event.arguments["stake"]) + cast(int, event.arguments["reward"])
            for event in events
            if event.arguments["round"] == number and event.arguments["seat"] == seat
        )

    def _standing(self, model: Model, round_: Round, seat: int) -> _Standing:
        waiting = {
            RoundState.COLLECTING: _Standing(
                "round collecting",
                "When the round closes this app delivers the payload by itself; leave it running and unlocked.",
            ),
            RoundState.DELIVERING: _Standing("to be delivered", "This app delivers the payload by itself."),
            RoundState.AWAITING_SETTLEMENT: _Standing(
                "waiting to be settled",
                "The lender has to settle in time, or its bond is shared among the seats.",
            ),
            RoundState.OVERDUE: _Standing(
                "waiting to be settled",
                "The lender is late: anyone can fail the round now and share its bond.",
            ),
            RoundState.FAILED: _Standing("round failed", "Claim your stake and your part of what the lender forfeits."),
        }
        if round_.state in waiting:
            return waiting[round_.state]
        if round_.state is RoundState.NONE:
            return _Standing(
                "did not get through",
                "The chain does not have this contribution now: it was reorganised or replaced.",
            )
        rejection = round_.rejections[seat]
        if rejection:
            return _Standing("rejected", "Claim your stake back, less the burned tenth.", REJECTION_REASONS[rejection])
        if round_.money_wei == 0:
            return _Standing(
                "no money in this round", "The round did not lower the loss enough. Claim your stake back."
            )
        share = round_.shares[seat]
        first = seat_amounts(round_.money_wei - round_.held_wei, round_.shares)[seat]
        if model.failed:
            return _Standing(
                "round failed",
                "A later round failed: the held half is forfeit, and a part of the forfeit is yours. Claim it.",
                share_64ths=share,
                reward_wei=first,
            )
        if round_.held_wei == 0 or self._held_half_is_decided(model):
            paid = seat_amounts(round_.held_paid_wei, round_.shares)[seat]
            return _Standing(
                "closed and paid", "Claim what is due, then withdraw.", share_64ths=share, reward_wei=first + paid
            )
        return _Standing(
            "half credited",
            "The held half is decided when the model is scored a last time, after training has ended.",
            share_64ths=share,
            reward_wei=first,
            held_wei=seat_amounts(round_.held_wei, round_.shares)[seat],
        )

    def _held_half_is_decided(self, model: Model) -> bool:
        """Tell whether the closing score was given, or its time is over and the held half is due in full."""
        over = 0 < model.closing_by < self.world.ledger.head().timestamp
        return model.closing_settled or model.status is ModelStatus.ENDED or over
