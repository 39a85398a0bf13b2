"""One repository for each test process, put back after each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contracts.market import Chain, Market, artifact


@pytest.fixture(scope="session")
def deployed() -> Market:
    chain = Chain()
    return Market(chain, chain.deploy(artifact("chain_common/artifacts", "ModelRepository")))


@pytest.fixture
def market(deployed: Market) -> Iterator[Market]:
    snapshot = deployed.chain.tester.take_snapshot()
    yield deployed
    deployed.chain.tester.revert_to_snapshot(snapshot)
    deployed.forget()


@pytest.fixture
def chain(market: Market) -> Chain:
    return market.chain
