"""The compiled contract as the library ships it: interface, creation code and what the code is once deployed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

AbiEntry = Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Artifact:
    """What the compiler made of a contract.

    Parameters
    ----------
    name
        The contract's.
    abi
        Its functions, events and errors, as in Solidity's JSON.
    creation_code
        What a transaction without receiver runs to deploy it.
    deployed_code
        What lies at its address afterwards, zero where immutables go.
    immutables
        Start and length in bytes of each place of an immutable.
    """

    name: str
    abi: Sequence[AbiEntry]
    creation_code: bytes
    deployed_code: bytes
    immutables: Sequence[tuple[int, int]]

    def of_type(self, kind: str) -> dict[str, AbiEntry]:
        """Return the ``function``, ``event`` or ``error`` entries of the interface by name."""
        return {entry["name"]: entry for entry in self.abi if entry["type"] == kind}

    def is_code(self, code: bytes) -> bool:
        """Tell whether the code found at an address is this contract's, whatever its immutables hold."""
        if len(code) != len(self.deployed_code):
            return False
        blanked = bytearray(code)
        for start, length in self.immutables:
            blanked[start : start + length] = bytes(length)
        return bytes(blanked) == self.deployed_code


def abi_entry(entry: AbiEntry) -> Any:  # noqa: ANN401 - eth_utils types each kind of entry as a dictionary of its own
    """Return an entry of an interface as ``eth_utils`` wants it."""
    return dict(entry)


@cache
def model_repository() -> Artifact:
    """Return the artifact of ``ModelRepository``."""
    return read_artifact((files("chain_common") / "artifacts" / "ModelRepository.json").read_text("utf-8"))


def read_artifact(text: str) -> Artifact:
    """Read an artifact as ``make contracts`` writes it."""
    written = json.loads(text)
    return Artifact(
        name=written["contractName"],
        abi=tuple(written["abi"]),
        creation_code=bytes.fromhex(written["bytecode"].removeprefix("0x")),
        deployed_code=bytes.fromhex(written["deployedBytecode"].removeprefix("0x")),
        immutables=tuple((place["start"], place["length"]) for place in written["immutableReferences"]),
    )
