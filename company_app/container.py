"""Builds the app's parts from its settings; the only place of the app that knows adapters."""

from __future__ import annotations

from dataclasses import dataclass

from chain_common.adapters.csv_source import ReadLimits
from chain_common.adapters.heartbeat import Heartbeat
from chain_common.adapters.loan_csv import CsvLoanReader
from chain_common.adapters.presets import PackagedPresets
from chain_common.adapters.runtime import AppParts, open_runtime
from chain_common.services.lender.lender import Lender
from chain_common.settings import Settings


@dataclass(frozen=True, slots=True, eq=False)
class Container(AppParts):
    """The app's parts, for ``create_app``."""

    lender: Lender


def open_container(settings: Settings) -> Container:
    """Open the app's home and wire its use cases.

    Raises
    ------
    HomeInUse
        If another process of the app works in the home.
    """
    runtime = open_runtime(settings, "company")
    limits = ReadLimits(file_bytes=settings.max_upload_bytes)
    lender = Lender.of(runtime.world, CsvLoanReader(limits), PackagedPresets(), key_bits=settings.key_bits)
    return Container(runtime, Heartbeat(lender.models.watch), lender)
