"""One file, split among the people of the demo."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Final

import numpy as np

from chain_common.adapters.loan_csv import read_loans
from chain_common.domain.loan_table import LabelledLoans, labelled
from chain_common.domain.model_spec import Preset

SEED: Final = 20_261_120
"""Of the split; the same file gives the same people the same rows."""

LENDER_ROWS: Final = 4000
"""Rows of the lender's validation file; of a smaller file, two fifths (protocol §8: 2,000 a set)."""


FIRST_OWNER_ROWS_PER_PLAN: Final = 32
"""Rows of the first data owner for each feature of the preset. It contributes alone and has few rows, so that its round
leaves something to gain for the others."""


@dataclass(frozen=True, slots=True)
class Files:
    """CSV files by person: the lender's validation file, one file per data owner."""

    lender: bytes
    owners: tuple[bytes, ...]
    owner_rows: tuple[int, ...]


def sample_file() -> Path:
    """Return the sample data, shipped with the wheel or beside the checkout's packages."""
    packaged = Path(str(resources.files("chain_common"))) / "sample_data" / "sample_loans.csv.gz"
    beside = Path(str(resources.files("chain_common"))).parent / "data" / "sample_loans.csv.gz"
    return packaged if packaged.exists() else beside


def split(file: Path, preset: Preset, n_owners: int) -> Files:
    """Shuffle the finished loans of a file with :data:`SEED` and give them to the lender and the data owners.

    Raises
    ------
    BadInput
        If the file cannot be read.
    """
    loans = labelled(read_loans(file, preset.columns), preset.target)
    order = np.random.default_rng(SEED).permutation(len(loans.labels))
    n_lender = min(LENDER_ROWS, 2 * len(order) // 5)
    n_first = min(FIRST_OWNER_ROWS_PER_PLAN * len(preset.plans), (len(order) - n_lender) // n_owners)
    first, rest = np.split(order[n_lender:], [n_first])
    parts = [first, *np.array_split(rest, n_owners - 1)]
    return Files(
        lender=_as_csv(loans, order[:n_lender]),
        owners=tuple(_as_csv(loans, part) for part in parts),
        owner_rows=tuple(len(part) for part in parts),
    )


def _as_csv(loans: LabelledLoans, rows: np.ndarray[tuple[int], np.dtype[np.intp]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(loans.table.columns)
    writer.writerows(zip(*(cells[rows] for cells in loans.table.columns.values()), strict=True))
    return text.getvalue().encode()
