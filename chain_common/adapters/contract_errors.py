"""From what a failed call returns to our errors.

The same revert comes in several shapes: a node over HTTP gives the data as hex, Ganache inside an object of its own
when it estimates, eth-tester as the text of a Python ``bytes`` literal inside a message. Here they become bytes, and
the bytes become the error of :mod:`chain_common.contract_errors` with the same name.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError
from eth_utils.abi import abi_to_signature, function_signature_to_4byte_selector, get_abi_input_types
from eth_utils.address import to_checksum_address
from web3.exceptions import ContractLogicError, Web3RPCError

from chain_common.adapters.ledger_artifact import abi_entry, model_repository
from chain_common.chain_errors import Reverted
from chain_common.contract_errors import CONTRACT_ERRORS, ContractError
from chain_common.errors import RuleBroken

# Solidity's own: require and revert with a text, and the checks it adds itself.
_TEXT: Final = bytes.fromhex("08c379a0")
_PANIC: Final = bytes.fromhex("4e487b71")
_PANICS: Final = {
    0x01: "an assertion failed",
    0x11: "a number overflowed",
    0x12: "a division by zero",
    0x21: "a value is in no list of choices",
    0x32: "an index is out of bounds",
}
_TESTER_REVERT: Final = re.compile(r"(?:execution reverted: )?(b(?:'.*'|\".*\"))", re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Known:
    error: type[ContractError]
    types: tuple[str, ...]


@cache
def errors_by_selector() -> Mapping[bytes, _Known]:
    """Return each of our contract errors, with the types of its facts, by the first four bytes of its data.

    Raises ``KeyError`` for a custom error that has no class: the library and its artifact do not fit.
    """
    registry = {}
    for name, entry in model_repository().of_type("error").items():
        types = tuple(get_abi_input_types(abi_entry(entry)))
        registry[function_signature_to_4byte_selector(abi_to_signature(abi_entry(entry)))] = _Known(
            CONTRACT_ERRORS[name], types
        )
    return registry


def contract_error(data: bytes) -> RuleBroken:
    """Turn the data of a revert into our error.

    Parameters
    ----------
    data
        Selector and ABI-encoded facts; empty for a plain revert.
    """
    selector, facts = data[:4], data[4:]
    known = errors_by_selector().get(selector)
    try:
        if known is not None:
            return known.error(*map(_fact, known.types, decode(known.types, facts)))
        if selector == _TEXT:
            return Reverted(str(decode(["string"], facts)[0]))
        if selector == _PANIC:
            code = decode(["uint256"], facts)[0]
            return Reverted(_PANICS.get(code, f"a check of the compiler's own, code 0x{code:02x}"))
    except (DecodingError, UnicodeDecodeError, ValueError):
        # Only another contract at this address can give our selector with facts that are none.
        return Reverted(f"unreadable data 0x{data[:36].hex()}")
    return Reverted(f"data 0x{data[:36].hex()}" if data else "it gave no reason")


def _fact(kind: str, value: Any) -> Any:  # noqa: ANN401 - a fact is whatever its ABI type says
    return to_checksum_address(value) if kind == "address" else value


def revert_data(error: Exception) -> bytes | None:
    """Return the data of the revert that a foreign exception reports, or ``None`` if it reports none.

    A revert with a text and no data is encoded as Solidity would have encoded it.
    """
    if isinstance(error, ContractLogicError):
        return _data_of(error.data) or _text_data(str(error.message or ""))
    if isinstance(error, Web3RPCError):
        said: Any = (error.rpc_response or {}).get("error") or {}
        message = str(said.get("message", ""))
        if "revert" not in message.lower():
            return None
        return _data_of(said.get("data")) or _text_data(message)
    if type(error).__name__ == "TransactionFailed":
        return _tester_data(error)
    return None


def _data_of(data: object) -> bytes:
    if isinstance(data, Mapping):
        # Ganache, when it estimates.
        data = data.get("result")
    # Some nodes write "Reverted 0x…".
    digits = data.rpartition("0x")[2] if isinstance(data, str) else ""
    try:
        return bytes.fromhex(digits)
    except ValueError:
        return b""


def _tester_data(error: BaseException) -> bytes:
    match = _TESTER_REVERT.fullmatch(str(error))
    if match:
        return bytes(ast.literal_eval(match.group(1)))
    # When it estimates, it takes any error whose first fact is a text for a plain one; the virtual machine's own
    # exception, from which its was made, still has the bytes.
    cause = error.__cause__ or error.__context__
    while cause is not None:
        if cause.args and isinstance(cause.args[0], bytes):
            return cause.args[0]
        cause = cause.__cause__ or cause.__context__
    return _text_data(str(error))


def _text_data(message: str) -> bytes:
    """Encode the reason in a message as ``Error(string)``; nothing if there is none."""
    reason = message.partition("revert")[2].removeprefix("ed").strip(": ")
    return text_revert(reason) if reason else b""


def text_revert(reason: str) -> bytes:
    """Return the data of a revert with a text, as Solidity encodes it."""
    return _TEXT + encode(["string"], [reason])
