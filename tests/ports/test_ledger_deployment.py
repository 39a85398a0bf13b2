"""A deployment is made once, recorded, found again, and told from every other."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chain_common.adapters.deployment import (
    DEPLOYMENT_FILE,
    deploy,
    find_deployment,
    load_deployment,
    require_contract,
    require_deployment,
    save_deployment,
)
from chain_common.adapters.ledger_artifact import model_repository
from chain_common.adapters.ledger_node import Node
from chain_common.chain_errors import NotDeployed, NotEnoughEther, ReplacedChain, WrongChain
from chain_common.domain.repository import Address, ChainIdentity
from tests.chains import PATIENCE, RealDriver, signer_of
from tests.ports.ledger_fixtures import anvil  # noqa: F401 - the fixture "on_anvil"

pytestmark = pytest.mark.chain

IDENTITY = ChainIdentity(31337, Address("0x5FbDB2315678afecb367f032d93F642f64180aa3"), "0x" + "1" * 64, "0x" + "2" * 64)


class DyingNode(Node):
    """A node whose user is killed when a deployment has been recorded, before or after it was sent."""

    def __init__(self, node: Node, *, sends: bool) -> None:
        super().__init__(node.web3.provider, node.location)
        self.sends = sends

    def refused(self, raw: bytes) -> str:
        if self.sends:
            super().refused(raw)
        raise KeyboardInterrupt


def test_a_deployment_is_recorded_and_the_next_call_finds_it(on_anvil: RealDriver, tmp_path: Path) -> None:
    record = tmp_path / DEPLOYMENT_FILE
    assert load_deployment(record) == on_anvil.identity
    assert json.loads(record.read_text()) == {
        "version": 1,
        "chain_id": 31337,
        "contract": on_anvil.identity.contract,
        "deployment_transaction": on_anvil.identity.deployment_transaction,
        "deployment_block_hash": on_anvil.identity.deployment_block_hash,
    }
    before = on_anvil.node.count(on_anvil.signer(0).address())
    assert deploy(on_anvil.node, on_anvil.signer(0), record, patience=PATIENCE) == on_anvil.identity
    assert on_anvil.node.count(on_anvil.signer(0).address()) == before
    require_contract(on_anvil.node, on_anvil.identity)


@pytest.mark.parametrize("sends", [False, True])
def test_a_deployment_that_was_cut_off_is_finished_and_not_made_twice(
    on_anvil: RealDriver, tmp_path: Path, sends: bool
) -> None:
    record, signer = tmp_path / "second.json", on_anvil.signer(0)
    before = on_anvil.node.count(signer.address())
    with pytest.raises(KeyboardInterrupt):
        deploy(DyingNode(on_anvil.node, sends=sends), signer, record, patience=PATIENCE)
    assert not record.exists()
    identity = deploy(on_anvil.node, signer, record, patience=PATIENCE)
    assert on_anvil.node.count(signer.address()) == before + 1
    require_contract(on_anvil.node, identity)
    assert sorted(path.name for path in tmp_path.glob("*.json")) == ["deployment.json", "second.json"]


def test_a_cut_off_deployment_whose_nonce_went_to_another_is_made_anew(on_anvil: RealDriver, tmp_path: Path) -> None:
    record, signer = tmp_path / "second.json", on_anvil.signer(0)
    with pytest.raises(KeyboardInterrupt):
        deploy(DyingNode(on_anvil.node, sends=False), signer, record, patience=PATIENCE)
    (tmp_path / "aside").mkdir()
    deploy(on_anvil.node, signer, tmp_path / "aside" / "other.json", patience=PATIENCE)
    require_contract(on_anvil.node, deploy(on_anvil.node, signer, record, patience=PATIENCE))


def test_an_account_without_ether_deploys_nothing_and_leaves_nothing_behind(
    on_anvil: RealDriver, tmp_path: Path
) -> None:
    with pytest.raises(NotEnoughEther):
        deploy(on_anvil.node, signer_of(b"\x07" * 32), tmp_path / "poor.json", patience=PATIENCE)
    assert not list(tmp_path.glob("poor*"))
    assert not list(tmp_path.glob("*unfinished*"))


def test_the_record_of_another_chain_stays_beside_the_new_one(on_anvil: RealDriver, tmp_path: Path) -> None:
    record = tmp_path / "moved.json"
    save_deployment(record, replace(IDENTITY, chain_id=1337))
    identity = deploy(on_anvil.node, on_anvil.signer(0), record, patience=PATIENCE)
    assert load_deployment(record) == identity
    kept = load_deployment(tmp_path / f"deployment.1337.{IDENTITY.contract}.json")
    assert kept == replace(IDENTITY, chain_id=1337)


def test_a_chain_that_was_started_anew_gets_a_new_deployment(on_anvil: RealDriver, tmp_path: Path) -> None:
    record = tmp_path / "again.json"
    save_deployment(record, IDENTITY)
    with pytest.raises(ReplacedChain):
        require_deployment(on_anvil.node, IDENTITY)
    identity = deploy(on_anvil.node, on_anvil.signer(0), record, patience=PATIENCE)
    assert identity.deployment_transaction != IDENTITY.deployment_transaction
    require_deployment(on_anvil.node, identity)


def test_chain_id_and_block_both_have_to_be_the_deployments(on_anvil: RealDriver) -> None:
    identity = on_anvil.identity
    with pytest.raises(WrongChain):
        require_deployment(on_anvil.node, replace(identity, chain_id=1337))
    with pytest.raises(ReplacedChain):
        require_deployment(on_anvil.node, replace(identity, deployment_block_hash="0x" + "3" * 64))


def test_other_code_at_the_address_is_not_used(on_anvil: RealDriver) -> None:
    identity = replace(on_anvil.identity, contract=Address("0x" + "4" * 40))
    with pytest.raises(NotDeployed, match="its code is not that of this version"):
        require_contract(on_anvil.node, identity)


def test_immutables_do_not_make_the_code_another_one() -> None:
    artifact = replace(model_repository(), deployed_code=bytes(8) + b"\x60", immutables=((2, 4),))
    assert artifact.is_code(b"\x00\x00\x01\x02\x03\x04\x00\x00\x60")
    assert not artifact.is_code(b"\x00\x01\x00\x00\x00\x00\x00\x00\x60")
    assert not artifact.is_code(b"\x00" * 8)


def test_a_deployment_is_found_by_its_address_alone(on_anvil: RealDriver) -> None:
    on_anvil.pass_time(10)
    assert find_deployment(on_anvil.node, on_anvil.identity.contract.lower()) == on_anvil.identity
    for wrong in ("0x12", on_anvil.signer(0).address()):
        with pytest.raises(NotDeployed):
            find_deployment(on_anvil.node, wrong)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "there is no such file"),
        ("{", "it is damaged"),
        ("[]", "it is damaged"),
        (json.dumps({"version": 1, "chain_id": 1}), "it is damaged"),
    ],
)
def test_a_record_that_cannot_be_used_says_why_and_what_to_do(tmp_path: Path, content: str | None, reason: str) -> None:
    record = tmp_path / "deployment.json"
    if content is not None:
        record.write_text(content)
    with pytest.raises(NotDeployed, match=reason) as caught:
        load_deployment(record)
    assert "chain deploy" in str(caught.value)


def test_a_record_of_a_later_version_is_not_guessed_at(tmp_path: Path) -> None:
    record = tmp_path / "deployment.json"
    save_deployment(record, IDENTITY)
    written: dict[str, Any] = json.loads(record.read_text())
    record.write_text(json.dumps({**written, "version": 2}))
    with pytest.raises(NotDeployed, match="version 2, not 1"):
        load_deployment(record)
