"""Compile the contracts and write what Python needs of them.

What is in `contracts/` goes to `chain_common/artifacts/`, what is in `contracts/mocks/` to `tests/artifacts/`:
one JSON file each, with sorted keys. The settings are those of `foundry.toml` and the compiler is the one of
`node_modules`, so nothing is downloaded and the same source gives the same bytes.
"""

import argparse
import json
import os
import sys
import tomllib
from pathlib import Path
from typing import Any

import solcx
from eth_utils.crypto import keccak
from solcx.exceptions import SolcError

ROOT = Path(__file__).resolve().parent.parent
CONTRACTS = ROOT / "contracts"
SHIM = ROOT / "scripts" / "solc_shim.mjs"
# Which sources are compiled, and where what comes of them goes.
DESTINATIONS = {
    "contracts/": ROOT / "chain_common" / "artifacts",
    "contracts/mocks/": ROOT / "tests" / "artifacts",
}
MAX_DEPLOYED_BYTES = 24_576  # EIP-170

Json = dict[str, Any]


def main() -> int:
    """Compile, then write or compare; return the exit status."""
    parser = argparse.ArgumentParser(description="Compile the contracts into JSON artifacts.")
    parser.add_argument("--check", action="store_true", help="compare with the committed ones, write nothing")
    arguments = parser.parse_args()
    sources = {
        str(path.relative_to(ROOT).as_posix()): {"content": path.read_text(encoding="utf-8")}
        for path in sorted(CONTRACTS.rglob("*.sol"))
        if "test" not in path.relative_to(CONTRACTS).parts
    }
    if not sources:
        print("contracts: there are none yet")
        return 0
    try:
        output = compile_sources(sources)
    except SolcError as error:
        print(error.message, file=sys.stderr)
        return 1
    warnings = [
        note["formattedMessage"]
        for note in output.get("errors", [])
        if note.get("sourceLocation", {}).get("file", "").startswith("contracts/")
    ]
    print("\n".join(warnings), end="", file=sys.stderr)
    wanted = artifacts(output)
    complaints = oversized(wanted)
    if arguments.check:
        complaints += stale(wanted) + (["the compiler has warnings"] if warnings else [])
    else:
        write(wanted)
    for complaint in complaints:
        print(f"contracts: {complaint}", file=sys.stderr)
    if not complaints:
        print(f"contracts: {len(wanted)} artifacts {'are up to date' if arguments.check else 'written'}")
    return 1 if complaints else 0


def compile_sources(sources: Json) -> Json:
    """Run the compiler on standard JSON.

    Raises
    ------
    solcx.exceptions.SolcError
        If a source does not compile.
    """
    profile = tomllib.loads((ROOT / "foundry.toml").read_text(encoding="utf-8"))["profile"]["default"]
    settings = {
        "evmVersion": profile["evm_version"],
        "optimizer": {"enabled": profile["optimizer"], "runs": profile["optimizer_runs"]},
        "viaIR": profile["via_ir"],
        "metadata": {"bytecodeHash": profile["bytecode_hash"], "appendCBOR": profile["cbor_metadata"]},
        "remappings": profile["remappings"],
        "outputSelection": {
            "*": {"*": ["abi", "evm.bytecode.object", "evm.deployedBytecode", "evm.methodIdentifiers"]}
        },
    }
    # The shim's first line asks for node, which set-up may have put into .venv.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    job = {"language": "Solidity", "sources": sources, "settings": settings}
    compiled: Json = solcx.compile_standard(job, solc_binary=SHIM, base_path=ROOT)
    return compiled


def artifacts(output: Json) -> dict[Path, Json]:
    """Return the artifact of every deployable contract by the file it belongs in."""
    wanted: dict[Path, Json] = {}
    for source, contracts in sorted(output["contracts"].items()):
        destination = DESTINATIONS.get(source.rpartition("/")[0] + "/")
        if destination is None:
            continue
        for name, contract in sorted(contracts.items()):
            deployed = contract["evm"]["deployedBytecode"]
            if not deployed["object"]:
                continue
            path = destination / f"{name}.json"
            if path in wanted:
                raise ValueError(f"two contracts are called {name}")
            wanted[path] = {
                "contractName": name,
                "sourceName": source,
                "abi": contract["abi"],
                "bytecode": "0x" + contract["evm"]["bytecode"]["object"],
                "deployedBytecode": "0x" + deployed["object"],
                "immutableReferences": [
                    place for _, places in sorted(deployed.get("immutableReferences", {}).items()) for place in places
                ],
                "errors": {selector(entry): entry["name"] for entry in contract["abi"] if entry["type"] == "error"},
                "methodIdentifiers": contract["evm"]["methodIdentifiers"],
            }
    return wanted


def selector(entry: Json) -> str:
    """Return the four bytes, as hex, that a revert with this error of an ABI begins with."""
    signature = f"{entry['name']}({','.join(type_of(field) for field in entry['inputs'])})"
    return "0x" + keccak(text=signature)[:4].hex()


def type_of(field: Json) -> str:
    """Return a field's canonical type; a struct is the tuple of its own fields."""
    kind: str = field["type"]
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(type_of(part) for part in field['components'])}){kind.removeprefix('tuple')}"


def render(artifact: Json) -> str:
    """Return the text of an artifact's file."""
    return json.dumps(artifact, indent=1, sort_keys=True) + "\n"


def oversized(wanted: dict[Path, Json]) -> list[str]:
    """Name the contracts that no chain would deploy."""
    return [
        f"{path.stem} is {size} bytes, over the {MAX_DEPLOYED_BYTES} of EIP-170"
        for path, artifact in wanted.items()
        if (size := len(artifact["deployedBytecode"]) // 2 - 1) > MAX_DEPLOYED_BYTES
    ]


def left_over(wanted: dict[Path, Json]) -> list[Path]:
    """Return the artifact files that belong to no contract any more."""
    return [path for folder in DESTINATIONS.values() for path in folder.glob("*.json") if path not in wanted]


def stale(wanted: dict[Path, Json]) -> list[str]:
    """Name the committed artifacts that are not what the compiler gives."""
    differing = [
        path
        for path, artifact in wanted.items()
        if not path.exists() or path.read_text(encoding="utf-8") != render(artifact)
    ]
    return [f"{path.relative_to(ROOT)} is out of date: run make contracts" for path in differing + left_over(wanted)]


def write(wanted: dict[Path, Json]) -> None:
    """Write the artifacts and remove those that belong to no contract any more."""
    for path in left_over(wanted):
        path.unlink()
    for path, artifact in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(render(artifact), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    sys.exit(main())
