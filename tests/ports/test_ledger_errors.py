"""From a failed call to our error: every custom error of the contract, and every shape a revert comes in."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from eth_abi import encode
from eth_utils.abi import function_signature_to_4byte_selector
from eth_utils.crypto import keccak
from web3.exceptions import ContractCustomError, ContractLogicError, TransactionNotFound, Web3RPCError

from chain_common.adapters.contract_errors import contract_error, errors_by_selector, revert_data
from chain_common.adapters.ledger_artifact import model_repository
from chain_common.chain_errors import ChainAway, NotEnoughEther, Reverted, in_utc
from chain_common.contract_errors import (
    CONTRACT_ERRORS,
    ModelNotOpen,
    NotLender,
    StaleBase,
    TermOutOfBounds,
    WrongValue,
)
from chain_common.domain.repository import ModelStatus
from chain_common.errors import RuleBroken

ANNA = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
SAMPLES: dict[str, Any] = {"address": ANNA, "string": "deadline", "bytes32": b"\x07" * 32}

ABI_ERRORS = model_repository().of_type("error")


def revert(signature: str, types: list[str], facts: list[Any]) -> bytes:
    return function_signature_to_4byte_selector(signature) + encode(types, facts)


WRONG_VALUE = revert("WrongValue(uint256,uint256)", ["uint256", "uint256"], [1, 5])


def test_every_custom_error_of_the_contract_has_one_of_ours_and_the_other_way_round() -> None:
    assert set(CONTRACT_ERRORS) == set(ABI_ERRORS)
    assert len(errors_by_selector()) == len(ABI_ERRORS)


@pytest.mark.parametrize("name", sorted(ABI_ERRORS))
def test_an_error_keeps_all_its_facts_and_writes_a_sentence_from_them(name: str) -> None:
    types = [field["type"] for field in ABI_ERRORS[name]["inputs"]]
    facts = [SAMPLES.get(kind, 3) for kind in types]
    selector = keccak(text=f"{name}({','.join(types)})")[:4]
    error = contract_error(selector + encode(types, facts))
    assert type(error) is CONTRACT_ERRORS[name]
    assert isinstance(error, RuleBroken)
    assert len(inspect.signature(CONTRACT_ERRORS[name]).parameters) == len(types)
    own = [fact for key, fact in vars(error).items() if key not in ("got", "expected", "do")]
    assert own == facts
    assert str(error) == error.sentence
    assert str(error)[0].isupper() or str(error)[0].isdigit()
    assert str(error).endswith(".")


def test_facts_become_the_types_of_the_library() -> None:
    error = contract_error(revert("ModelNotOpen(uint256,uint8)", ["uint256", "uint8"], [4, 3]))
    assert isinstance(error, ModelNotOpen)
    assert error.status is ModelStatus.ENDED
    assert str(error) == "Model 4 has ended. Only an open model takes this."
    lender = contract_error(revert("NotLender(uint256,address)", ["uint256", "address"], [4, ANNA]))
    assert isinstance(lender, NotLender)
    assert lender.caller == ANNA
    stale = contract_error(revert("StaleBase(bytes32,bytes32)", ["bytes32"] * 2, [b"\x01" * 32, b"\x02" * 32]))
    assert isinstance(stale, StaleBase)
    assert (stale.got_digest, stale.expected_digest) == (b"\x01" * 32, b"\x02" * 32)


def test_money_and_times_are_written_for_people() -> None:
    error = WrongValue(10**18, 15 * 10**17)
    assert str(error) == "1 ether was sent with the call. Exactly 1.5 ether is due."
    assert in_utc(1_795_166_010) == "20 Nov 2026, 09:13:30 UTC"
    assert in_utc(2**255) == f"second {2**255}"
    dear = NotEnoughEther(ANNA, 3 * 10**18, 10**18)
    assert "Send it at least 2 ether first." in str(dear)


class TransactionFailed(Exception):
    """Named as eth-tester's, which the library knows by its name only."""


def rpc(error: dict[str, Any]) -> Web3RPCError:
    return Web3RPCError(str(error), rpc_response={"jsonrpc": "2.0", "id": 1, "error": error})  # type: ignore[arg-type]


HEX = "0x" + WRONG_VALUE.hex()


@pytest.mark.parametrize(
    "foreign",
    [
        ContractCustomError(HEX, data=HEX),
        ContractLogicError("execution reverted", data=HEX),
        ContractLogicError("execution reverted: VM Exception", data={"hash": None, "result": HEX, "reason": None}),
        rpc({"code": 3, "message": "execution reverted", "data": HEX}),
        rpc({"code": -32015, "message": "VM execution error: revert", "data": f"Reverted {HEX}"}),
        rpc({"code": -32000, "message": "VM Exception while processing transaction: revert", "data": HEX}),
        TransactionFailed(f"execution reverted: {WRONG_VALUE!r}"),
        TransactionFailed(repr(WRONG_VALUE)),
    ],
    ids=[
        "node",
        "node, plain",
        "ganache estimates",
        "raw",
        "openethereum",
        "ganache",
        "eth-tester",
        "eth-tester, bare",
    ],
)
def test_every_shape_of_a_revert_is_the_same_error(foreign: Exception) -> None:
    data = revert_data(foreign)
    assert data == WRONG_VALUE
    error = contract_error(data)
    assert isinstance(error, WrongValue)
    assert (error.got_wei, error.expected_wei) == (1, 5)


def test_eth_testers_own_reading_of_an_error_with_a_text_is_undone() -> None:
    types = ["string", "uint256", "uint256", "uint256"]
    raw = revert("TermOutOfBounds(string,uint256,uint256,uint256)", types, ["seats", 17, 1, 16])
    foreign = TransactionFailed("execution reverted: seats")
    foreign.__cause__ = RuntimeError(raw)
    error = contract_error(revert_data(foreign) or b"")
    assert isinstance(error, TermOutOfBounds)
    assert (error.term, error.got_value, error.least, error.most) == ("seats", 17, 1, 16)


@pytest.mark.parametrize(
    ("foreign", "reason"),
    [
        (ContractLogicError("execution reverted: not today", data=None), "not today"),
        (rpc({"code": 3, "message": "execution reverted: not today"}), "not today"),
        (TransactionFailed("execution reverted: not today"), "not today"),
        (TransactionFailed("execution reverted: b''"), "it gave no reason"),
        (ContractLogicError("execution reverted", data="0x"), "it gave no reason"),
        (ContractLogicError("Panic", data="0x4e487b71" + "11".zfill(64)), "a number overflowed"),
        (ContractLogicError("Panic", data="0x4e487b71" + "51".zfill(64)), "code 0x51"),
        (ContractLogicError("odd", data="0xdeadbeef"), "data 0xdeadbeef"),
        (ContractLogicError("short", data=HEX[:-2]), "unreadable data 0x"),
    ],
)
def test_a_revert_that_is_none_of_the_contracts_errors_says_what_is_known(foreign: Exception, reason: str) -> None:
    data = revert_data(foreign)
    assert data is not None
    error = contract_error(data)
    assert isinstance(error, Reverted)
    assert reason in error.reason


@pytest.mark.parametrize(
    "foreign",
    [
        rpc({"code": -32005, "message": "query returned more than 10000 results"}),
        rpc({"code": -32003, "message": "nonce too low"}),
        TransactionNotFound("Transaction with hash 0x11 not found."),
        ValueError("execution reverted"),
        ChainAway("http://127.0.0.1:8545", "no connection can be made"),
    ],
)
def test_what_is_no_revert_is_not_taken_for_one(foreign: Exception) -> None:
    assert revert_data(foreign) is None
