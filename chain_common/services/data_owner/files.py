"""A data owner's file between upload and contribution: read, shown, and held in memory only."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from chain_common.domain.calls import Contribute
from chain_common.domain.column_report import describe_columns
from chain_common.domain.features import to_int16
from chain_common.domain.loan_table import LabelledLoans, labelled
from chain_common.domain.model_spec import ModelSpec
from chain_common.domain.privacy import NO_NOISE_WARNING
from chain_common.domain.row_floor import check_row_floor, row_floor
from chain_common.domain.row_tags import RowTags, tag_rows
from chain_common.errors import BadInput, RuleBroken
from chain_common.ports import LoanReader
from chain_common.services.data_owner.market import Market
from chain_common.services.data_owner.views import ContributionDraft
from chain_common.services.model_reader import ModelReader
from chain_common.world import World

KEEP_S: Final = 3600.0
"""Seconds a read file waits for its owner's decision before its rows are forgotten."""

MAX_FILES: Final = 4
"""Read files held at once; the oldest is forgotten first."""

LONGEST_TAGS_FOR: Final = 2**40
"""Own tags are kept this long and cut, when a round is joined, to the length its rule asks for."""

COLLECTION: Final = "contributions"


class SentAlready(RuleBroken):
    """A read file has been contributed; there is nothing left to decide."""

    def __init__(self, contribution_id: str) -> None:
        self.contribution_id = contribution_id
        super().__init__("This file has been contributed.", do="Look at it under My contributions.")


class FileForgotten(BadInput):
    """A read file is no longer held: rows stay in memory only, for an hour and until the app stops."""

    def __init__(self) -> None:
        super().__init__(
            "This file is no longer held here.",
            expected="Rows are kept in memory only, for one hour and until the app stops.",
            do="Upload the file again; nothing was sent.",
        )


class AlreadyContributed(RuleBroken):
    """The same rows were contributed to the same model from this app before."""

    def __init__(self, contribution_id: str) -> None:
        self.contribution_id = contribution_id
        super().__init__(
            "These rows have been contributed to this model already.",
            expected="The same rows are paid once.",
            do="Contribute other rows, or look at your contributions.",
        )


class CannotContribute(RuleBroken):
    """The model takes no contributions now."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, do="Choose another model from the market.")


@dataclass(slots=True, eq=False)
class ReadFile:
    """Encoded rows of one upload. ``inputs`` float64 (n_rows, n_weights), ``labels`` float64 (n_rows,)."""

    draft: ContributionDraft
    spec: ModelSpec
    inputs: NDArray[np.float64]
    labels: NDArray[np.float64]
    tags: RowTags

    def __repr__(self) -> str:
        return f"ReadFile(draft_id={self.draft.draft_id}, <rows>)"


@dataclass(slots=True)
class Files:
    """Reads files for a model and holds their rows until they are contributed or forgotten."""

    world: World
    reader: ModelReader
    market: Market
    loans: LoanReader
    _held: dict[str, ReadFile] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def read(self, model_id: int, source: BinaryIO, *, filename: str) -> str:
        """Read a file for a model and return the draft's id. Nothing is written to disk and nothing leaves.

        Raises
        ------
        BadInput
            If the file cannot be used; the error says why.
        RuleBroken
            If the model takes no contributions now, the rows are too few, or they were contributed before.
        """
        why_not = self.market.why_not_contribute(model_id)
        if why_not:
            raise CannotContribute(why_not)
        model = self.world.ledger.model(model_id)
        spec = self.reader.spec(model.spec)
        table = self.loans.read(source, filename=filename, columns=spec.columns)
        rows = labelled(table, spec.target, one_class_is_enough=False)
        check_row_floor(len(rows.labels), spec.n_weights, spec.privacy.row_floor, demonstration=spec.demonstration)
        inputs = spec.encode(rows.table.columns)
        tags = tag_rows(spec.tag_salt, to_int16(inputs), rows.labels, rows_accepted=LONGEST_TAGS_FOR)
        self.refuse_same_rows(model_id, tags)
        draft_id = self.world.new_id()
        held = ReadFile(self._describe(draft_id, model_id, spec, rows, filename), spec, inputs, rows.labels, tags)
        with self._lock:
            self._forget_old()
            while len(self._held) >= MAX_FILES:
                del self._held[next(iter(self._held))]
            self._held[draft_id] = held
        return draft_id

    def refuse_same_rows(self, model_id: int, tags: RowTags) -> None:
        """Refuse rows that were contributed to the model from this app before. Raises ``AlreadyContributed``."""
        root, tag = tags.root().hex(), self.world.chain_tag()
        for contribution_id, known in self.world.documents.all(COLLECTION):
            same = known["model_id"] == model_id and known["data_set"] == root and known["chain"] == tag
            job = self.world.jobs.get(f"contribute.{contribution_id}")
            if same and (job is None or job.state != "failed"):
                raise AlreadyContributed(contribution_id)

    def _describe(
        self, draft_id: str, model_id: int, spec: ModelSpec, rows: LabelledLoans, filename: str
    ) -> ContributionDraft:
        ledger = self.world.ledger
        seen = self.reader.snapshot(model_id)
        account = ledger.account()
        balance, fee, stake = ledger.balance(account), ledger.fee_allowance(Contribute), seen.terms.stake_wei
        start = spec.start_weights_q26()
        model_rate = 0.5 + float(start[-1]) / 2**28 if start is not None else 0.5
        rate = float(np.mean(rows.labels))
        warnings = []
        if not 0.5 * model_rate < rate < 2 * model_rate:
            warnings.append(
                f"{rate:.1%} of these rows are bad; the lender's file has {model_rate:.1%}. Rows that differ much from "
                "the lender's may earn little."
            )
        return ContributionDraft(
            draft_id=draft_id,
            model_id=model_id,
            title=spec.name,
            filename=filename,
            report=rows.table.report,
            columns=describe_columns(spec.features, rows.table.columns),
            known_later=(),
            n_rows=len(rows.labels),
            n_bad=rows.n_bad,
            base_rate=rate,
            model_base_rate=model_rate,
            row_floor=row_floor(spec.n_weights, spec.privacy.row_floor, demonstration=spec.demonstration),
            stake_wei=stake,
            fee_estimate_wei=fee,
            balance_wei=balance,
            short_by_wei=max(0, stake + fee - balance),
            round=seen.running.number if seen.running else seen.model.rounds + 1,
            warnings=tuple(warnings),
            no_noise_sentence=NO_NOISE_WARNING,
            expires_at=self.world.clock.now() + KEEP_S,
            demonstration=spec.demonstration,
        )

    def draft(self, draft_id: str) -> ContributionDraft:
        """Return what was read, with the account's balance as it is now. Raises ``FileForgotten``, ``SentAlready``."""
        with self._lock:
            self._forget_old()
            if draft_id not in self._held:
                if self.world.documents.get(COLLECTION, draft_id) is not None:
                    raise SentAlready(draft_id)
                raise FileForgotten
            draft = self._held[draft_id].draft
        ledger = self.world.ledger
        balance = ledger.balance(ledger.account())
        short_by = max(0, draft.stake_wei + draft.fee_estimate_wei - balance)
        return replace(draft, balance_wei=balance, short_by_wei=short_by)

    @contextmanager
    def taken(self, draft_id: str) -> Iterator[ReadFile]:
        """Hand out a read file; its rows are forgotten when the block succeeds. Raises ``FileForgotten``."""
        with self._lock:
            self._forget_old()
            held = self._held.pop(draft_id, None)
        if held is None:
            raise FileForgotten
        try:
            yield held
        except BaseException:
            with self._lock:
                self._held[draft_id] = held
            raise

    def discard(self, draft_id: str) -> None:
        """Forget a read file."""
        with self._lock:
            self._held.pop(draft_id, None)

    def forget_old(self) -> None:
        """Forget files whose owner has not decided within an hour; called at regular intervals too."""
        with self._lock:
            self._forget_old()

    def _forget_old(self) -> None:
        now = self.world.clock.now()
        for draft_id in [name for name, held in self._held.items() if held.draft.expires_at < now]:
            del self._held[draft_id]
