"""Between the contract's structs and the library's records, field by field, by name.

A Solidity name in camel case is the record's name in snake case; a record adds the unit where Solidity has none
(``stake`` is ``stake_wei``, ``best`` is ``best_loss``). A struct that has a field no record knows cannot be read, so a
contract that has moved on is noticed at the first call.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from enum import IntEnum
from functools import cache
from typing import Any, Final, get_type_hints

from eth_abi.abi import encode
from eth_abi.exceptions import EncodingError
from eth_utils.abi import collapse_if_tuple, function_abi_to_4byte_selector, get_abi_input_types
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from chain_common.adapters.ledger_artifact import AbiEntry, abi_entry, model_repository
from chain_common.domain.calls import (
    Call,
    Claim,
    Contribute,
    CreateModel,
    End,
    FailRound,
    Reclaim,
    Settle,
    SettleClosing,
    TopUp,
    Withdraw,
)
from chain_common.domain.repository import Address, Contribution, Model, Rejection, Round, RoundState, Seat, Terms
from chain_common.errors import BadInput

_UNITS: Final = ("", "_wei", "_s", "_loss")
_CAPITAL: Final = re.compile(r"(?<!^)([A-Z])")


@dataclass(frozen=True, slots=True)
class Request:
    """A call as the contract takes it: function, encoded call, wei sent with it."""

    function: str
    data: bytes
    value_wei: int


@dataclass(frozen=True, slots=True)
class _Shape:
    """A call's function, the fields that are its arguments, and those whose sum is sent with it."""

    function: str
    arguments: tuple[str, ...]
    paid: tuple[str, ...] = ()


_SHAPES: Final[Mapping[type[Call], _Shape]] = {
    CreateModel: _Shape(
        "createModel", ("bounty_wei", "bond_wei", "publication", "terms"), paid=("bounty_wei", "bond_wei")
    ),
    TopUp: _Shape("topUp", ("model_id", "bounty_wei", "bond_wei"), paid=("bounty_wei", "bond_wei")),
    Contribute: _Shape("contribute", ("model_id", "contribution"), paid=("stake_wei",)),
    Settle: _Shape("settle", ("model_id", "report")),
    FailRound: _Shape("failRound", ("model_id",)),
    End: _Shape("end", ("model_id",)),
    SettleClosing: _Shape("settleClosing", ("model_id", "losses")),
    Reclaim: _Shape("reclaim", ("model_id",)),
    Claim: _Shape("claim", ("model_id", "round", "seat")),
    Withdraw: _Shape("withdraw", ()),
}


def request_of(call: Call) -> Request:
    """Return what to send for a call.

    Raises
    ------
    BadInput
        If a number is too large for the contract's types, or a digest has the wrong length.
    """
    shape = _SHAPES[type(call)]
    entry = model_repository().of_type("function")[shape.function]
    arguments = tuple(
        struct(each, getattr(call, name)) if each["type"] == "tuple" else _plain(getattr(call, name))
        for each, name in zip(entry["inputs"], shape.arguments, strict=True)
    )
    try:
        encoded = encode(get_abi_input_types(abi_entry(entry)), arguments)
    except EncodingError as error:
        raise BadInput(
            f"The contract cannot hold what {shape.function} is called with: {error}.",
            do="Choose smaller amounts or numbers.",
        ) from error
    selector = function_abi_to_4byte_selector(abi_entry(entry))
    return Request(shape.function, selector + encoded, sum(getattr(call, name) for name in shape.paid))


def struct(entry: AbiEntry, record: Any) -> tuple[Any, ...]:  # noqa: ANN401 - a record of any kind
    """Return a record as the tuple of a Solidity struct.

    Parameters
    ----------
    entry
        The struct's entry in the interface; its ``components`` give the order.
    """
    kind: type = type(record)
    names = (field_of(kind, component["name"]) for component in entry["components"])
    return tuple(_plain(getattr(record, name)) for name in names)


def described(entry: AbiEntry, value: Any) -> object:  # noqa: ANN401 - a record, or what one is made of
    """Return a value as events have it: a record as a dictionary by Solidity's names, bytes as ``0x`` and digits."""
    if entry["type"] == "tuple":
        kind: type = type(value)
        return {
            each["name"]: described(each, getattr(value, field_of(kind, each["name"]))) for each in entry["components"]
        }
    plain = _plain(value)
    return "0x" + plain.hex() if isinstance(plain, bytes) else plain


def commitment_of(contribution: Contribution) -> bytes:
    """Return what the contract keeps of a contribution, ``keccak256(abi.encode(contribution))``."""
    entry = model_repository().of_type("function")["contribute"]["inputs"][1]
    return keccak(encode([collapse_if_tuple(abi_entry(entry))], [struct(entry, contribution)]))


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever the field holds
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return int(value) if isinstance(value, IntEnum) else value


def model_of(model_id: int, values: Sequence[Any]) -> Model:
    """Read what ``model`` returned."""
    return Model(model_id=model_id, **_fields(Model, "model", values))


def terms_of(values: Sequence[Any]) -> Terms:
    """Read what ``terms`` returned."""
    return Terms(**_fields(Terms, "terms", values))


def round_of(model_id: int, number: int, values: Sequence[Any]) -> Round:
    """Read what ``round`` returned: a byte a seat of shares and rejections, once it is settled."""
    read = _fields(Round, "round", values)
    n_seats = read["seats"] if read["state"] is RoundState.SETTLED else 0
    read["shares"] = tuple(read["shares"][:n_seats])
    read["rejections"] = tuple(Rejection(code) for code in read["rejections"][:n_seats])
    return Round(model_id=model_id, number=number, **read)


def seat_of(model_id: int, number: int, index: int, values: Sequence[Any]) -> Seat:
    """Read what ``seat`` returned."""
    return Seat(model_id=model_id, round=number, index=index, **_fields(Seat, "seat", values))


def _fields(record: type, function: str, values: Sequence[Any]) -> dict[str, Any]:
    components = model_repository().of_type("function")[function]["outputs"][0]["components"]
    hints = _hints(record)
    read = {}
    for component, value in zip(components, values, strict=True):
        name = field_of(record, component["name"])
        read[name] = _typed(hints[name], value)
    return read


def _typed(hint: Any, value: Any) -> Any:  # noqa: ANN401 - whatever the field holds
    if hint is Address:
        return Address(to_checksum_address(value))
    if isinstance(hint, type) and issubclass(hint, IntEnum):
        return hint(value)
    return value


@cache
def _hints(record: type) -> Mapping[str, Any]:
    return get_type_hints(record)


@cache
def field_of(record: type, solidity_name: str) -> str:
    """Return the record's name of a struct's field. Raises ``LookupError`` if it has none."""
    snake = _CAPITAL.sub(r"_\1", solidity_name).lower()
    known = {field.name for field in fields(record)}
    for unit in _UNITS:
        if snake + unit in known:
            return snake + unit
    raise LookupError(f"{record.__name__} has no field for {solidity_name}")
