"""From a validation file to a bounty that is ready to be posted."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import BinaryIO, Final, cast

from chain_common.chain_errors import in_ether
from chain_common.domain.calls import CreateModel
from chain_common.domain.model_secrets import ValidationRows, rows_from_bytes, rows_to_bytes
from chain_common.errors import BadInput, RuleBroken
from chain_common.ports import Job, LoanReader, Presets
from chain_common.services.lender.terms import check_choices
from chain_common.services.lender.validation import Fitted, read_validation
from chain_common.services.lender.views import BountyChoices, BountyDraft, BountyReview
from chain_common.services.records import from_json, to_json
from chain_common.world import World

DRAFTS: Final = "bounties"
PUBLISH: Final = "publish"


DRAFT_ID: Final = re.compile(r"[0-9a-f]{16}")


class NoSuchDraft(BadInput):
    """A bounty draft does not exist on this machine."""

    def __init__(self, draft_id: str) -> None:
        super().__init__(f"There is no bounty draft {draft_id} here.", do="Start a new bounty.")


class AlreadyPosted(RuleBroken):
    """A draft has been posted; its terms are fixed."""

    def __init__(self) -> None:
        super().__init__("This bounty has been posted already.", do="Look at the model, or start a new bounty.")


def rows_secret(draft_id: str, which: str) -> str:
    """Name the vault entry of a draft's ``scoring`` or ``closing`` rows."""
    return f"bounties/{draft_id}/rows/{which}"


def _draft_secret(draft_id: str) -> str:
    return f"bounties/{draft_id}/draft"


@dataclass(frozen=True, slots=True)
class Bounties:
    """The lender's way from a file to a posted bounty."""

    world: World
    reader: LoanReader
    presets: Presets

    def preset_names(self) -> list[tuple[str, str]]:
        """Return names and titles of the presets, the default first."""
        return [(name, self.presets.get(name).title) for name in self.presets.names()]

    def read_file(self, source: BinaryIO, *, filename: str, preset: str) -> str:
        """Read a validation file and keep what it gave, encrypted, in the vault; return the draft's id.

        The rows are shuffled and split in halves: the scoring set, used in rounds, and the closing set. At most
        4,096 rows go into each; the rest still helps to fit medians, clip bounds and deviations.

        Raises
        ------
        BadInput
            If the file cannot be used; the error says why.
        SetTooSmall
            If a half has fewer than 500 rows.
        """
        read = read_validation(self.world.rng, self.reader, self.presets.get(preset), source, filename)
        draft_id = self.world.new_id()
        self.world.secrets.put(rows_secret(draft_id, "scoring"), rows_to_bytes(read.scoring))
        self.world.secrets.put(rows_secret(draft_id, "closing"), rows_to_bytes(read.closing))
        self._keep(replace(read.draft, draft_id=draft_id), read.fitted)
        return draft_id

    def _keep(self, draft: BountyDraft, fitted: Fitted | None = None) -> None:
        """Keep a draft: in the vault, for its report quotes cells of the file; only its title is in the clear."""
        secret = _draft_secret(draft.draft_id)
        kept = {"fitted": to_json(fitted)} if fitted else json.loads(self.world.secrets.get(secret))
        self.world.secrets.put(secret, json.dumps({**kept, "draft": to_json(draft)}).encode())
        title = draft.choices.title
        self.world.documents.update(DRAFTS, draft.draft_id, lambda old: {**old, "title": title})

    def _kept(self, draft_id: str) -> dict[str, object]:
        if not DRAFT_ID.fullmatch(draft_id) or not self.world.secrets.has(_draft_secret(draft_id)):
            raise NoSuchDraft(draft_id)
        return cast(dict[str, object], json.loads(self.world.secrets.get(_draft_secret(draft_id))))

    def draft(self, draft_id: str) -> BountyDraft:
        """Return a draft. Raises ``NoSuchDraft``."""
        return from_json(self._kept(draft_id)["draft"], BountyDraft)

    def fitted(self, draft_id: str) -> Fitted:
        """Return what a draft keeps for publishing. Raises ``NoSuchDraft``."""
        return from_json(self._kept(draft_id)["fitted"], Fitted)

    def drafts(self) -> list[tuple[str, str]]:
        """Return ids and titles of the drafts that have not been posted, oldest first."""
        return [
            (draft_id, str(document["title"]))
            for draft_id, document in self.world.documents.all(DRAFTS)
            if "model_id" not in document
        ]

    def rows(self, draft_id: str, which: str) -> ValidationRows:
        """Read the ``scoring`` or ``closing`` rows from the vault."""
        return rows_from_bytes(self.world.secrets.get(rows_secret(draft_id, which)))

    def choose(self, draft_id: str, choices: BountyChoices) -> BountyDraft:
        """Keep the lender's choices after checking them.

        Raises
        ------
        BadInput
            With the field that cannot stay as it is.
        AlreadyPosted
            If publishing has begun.
        """
        draft = self.draft(draft_id)
        check_choices(choices, draft)
        self._withdraw_failed(draft_id)
        chosen = replace(draft, choices=choices, complete=True)
        self._keep(chosen)
        return chosen

    def _can_be_withdrawn(self, job: Job) -> bool:
        """Tell whether a publishing job failed, or waits for a chain this app has left, before the bounty was there."""
        stuck = job.state == "failed" or (job.state == "waiting" and job.data.get("chain") != self.world.chain_tag())
        return stuck and "model_id" not in job.data

    def discard(self, draft_id: str) -> None:
        """Delete a draft and its rows. Raises ``AlreadyPosted`` once publishing has begun."""
        if self.world.documents.get(DRAFTS, draft_id) is None:
            raise NoSuchDraft(draft_id)
        self._withdraw_failed(draft_id)
        for name in self.world.secrets.names(f"bounties/{draft_id}/"):
            self.world.secrets.delete(name)
        self.world.documents.delete(DRAFTS, draft_id)

    def _withdraw_failed(self, draft_id: str) -> None:
        """Take back a publishing job that failed before the contract had the bounty. Raises ``AlreadyPosted``."""
        job = self.world.jobs.get(self.publish_key(draft_id))
        document = self.world.documents.get(DRAFTS, draft_id) or {}
        if "model_id" in document or (job is not None and not self._can_be_withdrawn(job)):
            raise AlreadyPosted
        if job is not None:
            self.world.jobs.cancel(job.key)

    def review(self, draft_id: str) -> BountyReview:
        """Return the last page before money moves."""
        draft = self.draft(draft_id)
        choices = draft.choices
        value = choices.bounty_wei + choices.bond_wei
        ledger = self.world.ledger
        fee = ledger.fee_allowance(CreateModel)
        balance = ledger.balance(ledger.account())
        return BountyReview(
            draft=draft,
            value_wei=value,
            fee_estimate_wei=fee,
            balance_wei=balance,
            short_by_wei=max(0, value + fee - balance),
            target_fall_percent=100 * (draft.baseline_score - choices.target_score) / draft.baseline_score,
            rounds_at_most=choices.max_rounds,
            longest_silence_s=choices.settle_window_s,
        )

    @staticmethod
    def publish_key(draft_id: str) -> str:
        """Name the job that posts a draft."""
        return f"{PUBLISH}.{draft_id}"

    def publish(self, draft_id: str) -> Job:
        """Post the bounty: a job makes the keys, publishes spec and weights, and sends the transaction.

        Raises
        ------
        BadInput
            If terms have not been chosen yet.
        RuleBroken
            If the account cannot pay bounty, bond and fee.
        """
        if "model_id" in (self.world.documents.get(DRAFTS, draft_id) or {}):
            raise AlreadyPosted
        review = self.review(draft_id)
        if not review.draft.complete:
            raise BadInput("The terms of this bounty have not been chosen.", do="Choose them first.")
        if review.short_by_wei and self.world.jobs.get(self.publish_key(draft_id)) is None:
            raise NotEnoughForBounty(review)
        data = {"draft_id": draft_id, "title": f"Post the bounty “{review.draft.choices.title}”"}
        return self.world.enqueue(PUBLISH, self.publish_key(draft_id), {**data})


class NotEnoughForBounty(RuleBroken):
    """The account cannot pay bounty, bond and fee; ``short_by_wei`` is what is missing."""

    def __init__(self, review: BountyReview) -> None:
        self.short_by_wei = review.short_by_wei
        super().__init__(
            f"The account has {in_ether(review.balance_wei)}.",
            expected=f"Bounty, bond and fee come to {in_ether(review.value_wei + review.fee_estimate_wei)}.",
            do="Fund the account or lower bounty and bond. Your draft is kept.",
        )
