"""Generate the sample files in this folder: loans that never were, in Lending Club's columns and text forms.

Run ``python data/generate_sample.py`` to write them anew; the same seed gives the same bytes of text. Only uniform
numbers are drawn (their stream is stable over NumPy's versions) and everything else is computed from them. How the
columns depend on each other, and default on them, is set by the constants below; ``README.md`` is the data card.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FOLDER = Path(__file__).parent

COLUMNS = (
    "loan_amnt",
    "term",
    "int_rate",
    "installment",
    "emp_length",
    "home_ownership",
    "annual_inc",
    "verification_status",
    "issue_d",
    "loan_status",
    "pymnt_plan",
    "purpose",
    "dti",
    "delinq_2yrs",
    "earliest_cr_line",
    "inq_last_6mths",
    "mths_since_last_delinq",
    "mths_since_last_record",
    "open_acc",
    "pub_rec",
    "revol_bal",
    "revol_util",
    "total_acc",
    "recoveries",
    "pub_rec_bankruptcies",
)

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

FIRST_ISSUE = 12 * 2010
"""January 2010, in months since year 0; loans are issued over the 36 months from there."""

EMPLOYMENT = ("< 1 year", "1 year", *(f"{years} years" for years in range(2, 10)), "10+ years", "n/a")
EMPLOYMENT_SHARES = (0.11, 0.08, 0.11, 0.10, 0.085, 0.08, 0.055, 0.045, 0.037, 0.031, 0.24, 0.027)

PURPOSES = (
    ("debt_consolidation", 0.47, 0.05),
    ("credit_card", 0.14, -0.20),
    ("other", 0.09, 0.10),
    ("home_improvement", 0.075, -0.05),
    ("major_purchase", 0.055, -0.20),
    ("small_business", 0.045, 0.75),
    ("car", 0.04, -0.25),
    ("wedding", 0.024, -0.25),
    ("medical", 0.018, 0.10),
    ("moving", 0.015, 0.10),
    ("house", 0.010, 0.05),
    ("vacation", 0.009, 0.0),
    ("educational", 0.006, 0.25),
    ("renewable_energy", 0.003, 0.20),
)
"""Name, share, and what it adds to the log-odds of default."""

HOMES = (("RENT", 0.475, 0.08), ("MORTGAGE", 0.445, -0.08), ("OWN", 0.076, 0.05), ("OTHER", 0.004, 0.2))
"""Name, share, and what it adds to the log-odds of default."""

INTERCEPT = -1.98
"""Log-odds of default of a borrower at the centre of every column; makes 15 % of the loans bad."""

STRENGTH = 0.83
"""Scales what the columns add to the log-odds; makes the best linear model's AUC about 0.70."""


class Uniforms:
    """Draws from one seeded stream of uniform numbers, and what is computed from them."""

    def __init__(self, seed: int, n_rows: int) -> None:
        self._stream = np.random.Generator(np.random.PCG64(seed))
        self._n_rows = n_rows

    def uniform(self) -> Floats:
        """Draw uniform numbers in [0, 1)."""
        return self._stream.random(self._n_rows)

    def normal(self) -> Floats:
        """Draw standard normal numbers by the inverse distribution function."""
        inverse = NormalDist().inv_cdf
        return np.array([inverse(min(max(float(u), 1e-12), 1 - 1e-12)) for u in self.uniform()])

    def count(self, mean: Floats) -> NDArray[np.int64]:
        """Draw Poisson counts up to 40 by adding up probabilities."""
        u = self.uniform()
        probability = np.exp(-mean)
        total, counts = probability.copy(), np.zeros(self._n_rows, dtype=np.int64)
        for k in range(1, 41):
            counts += u >= total
            probability = probability * mean / k
            total += probability
        return counts

    def choice(self, shares: tuple[float, ...]) -> NDArray[np.int64]:
        """Draw places in a list by their shares; what is missing to 1 goes to the last."""
        return np.minimum(np.searchsorted(np.cumsum(shares), self.uniform(), side="right"), len(shares) - 1)


@dataclass(frozen=True, slots=True)
class Borrowers:
    """What the columns are computed from; arrays of (n_rows,)."""

    quality: Floats
    income: Floats
    amount: Floats
    is_long: NDArray[np.bool_]
    rate: Floats
    dti: Floats
    history_months: Floats
    utilisation: Floats
    inquiries: NDArray[np.int64]
    public_records: NDArray[np.int64]
    delinquencies: NDArray[np.int64]
    purpose: NDArray[np.int64]
    home: NDArray[np.int64]


def draw_borrowers(draw: Uniforms) -> Borrowers:
    """Draw applicants: one latent quality ties their columns together, and the rate is set from what a lender sees."""
    quality = draw.normal()
    income = np.exp(10.98 + 0.12 * quality + 0.52 * draw.normal())
    income = np.clip(np.where(draw.uniform() < 0.7, np.round(income, -3), np.round(income)), 8000, 900_000)
    amount = np.exp(9.12 + 0.45 * np.log(income / 60_000) + 0.58 * draw.normal())
    amount = np.clip(25 * np.round(amount / 25), 1000, 35_000)
    is_long = draw.uniform() < 1 / (1 + np.exp(1.35 - 0.8 * np.log(amount / 10_000)))
    dti = np.clip(13.4 - 0.8 * quality - 2.0 * np.log(income / 60_000) + 6.5 * draw.normal(), 0, 35)
    history = np.clip(np.exp(5.0 + 0.15 * quality + 0.5 * draw.normal()), 38, 620)
    utilisation = np.clip(49 - 13 * quality + 25 * draw.normal(), 0, 105)
    inquiries = np.minimum(draw.count(np.exp(-0.28 - 0.22 * quality)), 8)
    public_records = np.minimum(draw.count(np.exp(-3.0 - 0.45 * quality)), 4)
    delinquencies = np.minimum(draw.count(np.exp(-2.1 - 0.4 * quality)), 8)
    risk = (
        -0.75 * quality
        + 0.30 * (utilisation - 49) / 28
        + 0.22 * (inquiries - 0.87)
        + 0.45 * public_records
        + 0.15 * np.log(amount / 10_000)
        - 0.20 * np.log(history / 150)
        + 0.75 * is_long
        + 0.45 * draw.normal()
    )
    # Lending Club's rates came in about 35 steps, from the best to the worst sub-grade.
    step = np.clip(np.round(12 + 6.2 * risk), 0, 34)
    rate = np.round(5.42 + 0.545 * step, 2)
    return Borrowers(
        quality=quality,
        income=income,
        amount=amount,
        is_long=is_long,
        rate=rate,
        dti=dti,
        history_months=np.round(history),
        utilisation=utilisation,
        inquiries=inquiries,
        public_records=public_records,
        delinquencies=delinquencies,
        purpose=draw.choice(tuple(share for _, share, _ in PURPOSES)),
        home=draw.choice(tuple(share for _, share, _ in HOMES)),
    )


def log_odds(who: Borrowers) -> Floats:
    """Give the log-odds of default, (n_rows,), as a function of what the file shows."""
    effect = (
        0.62 * (who.rate - 12.2) / 3.8
        + 0.42 * (who.is_long - 0.25)
        - 0.42 * np.log(who.income / 60_000)
        + 0.16 * (who.utilisation - 49) / 28
        + 0.20 * (np.minimum(who.inquiries, 4) - 0.87)
        + 0.25 * (who.public_records > 0)
        + 0.06 * (who.dti - 13.4) / 6.7
        + 0.10 * np.log(who.amount / 10_000)
        - 0.05 * np.log(who.history_months / 150)
        + np.array([effect for _, _, effect in PURPOSES])[who.purpose]
        + np.array([effect for _, _, effect in HOMES])[who.home]
    )
    return INTERCEPT + STRENGTH * effect


def month_text(months: float) -> str:
    """Write months since year 0 as "Dec-2011"."""
    return f"{MONTHS[int(months) % 12]}-{int(months) // 12}"


def draw_rows(seed: int, n_rows: int) -> list[list[str]]:
    """Draw finished loans as text cells, n_rows lists in the order of ``COLUMNS``."""
    draw = Uniforms(seed, n_rows)
    who = draw_borrowers(draw)
    is_bad = draw.uniform() < 1 / (1 + np.exp(-log_odds(who)))
    is_default = draw.uniform() < 0.01
    months = np.where(who.is_long, 60, 36)
    monthly = who.rate / 1200
    instalment = np.round(who.amount * monthly / (1 - (1 + monthly) ** -months), 2)
    recovered = np.where(is_bad & (draw.uniform() < 0.5), 0.06 * who.amount * draw.uniform(), 0.0)
    issue = FIRST_ISSUE + np.floor(36 * np.sqrt(draw.uniform()))
    employment = draw.choice(EMPLOYMENT_SHARES)
    verification = draw.choice((0.43, 0.25, 0.32))
    open_accounts = 2 + draw.count(np.exp(1.95 + 0.10 * np.log(who.income / 60_000)))
    total_accounts = open_accounts + draw.count(np.exp(2.35 + 0.45 * np.log(who.history_months / 150)))
    balance = np.exp(9.0 + 0.011 * (who.utilisation - 49) + 0.5 * np.log(who.income / 60_000) + 0.8 * draw.normal())
    balance = np.where(who.utilisation < 1, 0, np.round(balance))
    since_delinquency = np.where(who.delinquencies > 0, 24 * draw.uniform(), 24 + 60 * draw.uniform())
    shows_delinquency = (who.delinquencies > 0) | (draw.uniform() < 0.27)
    since_record = 20 + 99 * draw.uniform()
    bankruptcies = np.where(draw.uniform() < 0.75, np.minimum(who.public_records, 1), 0)
    lacks_utilisation = draw.uniform() < 0.002
    lacks_bankruptcies = draw.uniform() < 0.015
    rows = []
    for i in range(n_rows):
        status = "Fully Paid" if not is_bad[i] else "Default" if is_default[i] else "Charged Off"
        rows.append(
            [
                f"{who.amount[i]:.0f}",
                f" {months[i]} months",
                f"{who.rate[i]:6.2f}%",
                f"{instalment[i]:.2f}".rstrip("0").rstrip("."),
                EMPLOYMENT[employment[i]],
                HOMES[who.home[i]][0],
                f"{who.income[i]:.0f}",
                ("Not Verified", "Source Verified", "Verified")[verification[i]],
                month_text(issue[i]),
                status,
                "n",
                PURPOSES[who.purpose[i]][0],
                f"{who.dti[i]:.2f}".rstrip("0").rstrip("."),
                f"{who.delinquencies[i]}",
                month_text(issue[i] - who.history_months[i]),
                f"{who.inquiries[i]}",
                f"{since_delinquency[i]:.0f}" if shows_delinquency[i] else "",
                f"{since_record[i]:.0f}" if who.public_records[i] else "",
                f"{open_accounts[i]}",
                f"{who.public_records[i]}",
                f"{balance[i]:.0f}",
                "" if lacks_utilisation[i] else f"{who.utilisation[i]:.1f}".removesuffix(".0") + "%",
                f"{total_accounts[i]}",
                f"{recovered[i]:.0f}",
                "" if lacks_bankruptcies[i] else f"{bankruptcies[i]}",
            ]
        )
    return rows


def file_text(seed: int, *, n_finished: int, n_unfinished: int, n_outside: int) -> str:
    """Write a file's text in Lending Club's layout.

    Parameters
    ----------
    n_finished
        Loans with an outcome; they alone are used.
    n_unfinished
        Loans without one, spread between them.
    n_outside
        Loans in the section of those that do not meet the credit policy; no section where it is 0.
    """
    rows = draw_rows(seed, n_finished + n_unfinished + n_outside)
    status = COLUMNS.index("loan_status")
    open_states = ("Current", "Current", "Current", "Late (31-120 days)", "In Grace Period")
    every = n_finished // max(1, n_unfinished) + 1
    for order, row in enumerate(rows[every - 1 : n_finished + n_unfinished : every]):
        row[status] = open_states[order % len(open_states)]
    for row in rows[n_finished + n_unfinished :]:
        row[status] = f"Does not meet the credit policy. Status:{row[status]}"
    out = io.StringIO()
    out.write("Generated sample data: no loan in this file is real, see data/README.md\n")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(rows[: n_finished + n_unfinished])
    if n_outside:
        out.write("\n\nLoans that do not meet the credit policy\n")
        writer.writerows(rows[n_finished + n_unfinished :])
    funded = sum(int(row[0]) for row in rows)
    out.write(f"\n\nTotal amount funded in policy code 1: {funded}\n")
    return out.getvalue()


def sample_files() -> Iterator[tuple[str, str]]:
    """Yield name and text of every sample file."""
    yield "sample_loans.csv.gz", file_text(20_171, n_finished=16_000, n_unfinished=160, n_outside=240)
    yield "sample_validation.csv", file_text(20_174, n_finished=4_000, n_unfinished=25, n_outside=0)
    yield "sample_owner.csv", file_text(20_173, n_finished=2_000, n_unfinished=30, n_outside=40)


def main() -> None:
    """Write the files beside this program."""
    for name, text in sample_files():
        raw = text.encode()
        if name.endswith(".gz"):
            raw = gzip.compress(raw, compresslevel=9, mtime=0)
        (FOLDER / name).write_bytes(raw)
        print(f"{name}: {len(raw):,} bytes")


if __name__ == "__main__":
    main()
