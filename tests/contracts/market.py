"""A model repository on an in-process chain, driven in the protocol's words.

Amounts are small and round so that tests can state expected figures by hand: a bounty of 6,400 wei, a bond of half of
it, stakes of 100 wei, losses from 1,000 down to a target of 200.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import decode, encode
from eth_tester import EthereumTester, PyEVMBackend
from eth_tester.exceptions import TransactionFailed
from eth_utils.crypto import keccak
from web3 import EthereumTesterProvider, Web3

ROOT = Path(__file__).resolve().parents[2]
ETHER = "0x" + "00" * 20

BOUNTY = 6_400
BOND = 3_200
STAKE = 100
HOUR = 3_600
DAY = 24 * HOUR
START = 4_000_000_000
GAS = 3_000_000

ACCEPTED, NOT_DELIVERED, UNOPENABLE, SAME_ROWS, ROW_FLOOR = range(5)

CONTRIBUTION_TYPE = "(uint8,bytes32,bytes32,bytes32,bytes32,uint32,bytes32)"


class Status(IntEnum):
    """Where a model stands."""

    NONE, OPEN, CLOSING, ENDED = range(4)


class State(IntEnum):
    """Where a round stands."""

    NONE, COLLECTING, DELIVERING, AWAITING_SETTLEMENT, OVERDUE, SETTLED, FAILED = range(7)


class Refused(Exception):
    """A call reverted with a custom error: its name and its facts."""

    def __init__(self, name: str, facts: tuple[Any, ...]) -> None:
        self.name = name
        self.facts = facts
        super().__init__(f"{name}{facts}")


def digest(text: str) -> bytes:
    """Thirty-two bytes that stand for whatever ``text`` names."""
    return keccak(text=text)


def artifact(folder: str, name: str) -> dict[str, Any]:
    """Read a compiled contract."""
    return json.loads((ROOT / folder / f"{name}.json").read_text(encoding="utf-8"))


class Chain:
    """An in-process chain whose next block's time the test decides."""

    def __init__(self) -> None:
        self.tester = EthereumTester(PyEVMBackend())
        self.w3 = Web3(EthereumTesterProvider(self.tester))
        self.accounts = list(self.w3.eth.accounts)
        # Ahead of every clock: the test chain falls back on the wall clock where that is ahead of its blocks.
        self.tester.time_travel(START)

    @property
    def now(self) -> int:
        """Time of the next block."""
        return int(self.w3.eth.get_block("latest")["timestamp"]) + 1

    def at(self, moment: int) -> None:
        """Make the next block's time exactly ``moment``."""
        if moment != self.now:
            self.tester.time_travel(moment)
        assert self.now == moment

    def wait(self, seconds: int) -> None:
        """Let time pass."""
        self.at(self.now + seconds)

    def deploy(self, compiled: dict[str, Any], *arguments: Any, value: int = 0) -> Contract:
        """Deploy a contract from the first account."""
        factory = self.w3.eth.contract(abi=compiled["abi"], bytecode=compiled["bytecode"])
        sent = factory.constructor(*arguments).transact({"from": self.accounts[0], "gas": 10_000_000, "value": value})
        receipt = self.w3.eth.get_transaction_receipt(sent)
        assert receipt["status"] == 1
        return Contract(self, receipt["contractAddress"], compiled["abi"])

    def force(self, account: str, value: int) -> None:
        """Pay an account that takes no payments, by a contract that destroys itself in its constructor."""
        push20, selfdestruct = "73", "ff"
        data = "0x" + push20 + account.removeprefix("0x") + selfdestruct
        self.w3.eth.send_transaction({"from": self.accounts[0], "data": data, "value": value, "gas": 100_000})

    def balance(self, account: str) -> int:
        """Wei of an account."""
        return int(self.w3.eth.get_balance(account))


class Contract:
    """A deployed contract whose custom errors become :class:`Refused`."""

    def __init__(self, chain: Chain, address: str, abi: list[dict[str, Any]]) -> None:
        self.chain = chain
        self.address = address
        self.web3 = chain.w3.eth.contract(address=address, abi=abi)
        self.errors = {
            keccak(text=f"{entry['name']}({','.join(i['type'] for i in entry['inputs'])})")[:4]: entry
            for entry in abi
            if entry["type"] == "error"
        }
        self.gas_used = 0

    def call(self, function: str, *arguments: Any, sender: str | None = None, value: int = 0) -> Any:
        """Evaluate a function at the time of the next block."""
        bound = getattr(self.web3.functions, function)(*arguments)
        try:
            return bound.call({"from": sender or self.chain.accounts[0], "value": value, "gas": GAS}, "pending")
        except TransactionFailed as failure:
            raise self.refusal(failure) from failure

    def send(self, function: str, *arguments: Any, sender: str | None = None, value: int = 0) -> Any:
        """Send a transaction that must succeed and return what the function returns."""
        result = self.call(function, *arguments, sender=sender, value=value)
        bound = getattr(self.web3.functions, function)(*arguments)
        sent = bound.transact({"from": sender or self.chain.accounts[0], "value": value, "gas": GAS})
        self.receipt = self.chain.w3.eth.get_transaction_receipt(sent)
        assert self.receipt["status"] == 1
        self.gas_used = self.receipt["gasUsed"]
        return result

    def events(self, name: str) -> list[dict[str, Any]]:
        """Arguments of the events of that name in the last transaction."""
        from web3.logs import DISCARD

        return [
            dict(entry["args"])
            for entry in getattr(self.web3.events, name)().process_receipt(self.receipt, errors=DISCARD)
        ]

    def refusal(self, failure: TransactionFailed) -> Refused:
        """Decode a revert; anything but a known custom error is a failed test."""
        text = str(failure).removeprefix("execution reverted: ")
        data = ast.literal_eval(text) if text.startswith("b") else b""
        entry = self.errors.get(data[:4])
        assert entry is not None, f"reverted without a custom error: {failure}"
        return Refused(entry["name"], decode([i["type"] for i in entry["inputs"]], data[4:]))


@contextmanager
def refused(name: str, *facts: Any) -> Iterator[None]:
    """Expect a call to revert with a custom error and exactly these facts; ``...`` stands for any fact."""
    with pytest.raises(Refused) as caught:
        yield
    assert caught.value.name == name, caught.value
    assert len(caught.value.facts) == len(facts), caught.value
    for got, expected in zip(caught.value.facts, facts, strict=True):
        assert expected is ... or _same(got, expected), caught.value


def _same(got: Any, expected: Any) -> bool:
    return got.lower() == expected.lower() if isinstance(got, str) else got == expected


class Market:
    """A repository with one lender and many data owners."""

    def __init__(self, chain: Chain, repository: Contract) -> None:
        self.chain = chain
        self.repository = repository
        self.lender = chain.accounts[1]
        self.stranger = chain.accounts[2]
        self.owners = chain.accounts[3:]
        self.call = repository.call
        self.send = repository.send
        self._rules: dict[int, dict[str, Any]] = {}

    def terms(self, **changes: Any) -> dict[str, Any]:
        """Terms of a model with a closing set, two seats and windows of an hour."""
        terms = {
            "currency": ETHER,
            "stake": STAKE,
            "auditFee": 640,
            "initialLoss": 1_000,
            "targetLoss": 200,
            "minGain": 16,
            "lossSteps": 0,
            "closingSharePpm": 500_000,
            "maxRounds": 8,
            "seats": 2,
            "pilotSeats": 0,
            "closeWhenFull": True,
            "deadline": self.chain.now + 30 * DAY,
            "collectWindow": HOUR,
            "deliverWindow": HOUR,
            "settleWindow": HOUR,
            "closingWindow": HOUR,
            "auditDemandWindow": HOUR,
            "auditAnswerWindow": HOUR,
            "metric": 0,
            "lossShift": 60,
            "scoringRows": 1_000,
            "closingRows": 1_000,
        }
        terms.update(changes)
        if terms["closingSharePpm"] == 0 and "closingRows" not in changes:
            terms["closingRows"] = 0
        return terms

    def publication(self, **changes: bytes) -> dict[str, bytes]:
        """Digests of a model with a closing set."""
        names = ("spec", "baseWeights", "weightsCommitment", "scoringCommitment", "closingCommitment")
        return {name: digest(f"first {name}") for name in names} | changes

    def create(
        self,
        *,
        bounty: int = BOUNTY,
        bond: int = BOND,
        value: int | None = None,
        publication: dict[str, bytes] | None = None,
        **changes: Any,
    ) -> int:
        """Create a model and return its number."""
        terms = self.terms(**changes)
        if publication is None:
            publication = self.publication()
            if terms["closingSharePpm"] == 0:
                publication["closingCommitment"] = bytes(32)
        arguments = (bounty, bond, tuple(publication.values()), tuple(terms.values()))
        sent = bounty + bond if value is None else value
        return self.send("createModel", *arguments, sender=self.lender, value=sent)

    def rules(self, model_id: int) -> dict[str, Any]:
        """Terms of a model by field name; they never change, so they are read once."""
        if model_id not in self._rules:
            self._rules[model_id] = self._named("terms", model_id)
        return self._rules[model_id]

    def forget(self) -> None:
        """Start anew on a chain that was put back."""
        self._rules.clear()

    def model(self, model_id: int) -> dict[str, Any]:
        """A model by field name."""
        return self._named("model", model_id)

    def round(self, model_id: int, number: int = 1) -> dict[str, Any]:
        """A round by field name."""
        return self._named("round", model_id, number)

    def seat(self, model_id: int, number: int, index: int) -> dict[str, Any]:
        """A seat by field name."""
        return self._named("seat", model_id, number, index)

    def state(self, model_id: int, number: int = 1) -> State:
        """Where a round stands at the time of the next block."""
        return State(self.round(model_id, number)["state"])

    def credit(self, account: str) -> int:
        """Wei an account can withdraw."""
        return self.call("credit", account)

    def contribution(self, model_id: int, owner: str, **changes: Any) -> dict[str, Any]:
        """What a data owner commits to next, on the current base."""
        model = self.model(model_id)
        running = bool(model["rounds"]) and self.state(model_id, model["rounds"]) < State.SETTLED
        contribution = {
            "round": model["rounds"] + (0 if running else 1),
            "baseWeights": model["baseWeights"],
            "payload": digest(f"payload of {owner}"),
            "tagRoot": digest(f"rows of {owner} for round {model['rounds']} {running}"),
            "updateDigest": digest(f"update of {owner}"),
            "rows": 500,
            "nonce": digest(f"nonce of {owner}"),
        }
        return contribution | changes

    def contribute(self, model_id: int, owner: str, *, value: int | None = None, **changes: Any) -> int:
        """Take a seat and return its index."""
        contribution = self.contribution(model_id, owner, **changes)
        if value is None:
            value = self.rules(model_id)["stake"]
        return self.send("contribute", model_id, tuple(contribution.values()), sender=owner, value=value)

    def fill(self, model_id: int) -> None:
        """Take all seats of the next round, one data owner each."""
        terms = self.rules(model_id)
        first = self.model(model_id)["rounds"] == 0
        for owner in self.owners[: (first and terms["pilotSeats"]) or terms["seats"]]:
            self.contribute(model_id, owner)

    def settlement(self, model_id: int, loss: int, shares: Sequence[int], **changes: Any) -> dict[str, Any]:
        """A settlement of the last round; ``shares`` without a positive one keep the base."""
        model = self.model(model_id)
        number = model["rounds"]
        paid = any(shares)
        settlement = {
            "round": number,
            "loss": loss,
            "shares": list(shares),
            "rejections": [ACCEPTED] * len(shares),
            "nextWeights": digest(f"weights after {number}") if paid else model["baseWeights"],
            "weightsCommitment": digest(f"commitment {number}") if paid else model["weightsCommitment"],
        }
        return settlement | changes

    def settle(self, model_id: int, loss: int, shares: Sequence[int], *, sender: str = "", **changes: Any) -> None:
        """Settle the last round."""
        settlement = self.settlement(model_id, loss, shares, **changes)
        self.send("settle", model_id, tuple(settlement.values()), sender=sender or self.lender)

    def play(self, model_id: int, loss: int, shares: Sequence[int], **changes: Any) -> None:
        """Fill and settle one round."""
        self.fill(model_id)
        self.settle(model_id, loss, shares, **changes)

    def claim(self, model_id: int, number: int, index: int) -> tuple[int, int]:
        """Claim for a seat, by a stranger; return stake and reward, having compared them with ``claimable``."""
        foreseen = self.call("claimable", model_id, number, index)
        claimed = self.send("claim", model_id, number, index, sender=self.stranger)
        assert claimed == foreseen
        return tuple(claimed)

    def _named(self, function: str, *arguments: int) -> dict[str, Any]:
        """Evaluate a view that returns a struct."""
        outputs = next(e for e in self.repository.web3.abi if e.get("name") == function)["outputs"]
        names = [field["name"] for field in outputs[0]["components"]]
        return dict(zip(names, self.call(function, *arguments), strict=True))


def commitment(contribution: dict[str, Any]) -> bytes:
    """What a seat records of a contribution."""
    return keccak(encode([CONTRIBUTION_TYPE], [tuple(contribution.values())]))
