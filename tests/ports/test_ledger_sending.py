"""A transaction is sent once, whatever is killed, lost or started anew in between. On Anvil."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from eth_account import Account
from sqlalchemy.engine import Engine

from chain_common.adapters.accounts import Signer
from chain_common.adapters.database import open_database
from chain_common.adapters.deployment import deploy
from chain_common.adapters.embedded_chain import EmbeddedChain
from chain_common.adapters.embedded_chain_programs import chain_program
from chain_common.adapters.ledger import Web3Ledger
from chain_common.adapters.ledger_node import Node
from chain_common.adapters.ledger_pricing import ContractCall, prepared
from chain_common.adapters.ledger_sending import Patience, TransactionSender, WatchOnly
from chain_common.adapters.outbox import Entry, Fate, Outbox, outbox_table
from chain_common.chain_errors import ChainAway, NotEnoughEther, ReplacedChain, Reverted, TransactionPending
from chain_common.contract_errors import NothingToClaim
from chain_common.domain.calls import Claim, End
from chain_common.domain.repository import Address, ChainIdentity, Receipt
from chain_common.errors import Locked
from tests.chains import PATIENCE, RealDriver, signer_of
from tests.ports.ledger_fixtures import (
    ETHER,
    anvil,  # noqa: F401 - the fixture "on_anvil"
    contribute,
    create,
    unpaid,
)

pytestmark = pytest.mark.chain

IMPATIENT = Patience(wait_s=0.02, poll_s=0.002)


class DyingNode(Node):
    """A node whose user is killed at a certain moment."""

    def __init__(self, node: Node, killed: str = "") -> None:
        super().__init__(node.web3.provider, node.location)
        self.killed = killed
        self.handed_over: list[bytes] = []

    def refused(self, raw: bytes) -> str:
        if self.killed == "before it is sent":
            raise KeyboardInterrupt
        self.handed_over.append(raw)
        said = super().refused(raw)
        if self.killed == "after it was sent":
            raise KeyboardInterrupt
        return said


@pytest.fixture(name="sent")
def sending(on_anvil: RealDriver) -> Iterator[Sending]:
    helper = Sending(on_anvil)
    yield helper
    helper.rpc("evm_setAutomine", True)


class Sending:
    """One account on a deployment, and what the tests do to it."""

    def __init__(self, driver: RealDriver) -> None:
        self.driver = driver
        self.node = driver.node
        self.account = driver.signer(0).address()
        self.first_nonce = self.node.count(self.account)
        self.call = create(driver.now())

    def rpc(self, method: str, *params: object) -> Any:
        return self.node.web3.manager.request_blocking(method, list(params))  # type: ignore[arg-type]

    def ledger(
        self, node: Node | None = None, patience: Patience = PATIENCE, signer: Signer | None = None
    ) -> Web3Ledger:
        """A ledger as a process that has just started makes it."""
        signer = signer or self.driver.signer(0)
        return Web3Ledger(node or self.node, self.driver.identity, signer, self.driver.engine, patience=patience)

    def n_transactions(self) -> int:
        """How many transactions of the account were mined since the test began."""
        return self.node.count(self.account) - self.first_nonce

    def fates(self, key: str) -> list[Fate]:
        """What the outbox says of an intention's transactions, the newest first."""
        return [entry.fate for entry in self.entries(key)]

    def entries(self, key: str) -> list[Entry]:
        return Outbox(self.driver.engine, self.driver.identity).attempts(key)

    def send_from_elsewhere(self, nonce: int) -> None:
        """Send a transaction of the same account from some wallet."""
        elsewhere = ContractCall(self.account, b"", 1)
        sign = prepared(self.driver.signer(0), self.node, elsewhere, self.driver.identity.chain_id)
        assert self.node.refused(sign(nonce).raw_transaction) == ""


# ---------------------------------------------------------------------------------------------------- killed between


def test_a_transaction_recorded_and_never_sent_is_sent_after_the_restart(sent: Sending) -> None:
    with pytest.raises(KeyboardInterrupt):
        sent.ledger(DyingNode(sent.node, "before it is sent")).send(sent.call, key="bounty")
    assert sent.fates("bounty") == [Fate.RECORDED]
    assert sent.n_transactions() == 0
    receipt = sent.ledger().send(sent.call, key="bounty")
    assert [event.name for event in receipt.events] == ["ModelCreated"]
    assert sent.fates("bounty") == [Fate.MINED]
    assert sent.n_transactions() == 1


def test_a_transaction_sent_and_never_seen_mined_is_found_after_the_restart(sent: Sending) -> None:
    with pytest.raises(KeyboardInterrupt):
        sent.ledger(DyingNode(sent.node, "after it was sent")).send(sent.call, key="bounty")
    receipt = sent.ledger().send(sent.call, key="bounty")
    assert sent.ledger().model(1).lender == sent.account
    assert sent.n_transactions() == 1
    assert sent.fates("bounty") == [Fate.MINED]
    assert sent.ledger().send(sent.call, key="bounty") == receipt


def test_one_that_waits_in_the_node_is_waited_for_and_not_made_again(sent: Sending) -> None:
    sent.rpc("evm_setAutomine", False)
    for _ in range(2):
        with pytest.raises(TransactionPending):
            sent.ledger(patience=IMPATIENT).send(sent.call, key="bounty")
    assert sent.fates("bounty") == [Fate.SENT]
    sent.rpc("evm_mine")
    assert sent.ledger().send(sent.call, key="bounty").events[0].name == "ModelCreated"
    assert sent.n_transactions() == 1


def test_a_later_intention_does_not_wait_for_ever_behind_one_that_was_never_sent(sent: Sending) -> None:
    with pytest.raises(KeyboardInterrupt):
        sent.ledger(DyingNode(sent.node, "before it is sent")).send(sent.call, key="first")
    later = sent.ledger().send(sent.call, key="second")
    assert later.events[0].model_id == 2
    assert sent.ledger().send(sent.call, key="first").events[0].model_id == 1
    assert sent.n_transactions() == 2


def test_a_nonce_taken_by_another_wallet_gives_the_intention_a_new_transaction(sent: Sending) -> None:
    with pytest.raises(KeyboardInterrupt):
        sent.ledger(DyingNode(sent.node, "before it is sent")).send(sent.call, key="bounty")
    sent.send_from_elsewhere(sent.first_nonce)
    seeing = DyingNode(sent.node)
    receipt = sent.ledger(seeing).send(sent.call, key="bounty")
    assert receipt.events[0].name == "ModelCreated"
    assert sent.fates("bounty") == [Fate.MINED, Fate.LOST]
    assert sent.n_transactions() == 2
    # Ganache would carry out an account's first transaction again if it were handed over a second time.
    assert seeing.handed_over == [sent.entries("bounty")[0].raw]


def test_a_transaction_whose_fee_has_become_too_low_is_made_anew_with_the_same_nonce(sent: Sending) -> None:
    with pytest.raises(KeyboardInterrupt):
        sent.ledger(DyingNode(sent.node, "before it is sent")).send(sent.call, key="bounty")
    sent.rpc("anvil_setNextBlockBaseFeePerGas", hex(10**12))
    sent.rpc("evm_mine")
    sent.ledger().send(sent.call, key="bounty")
    assert sent.fates("bounty") == [Fate.MINED, Fate.LOST]
    assert len({entry.nonce for entry in sent.entries("bounty")}) == 1
    sent.rpc("anvil_setNextBlockBaseFeePerGas", hex(10**9))
    sent.rpc("evm_mine")


def test_a_transaction_of_another_wallet_that_still_waits_is_counted_in(sent: Sending) -> None:
    sent.rpc("evm_setAutomine", False)
    sent.send_from_elsewhere(sent.first_nonce)
    with pytest.raises(TransactionPending):
        sent.ledger(patience=IMPATIENT).send(sent.call, key="bounty")
    sent.rpc("evm_mine")
    assert sent.ledger().send(sent.call, key="bounty").events[0].name == "ModelCreated"
    assert sent.n_transactions() == 2


def test_a_transaction_the_node_drops_is_sent_again_with_the_same_bytes(sent: Sending) -> None:
    sent.rpc("evm_setAutomine", False)
    with pytest.raises(TransactionPending) as caught:
        sent.ledger(patience=IMPATIENT).send(sent.call, key="bounty")
    sent.rpc("anvil_dropTransaction", caught.value.transaction)
    sent.rpc("evm_setAutomine", True)
    assert sent.ledger().send(sent.call, key="bounty").transaction == caught.value.transaction


# ------------------------------------------------------------------------------------------------ failed in the block


def test_a_transaction_that_fails_in_its_block_is_the_contracts_error_now_and_later(sent: Sending) -> None:
    driver = sent.driver
    driver.ledger(0).send(sent.call, key="bounty")
    for number in (1, 2):
        driver.ledger(number).send(contribute(1, f"rows {number}"), key=f"rows {number}")
    driver.ledger(0).send(unpaid(1, 1, 2), key="settle")
    claim = Claim(1, 1, 0)
    sent.rpc("evm_setAutomine", False)
    for number in (1, 0):
        hurried = Web3Ledger(sent.node, driver.identity, driver.signer(number), driver.engine, patience=IMPATIENT)
        with pytest.raises(TransactionPending):
            hurried.send(claim, key=f"claim by {number}")
    sent.rpc("evm_mine")
    outcomes = []
    for number in (1, 0):
        try:
            driver.ledger(number).send(claim, key=f"claim by {number}")
            outcomes.append("claimed")
        except NothingToClaim as error:
            outcomes.append(str(error.seat))
            loser = number
    assert sorted(outcomes) == ["0", "claimed"]
    n_before = sent.n_transactions()
    assert sent.fates(f"claim by {loser}") == [Fate.FAILED]
    with pytest.raises(NothingToClaim):
        driver.ledger(loser).send(claim, key=f"claim by {loser}")
    assert sent.n_transactions() == n_before


def test_a_transaction_that_runs_out_of_gas_has_no_reason_of_the_contract(sent: Sending) -> None:
    class Stingy(Signer):
        def sign_transaction(self, transaction: Any) -> Any:
            return super().sign_transaction({**transaction, "gas": 60_000})

    stingy = Stingy()
    stingy.hold(Account.from_key(sent.driver.chain.keys[0]))
    with pytest.raises(Reverted, match="ran out of gas"):
        sent.ledger(signer=stingy).send(sent.call, key="bounty")
    assert sent.fates("bounty") == [Fate.FAILED]


# ---------------------------------------------------------------------------------------------- the chain goes back


def test_transactions_that_a_chain_has_forgotten_are_sent_again_in_their_order(sent: Sending) -> None:
    snapshot = sent.rpc("evm_snapshot")
    first = sent.ledger().send(sent.call, key="first")
    second = sent.ledger().send(End(1), key="second")
    sent.rpc("evm_revert", snapshot)
    assert sent.ledger().model_count() == 0
    third = sent.ledger().send(replace(sent.call, bond_wei=5 * ETHER), key="third")
    assert third.events[0].model_id == 2
    assert sent.ledger().send(sent.call, key="first").transaction == first.transaction
    assert sent.ledger().send(End(1), key="second").transaction == second.transaction
    assert sent.n_transactions() == 3


def test_nothing_signed_for_a_chain_reaches_the_one_that_replaced_it(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'state.sqlite3'}")
    seen: list[ChainIdentity] = []

    def play(number: int, old: ChainIdentity | None = None) -> None:
        # The port is another one, as if the user had named it; chain id and the accounts are the same.
        with EmbeddedChain(chain_program("anvil")) as child:
            node = Node.at(child.url)
            signer = signer_of(child.funded_accounts()[number].private_key)
            call = create(node.head().timestamp)
            if old is None:
                identity = deploy(node, signer, tmp_path / "deployment.json", patience=PATIENCE)
                ledger = Web3Ledger(node, identity, signer, engine, patience=PATIENCE)
                ledger.send(call, key="bounty")
                seen.append(ledger.identity())
            else:
                ledger = Web3Ledger(node, old, signer, engine, patience=PATIENCE)
                acts: list[Callable[[], object]] = [
                    ledger.identity,
                    ledger.check,
                    lambda: ledger.send(call, key="bounty"),
                    lambda: ledger.send(call, key="other"),
                    lambda: ledger.model(1),
                ]
                for act in acts:
                    with pytest.raises(ReplacedChain):
                        act()
                assert node.count(signer.address()) == 0
            node.close()

    play(0)
    play(0, old=seen[0])
    engine.dispose()


# ------------------------------------------------------------------------------------------------- many at one time


def in_threads(acts: list[Callable[[], object]]) -> list[BaseException | None]:
    """Run all at once; return what each raised."""
    with ThreadPoolExecutor(len(acts)) as pool:
        return [done.exception() for done in [pool.submit(act) for act in acts]]


def test_intentions_of_many_threads_get_a_nonce_each(sent: Sending) -> None:
    def act(number: int) -> Callable[[], object]:
        return lambda: sent.ledger().send(sent.call, key=f"bounty {number}")

    assert in_threads([act(number) for number in range(8)]) == [None] * 8
    assert sent.ledger().model_count() == 8
    with sent.driver.engine.connect() as connection:
        nonces = list(connection.scalars(sa.select(outbox_table.c.nonce).order_by(outbox_table.c.nonce)))
    assert nonces == list(range(sent.first_nonce, sent.first_nonce + 8))


def test_one_intention_in_many_threads_is_one_transaction(sent: Sending) -> None:
    receipts: list[Receipt] = []
    act = lambda: receipts.append(sent.ledger().send(sent.call, key="bounty"))  # noqa: E731
    assert in_threads([act] * 6) == [None] * 6
    assert len(set(map(repr, receipts))) == 1
    assert sent.n_transactions() == 1


# ------------------------------------------------------------------------------------------------- keys, money, fees


def test_a_locked_account_signs_and_records_nothing(sent: Sending) -> None:
    ledger = Web3Ledger(sent.node, sent.driver.identity, Signer(), sent.driver.engine, account=lambda: sent.account)
    assert ledger.account() == sent.account
    with pytest.raises(Locked):
        ledger.send(sent.call, key="bounty")
    watching = sent.ledger(signer=WatchOnly(sent.account))  # type: ignore[arg-type]
    with pytest.raises(Locked):
        watching.send(sent.call, key="bounty")
    assert watching.account() == sent.account
    assert sent.fates("bounty") == []


def test_an_account_that_cannot_pay_the_fee_is_told_so_before_anything_is_recorded(sent: Sending) -> None:
    key = Account.create().key
    poor = signer_of(bytes(key))
    value = sent.call.bounty_wei + sent.call.bond_wei
    sent.rpc("anvil_setBalance", poor.address(), hex(value + 1_000))
    with pytest.raises(NotEnoughEther) as caught:
        sent.ledger(signer=poor).send(sent.call, key="bounty")
    assert caught.value.available_wei == value + 1_000
    assert caught.value.needed_wei > value + 1_000
    assert sent.fates("bounty") == []


def test_a_node_that_goes_away_is_named_and_the_intention_stays(sent: Sending) -> None:
    class Cut(DyingNode):
        def refused(self, raw: bytes) -> str:
            raise ChainAway(self.location, "no connection can be made")

    with pytest.raises(ChainAway):
        sent.ledger(Cut(sent.node)).send(sent.call, key="bounty")
    assert sent.fates("bounty") == [Fate.RECORDED]
    sent.ledger().send(sent.call, key="bounty")
    assert sent.n_transactions() == 1


def test_a_chain_without_a_base_fee_is_paid_by_gas_price(tmp_path: Path) -> None:
    program = chain_program("anvil")
    old = replace(program, command=tuple("berlin" if part == "prague" else part for part in program.command))
    engine: Engine = open_database(f"sqlite:///{tmp_path / 'state.sqlite3'}")
    with EmbeddedChain(old) as child:
        node = Node.at(child.url)
        giver, taker = child.funded_accounts()[:2]
        somewhere = ChainIdentity(31337, Address(taker.address), "0x" + "1" * 64, "0x" + "2" * 64)
        sender = TransactionSender(
            node, signer_of(giver.private_key), Outbox(engine, somewhere), 31337, patience=PATIENCE
        )
        before = node.balance(taker.address)
        mined = sender.send(ContractCall(taker.address, b"", 7), "gift")
        assert mined.price_wei > 0
        assert node.balance(taker.address) == before + 7
        node.close()
    engine.dispose()
