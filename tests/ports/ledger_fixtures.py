"""Every ledger behind one fixture, and the pieces of a story: terms, contributions, settlements."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import Engine

from chain_common.adapters.database import open_database
from chain_common.domain.repository import (
    Contribute,
    Contribution,
    CreateModel,
    Metric,
    Publication,
    Rejection,
    Settle,
    SettlementReport,
    Terms,
)
from tests.chains import ChainDriver, MemoryDriver, RealChain, RealDriver, process_chain, tester_chain

ETHER = 10**18
BOUNTY, BOND, STAKE = 8 * ETHER, 4 * ETHER, ETHER // 100
# The way from 1,000,000 to 744,000 in 256 steps of 1,000.
INITIAL, TARGET, STEP = 1_000_000, 744_000, 1_000
COLLECT, DELIVER, SETTLE, CLOSING, DEMAND = 1_000, 500, 400, 800, 300


@pytest.fixture(scope="session")
def eth_tester_chain() -> RealChain:
    return tester_chain()


@pytest.fixture(scope="session")
def anvil_chain() -> Iterator[RealChain]:
    chain, child = process_chain("anvil")
    yield chain
    chain.node.close()
    child.stop()


@pytest.fixture(scope="session")
def ganache_chain() -> Iterator[RealChain]:
    chain, child = process_chain("ganache")
    yield chain
    chain.node.close()
    child.stop()


@pytest.fixture
def ledger_engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(f"sqlite:///{tmp_path / 'ledger.sqlite3'}")
    yield engine
    engine.dispose()


@pytest.fixture
def on_tester(eth_tester_chain: RealChain, tmp_path: Path, ledger_engine: Engine) -> RealDriver:
    return eth_tester_chain.deployed(tmp_path / "deployment.json", ledger_engine)


@pytest.fixture
def on_anvil(anvil_chain: RealChain, tmp_path: Path, ledger_engine: Engine) -> RealDriver:
    return anvil_chain.deployed(tmp_path / "deployment.json", ledger_engine)


@pytest.fixture
def on_ganache(ganache_chain: RealChain, tmp_path: Path, ledger_engine: Engine) -> RealDriver:
    return ganache_chain.deployed(tmp_path / "deployment.json", ledger_engine)


@pytest.fixture
def in_memory() -> MemoryDriver:
    return MemoryDriver()


@pytest.fixture(
    params=[
        "in_memory",
        "on_tester",
        pytest.param("on_anvil", marks=pytest.mark.chain),
        pytest.param("on_ganache", marks=[pytest.mark.chain, pytest.mark.slow]),
    ]
)
def chain(request: pytest.FixtureRequest) -> ChainDriver:
    driver: ChainDriver = request.getfixturevalue(request.param)
    return driver


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
