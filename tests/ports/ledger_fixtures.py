"""Every ledger behind one fixture, and the pieces of a story: terms, contributions, settlements."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chain_common.adapters.database import open_database
from chain_common.domain.calls import Contribute, CreateModel, Settle
from chain_common.domain.repository import Contribution, Metric, Publication, Rejection, SettlementReport, Terms
from tests.chains import ChainDriver, MemoryDriver, RealDriver, running_chain

ETHER = 10**18
BOUNTY, BOND, STAKE = 8 * ETHER, 4 * ETHER, ETHER // 100
# The way from 1,000,000 to 744,000 in 256 steps of 1,000.
INITIAL, TARGET, STEP = 1_000_000, 744_000, 1_000
COLLECT, DELIVER, SETTLE, CLOSING, DEMAND = 1_000, 500, 400, 800, 300


@contextmanager
def fresh(kind: str, folder: Path) -> Iterator[RealDriver]:
    """A fresh deployment, and a database of its own, on the process's chain of a kind."""
    engine = open_database(f"sqlite:///{folder / 'ledger.sqlite3'}")
    try:
        yield running_chain(kind).deployed(folder / "deployment.json", engine)
    finally:
        engine.dispose()


# eth-tester and Ganache take up to a fifth of a second for a transaction; on them run the tests of what could differ:
# reverts, fees, time, keys and events.
ANVIL = pytest.param("anvil", marks=pytest.mark.chain)
GANACHE = pytest.param("ganache", marks=pytest.mark.chain)
everywhere = pytest.mark.parametrize("chain", ["memory", "eth-tester", ANVIL, GANACHE], indirect=True)


@pytest.fixture(name="chain", params=["memory", ANVIL])
def every_chain(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ChainDriver]:
    if request.param == "memory":
        yield MemoryDriver()
        return
    with fresh(request.param, tmp_path) as driver:
        yield driver


@pytest.fixture(name="on_tester")
def eth_tester(tmp_path: Path) -> Iterator[RealDriver]:
    with fresh("eth-tester", tmp_path) as driver:
        yield driver


@pytest.fixture(name="on_anvil")
def anvil(tmp_path: Path) -> Iterator[RealDriver]:
    with fresh("anvil", tmp_path) as driver:
        yield driver


def digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def terms(now: int, **changes: Any) -> Terms:
    usual = Terms(
        stake_wei=STAKE,
        audit_fee_wei=ETHER // 10,
        initial_loss=INITIAL,
        target_loss=TARGET,
        min_gain=5_000,
        loss_steps=256,
        closing_share_ppm=500_000,
        max_rounds=4,
        seats=2,
        close_when_full=True,
        deadline=now + 100_000,
        collect_window_s=COLLECT,
        deliver_window_s=DELIVER,
        settle_window_s=SETTLE,
        closing_window_s=CLOSING,
        audit_demand_window_s=DEMAND,
        audit_answer_window_s=DEMAND,
        metric=Metric.BRIER,
        loss_shift=80,
        scoring_rows=2_000,
        closing_rows=1_000,
    )
    return replace(usual, **changes)


PUBLICATION = Publication(
    spec=digest("spec"),
    base_weights=digest("base 0"),
    weights_commitment=digest("weights 0"),
    scoring_commitment=digest("scoring set"),
    closing_commitment=digest("closing set"),
)


def create(now: int, **changes: Any) -> CreateModel:
    return CreateModel(BOUNTY, BOND, PUBLICATION, terms(now, **changes))


def contribution(rows: str, round_: int = 1, base: str = "base 0", **changes: Any) -> Contribution:
    usual = Contribution(
        round=round_,
        base_weights=digest(base),
        payload=digest(f"payload {rows}"),
        tag_root=digest(f"tags {rows}"),
        update_digest=digest(f"update {rows}"),
        rows=500,
        nonce=digest(f"nonce {rows}"),
    )
    return replace(usual, **changes)


def contribute(model_id: int, rows: str, round_: int = 1, base: str = "base 0", **changes: Any) -> Contribute:
    return Contribute(model_id, STAKE, contribution(rows, round_, base, **changes))


def paid(model_id: int, round_: int, loss: int, shares: tuple[int, ...], **changes: Any) -> Settle:
    """A settlement with money: every seat accepted, new weights."""
    usual = SettlementReport(
        round=round_,
        loss=loss,
        shares=shares,
        rejections=(Rejection.ACCEPTED,) * len(shares),
        next_weights=digest(f"base {round_}"),
        weights_commitment=digest(f"weights {round_}"),
    )
    return Settle(model_id, replace(usual, **changes))


def unpaid(model_id: int, round_: int, n_seats: int, loss: int = INITIAL, **changes: Any) -> Settle:
    """A settlement without money: the first base stays."""
    return paid(
        model_id,
        round_,
        loss,
        (0,) * n_seats,
        **{"next_weights": digest("base 0"), "weights_commitment": digest("weights 0"), **changes},
    )
