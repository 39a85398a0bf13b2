"""What a played story came to, as ``chain demo --json`` prints it."""

from __future__ import annotations

from dataclasses import asdict
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from chain_common.adapters.accounts import FileKeyring
from chain_common.adapters.loan_csv import read_loans
from chain_common.adapters.stores import open_store
from chain_common.domain.content_id import digest_from_cid
from chain_common.domain.display_metrics import display_metrics
from chain_common.domain.loan_table import labelled
from chain_common.domain.model_secrets import rows_from_bytes
from chain_common.domain.model_spec import ModelSpec
from chain_common.domain.spec_parts import DampedStep
from chain_common.domain.statistics import StatisticsAccumulator
from chain_common.services.views import Scores


def pooled_scores(spec: ModelSpec, owner_files: tuple[bytes, ...], lender_home: Path, password: str) -> Scores:
    """Train in the clear on all data owners' rows at once and measure on the lender's closing set.

    The demo owns every home, so it can do what no party of the protocol can: read everybody's rows. The fit minimises
    the same loss with the same damping as one data owner who had all the rows.
    """
    sums = StatisticsAccumulator(spec.n_weights, spec.loss, class_weights=spec.class_weights)
    for file in owner_files:
        rows = labelled(read_loans(BytesIO(file), spec.columns), spec.target, one_class_is_enough=True)
        sums.add(spec.encode(rows.table.columns), rows.labels)
    statistics = sums.result()
    rule = spec.rule if isinstance(spec.rule, DampedStep) else DampedStep()
    damping = max(rule.damping_floor, rule.damping * spec.n_weights / statistics.n_rows)
    penalty = np.full(spec.n_weights, damping)
    penalty[-1] = 0.0
    weights = np.linalg.solve(statistics.gram + np.diag(penalty), statistics.moment)

    keyring = FileKeyring(lender_home)
    keyring.unlock(password)
    name = next(name for name in keyring.secrets.names("bounties/") if name.endswith("/rows/closing"))
    closing = rows_from_bytes(keyring.secrets.get(name))
    keyring.lock()
    measured = display_metrics(closing.inputs / 2.0**12 @ weights, closing.labels)
    return Scores(auc=measured.auc, ks=measured.ks, brier=measured.brier, accuracy=measured.accuracy)


def read_spec(storage_url: str, cid: str) -> ModelSpec:
    """Read a model spec from the content store."""
    return ModelSpec.from_bytes(open_store(storage_url).get(digest_from_cid(cid)))


def summary(
    *,
    chain: str,
    model: dict[str, Any],
    pooled: Scores,
    owners: list[dict[str, Any]],
    seconds: float,
) -> dict[str, Any]:
    """Put the JSON object together from the lender's model page and what the data owners' pages say they were paid.

    Parameters
    ----------
    model
        The lender's model page as JSON.
    owners
        ``address``, ``rows``, ``reward_wei`` each; the reward is what was claimed, without the stake.
    """
    card = model["card"]
    paid = sum(owner["reward_wei"] for owner in owners)
    bounty = int(card["bounty_wei"])
    ended = next(event for event in model["timeline"] if event["name"] == "Ended")
    bond = sum(
        int(event["arguments"]["bond"]) for event in model["timeline"] if event["name"] in ("ModelCreated", "ToppedUp")
    )
    refunded = int(ended["arguments"]["returned"]) - bond
    rounds = [
        {
            "contributions": each["seats_taken"],
            "loss_before": int(each["loss_before"]),
            "loss_after": int(each["loss_after"]),
            "reward_wei": int(each["money_wei"]),
        }
        for each in reversed(model["rounds"])
    ]
    return {
        "ok": paid + refunded == bounty and card["state"] == "ended",
        "chain": chain,
        "model_id": card["model_id"],
        "reached_target": card["progress"] >= 1,
        "rounds": rounds,
        "initial": model["closing_start"],
        "final": model["closing_final"],
        "pooled": asdict(pooled),
        "bounty_wei": bounty,
        "paid_wei": paid,
        "refunded_wei": refunded,
        "owners": owners,
        "seconds": round(seconds, 1),
    }
