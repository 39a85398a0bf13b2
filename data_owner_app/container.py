"""Builds the app's parts from its settings; the only place of the app that knows adapters."""

from __future__ import annotations

from dataclasses import dataclass

from chain_common.adapters.csv_source import ReadLimits
from chain_common.adapters.heartbeat import Heartbeat
from chain_common.adapters.loan_csv import CsvLoanReader
from chain_common.adapters.runtime import AppParts, open_runtime
from chain_common.services.data_owner.data_owner import DataOwner
from chain_common.settings import Settings


@dataclass(frozen=True, slots=True, eq=False)
class Container(AppParts):
    """The app's parts, for ``create_app``."""

    data_owner: DataOwner


def open_container(settings: Settings) -> Container:
    """Open the app's home and wire its use cases.

    Raises
    ------
    HomeInUse
        If another process of the app works in the home.
    """
    runtime = open_runtime(settings, "data-owner")
    limits = ReadLimits(file_bytes=settings.max_upload_bytes)
    data_owner = DataOwner.of(runtime.world, CsvLoanReader(limits))
    return Container(runtime, Heartbeat(data_owner.watch), data_owner)
