"""A lender and data owners in one process: their real services, everything under them in memory."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from eth_account import Account
from numpy.typing import NDArray

from chain_common.adapters.job_worker import JobWorker
from chain_common.adapters.loan_csv import CsvLoanReader
from chain_common.adapters.memory import (
    ManualClock,
    MemoryContentStore,
    MemoryDocuments,
    MemoryEventIndex,
    MemorySecretStore,
)
from chain_common.adapters.memory_chain import MemoryChain
from chain_common.adapters.memory_jobs import MemoryJobs
from chain_common.adapters.memory_ledger import MemoryLedger
from chain_common.domain.feature_parsing import Source
from chain_common.domain.feature_plans import NumberPlan
from chain_common.domain.model_spec import Preset
from chain_common.domain.repository import Address
from chain_common.domain.targets import ClassTarget
from chain_common.services.data_owner.data_owner import DataOwner
from chain_common.services.lender.lender import Lender
from chain_common.services.lender.views import BountyChoices
from chain_common.world import World
from tests.keys import seeded

ETHER = 10**18
N_INPUTS = 5
COLUMNS = tuple(f"c{number}" for number in range(N_INPUTS))
KEY_BITS = 2048

Rows = tuple[NDArray[np.float64], NDArray[np.bool_]]

TRUE_WEIGHTS = np.array([0.9, -0.7, 0.5, 0.3, 0.0])

PRESET = Preset(
    name="five-numbers",
    title="Five numbers",
    description="Made up for tests.",
    service="credit",
    target=ClassTarget(column="outcome", good=("paid",), bad=("lost",)),
    plans=tuple(NumberPlan(Source(name)) for name in COLUMNS),
    loss="taylor-logistic",
    metric="brier",
    norm_bound=None,
)


class OnePreset:
    """The only preset of these tests."""

    def names(self) -> list[str]:
        return [PRESET.name]

    def get(self, name: str) -> Preset:
        assert name == PRESET.name
        return PRESET


def drawn_rows(n_rows: int, seed: int) -> Rows:
    """Draw rows with three figures after the point, so that a CSV holds them exactly."""
    rng = np.random.default_rng(seed)
    inputs = np.round(rng.normal(size=(n_rows, N_INPUTS)), 3)
    chance = 1 / (1 + np.exp(-(inputs @ TRUE_WEIGHTS - 1.0)))
    return inputs, rng.random(n_rows) < chance


def as_csv(rows: Rows) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow((*COLUMNS, "outcome"))
    for numbers, bad in zip(*rows, strict=True):
        writer.writerow((*(f"{number:.3f}" for number in numbers), "lost" if bad else "paid"))
    return text.getvalue().encode()


@dataclass
class Person:
    """Somebody's ports, worker and account."""

    world: World
    worker: JobWorker
    address: Address

    def balance(self) -> int:
        return self.world.ledger.balance(self.address)

    def work(self) -> None:
        self.worker.run_until_idle()


@dataclass
class LenderInTown(Person):
    app: Lender = field(init=False)

    def __post_init__(self) -> None:
        self.app = Lender.of(self.world, CsvLoanReader(), OnePreset(), key_bits=KEY_BITS)

    def watch(self) -> None:
        self.app.models.watch()

    def prepare(self, rows: Rows, **choices: Any) -> str:
        """Read a validation file and choose terms; return the draft's id."""
        draft_id = self.app.bounties.read_file(io.BytesIO(as_csv(rows)), filename="v.csv", preset=PRESET.name)
        draft = self.app.bounties.draft(draft_id)
        self.app.bounties.choose(draft_id, replace(draft.choices, **choices))
        return draft_id

    def post(self, rows: Rows, **choices: Any) -> tuple[str, int]:
        """Post a bounty; return the draft's and the model's id."""
        draft_id = self.prepare(rows, **choices)
        job = self.app.bounties.publish(draft_id)
        self.work()
        done = self.world.jobs.get(job.key)
        assert done is not None
        assert done.state == "done", done.failure
        return draft_id, int(str(done.data["model_id"]))

    def choices(self, draft_id: str) -> BountyChoices:
        return self.app.bounties.draft(draft_id).choices


@dataclass
class OwnerInTown(Person):
    app: DataOwner = field(init=False)

    def __post_init__(self) -> None:
        self.app = DataOwner.of(self.world, CsvLoanReader())

    def watch(self) -> None:
        self.app.watch()

    def read(self, model_id: int, rows: Rows) -> str:
        self.watch()
        return self.app.files.read(model_id, io.BytesIO(as_csv(rows)), filename="mine.csv")

    def confirm(self, model_id: int, rows: Rows) -> str:
        """Read a file and start a contribution; nothing of it has been computed yet."""
        return self.app.contributing.confirm(self.read(model_id, rows), acknowledge_no_noise=True)

    def commit_only(self, model_id: int, rows: Rows) -> str:
        """Go through the five steps up to the seat on chain, and no further."""
        contribution_id = self.confirm(model_id, rows)
        for _ in range(5):
            assert self.worker.run_once()
        assert self.view(contribution_id).seat is not None
        return contribution_id

    def contribute(self, model_id: int, rows: Rows) -> str:
        """Read a file and contribute it, up to the commitment on chain; return the contribution's id."""
        contribution_id = self.confirm(model_id, rows)
        self.work()
        assert self.view(contribution_id).seat is not None, self.view(contribution_id)
        return contribution_id

    def view(self, contribution_id: str) -> Any:
        self.watch()
        return self.app.contributions.one(contribution_id)

    def claim(self, contribution_id: str) -> None:
        self.app.contributions.claim(contribution_id)
        self.work()

    def withdraw(self) -> None:
        self.app.account.withdraw()
        self.work()


class Town:
    """One chain, one content store and the people around them. Time stands still between its moves."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.chain = MemoryChain(self.clock)
        self.store = MemoryContentStore()
        self.people: list[LenderInTown | OwnerInTown] = []

    def lender(self, name: str = "lender") -> LenderInTown:
        return self._settled(LenderInTown(*self._ports(name)))

    def owner(self, name: str) -> OwnerInTown:
        return self._settled(OwnerInTown(*self._ports(name)))

    def pass_time(self, seconds: int, *, but: Mapping[str, object] | tuple[object, ...] = ()) -> None:
        """Let time go by second by second while everybody's app does what it does by itself, except ``but``."""
        for _ in range(seconds):
            self.clock.advance(1)
            for person in self.people:
                if all(person is not other for other in but):
                    person.watch()
                    person.work()

    def _settled(self, person: Any) -> Any:
        self.people.append(person)
        return person

    def _ports(self, name: str) -> tuple[World, JobWorker, Address]:
        key = seeded(f"account of {name}").random_bytes(32)
        address = Address(Account.from_key(key).address)
        self.chain.fund(address, 100 * ETHER)
        jobs = MemoryJobs(self.clock)
        world = World(
            ledger=MemoryLedger(self.chain, address),
            store=self.store,
            secrets=MemorySecretStore(),
            documents=MemoryDocuments(),
            index=MemoryEventIndex(),
            jobs=jobs,
            clock=self.clock,
            rng=seeded(f"randomness of {name}"),
        )
        return world, JobWorker(jobs, self.clock), address
