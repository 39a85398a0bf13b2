"""Hatchling's hook: what a wheel carries beyond the packages, to run `chain demo` in an empty folder."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SHIM = "chain_common/adapters/solc_shim.mjs"
SAMPLE_DATA = "chain_common/sample_data"
BROWSER_LIBRARIES = "chain_common/web/static/vendor"


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg] # generic only for a type checker
    """Adds the compiler shim and the sample data to a wheel; an editable install has them in the checkout."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Name the extra files, and refuse a wheel that would lack what its pages or its demo need."""
        if version != "standard" or self.target_name != "wheel":
            return
        root = Path(self.root)
        if not any((root / BROWSER_LIBRARIES).glob("*.js")):
            raise FileNotFoundError(f"{BROWSER_LIBRARIES} is empty: run make setup first")
        samples = sorted((root / "data").glob("*.csv*"))
        if not samples:
            raise FileNotFoundError("data holds no CSV for the demo")
        extra = {str(root / "scripts" / "solc_shim.mjs"): SHIM}
        extra |= {str(sample): f"{SAMPLE_DATA}/{sample.name}" for sample in samples}
        build_data["force_include"].update(extra)
