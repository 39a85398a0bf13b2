"""The lender's forms. An answer that is left out keeps its default, so a program sends only what it changes."""

from __future__ import annotations

from collections.abc import Mapping

from chain_common.domain.backup import LEAST_PASSWORD
from chain_common.services.lender.views import BountyChoices, BountyDraft
from chain_common.units import format_ether
from chain_common.web.forms import FormReader, write_duration

LEAST_WINDOW_S = 1  # the contract's own floor on development chains; it checks the longer one elsewhere
LONGEST_WINDOW_S = 90 * 86400


def terms_defaults(choices: BountyChoices) -> dict[str, str]:
    """Return the choices as the form of terms holds them."""
    return {
        "title": choices.title,
        "metric": choices.metric,
        "target_score": f"{choices.target_score:.6f}",
        "bounty_eth": format_ether(choices.bounty_wei),
        "bond_eth": format_ether(choices.bond_wei),
        "stake_eth": format_ether(choices.stake_wei),
        "deadline": write_duration(choices.deadline_s),
        "sharing": choices.sharing,
        "seats": str(choices.seats),
        "pilot_seats": str(choices.pilot_seats),
        "max_rounds": str(choices.max_rounds),
        "close_when_full": "yes" if choices.close_when_full else "no",
        "collect_window": write_duration(choices.collect_window_s),
        "deliver_window": write_duration(choices.deliver_window_s),
        "settle_window": write_duration(choices.settle_window_s),
        "closing_window": write_duration(choices.closing_window_s),
        "audit_demand_window": write_duration(choices.audit_demand_window_s),
        "audit_answer_window": write_duration(choices.audit_answer_window_s),
        "closing_share_percent": str(choices.closing_share_percent),
        "min_gain_percent": f"{choices.min_gain_percent:g}",
        "row_floor": str(choices.row_floor),
    }


def terms_given(draft: BountyDraft, form: Mapping[str, str]) -> dict[str, str]:
    """Return what the form of terms shows: what was typed, else the draft's choices."""
    return {name: form.get(name, known) for name, known in terms_defaults(draft.choices).items()}


def read_terms(draft: BountyDraft, form: Mapping[str, str]) -> BountyChoices:
    """Read the form of terms.

    Raises
    ------
    FormRefused
        With one problem for each answer that cannot be used.
    """
    read = FormReader(terms_given(draft, form))

    def window(name: str, label: str) -> int:
        return read.duration(name, label, least_s=LEAST_WINDOW_S, most_s=LONGEST_WINDOW_S)

    choices = BountyChoices(
        title=read.text("title", "Name", most=100),
        metric=read.choice("metric", "Score that pays", [draft.choices.metric]),
        target_score=read.decimal("target_score", "Target", above=0.0, most=draft.baseline_score, places=5),
        bounty_wei=read.ether("bounty_eth", "Bounty", least_wei=1),
        bond_wei=read.ether("bond_eth", "Bond"),
        stake_wei=read.ether("stake_eth", "Stake"),
        deadline_s=read.duration("deadline", "Deadline", least_s=LEAST_WINDOW_S),
        seats=read.whole("seats", "Seats in a round", least=1, most=16),
        pilot_seats=read.whole("pilot_seats", "Seats in the first round", least=0, most=16),
        max_rounds=read.whole("max_rounds", "Rounds", least=1, most=16),
        close_when_full=read.choice("close_when_full", "A round closes", ["yes", "no"]) == "yes",
        sharing=read.choice("sharing", "Sharing rule", ["shapley", "sequential"]),
        collect_window_s=window("collect_window", "Time to contribute"),
        deliver_window_s=window("deliver_window", "Time to deliver"),
        settle_window_s=window("settle_window", "Time to settle"),
        closing_window_s=window("closing_window", "Time for the closing score"),
        audit_demand_window_s=window("audit_demand_window", "Time to demand an audit"),
        audit_answer_window_s=window("audit_answer_window", "Time to answer an audit"),
        closing_share_percent=read.whole("closing_share_percent", "Held part", least=0, most=100),
        min_gain_percent=read.decimal("min_gain_percent", "Least gain", above=-1e-9, most=50.0, places=0),
        row_floor=read.whole("row_floor", "Rows to bring", least=1, most=1_000_000),
    )
    read.done()
    return choices


def read_top_up(form: Mapping[str, str]) -> int:
    """Read how much is added to a bounty, in wei. Raises ``FormRefused``."""
    read = FormReader(form)
    wei = read.ether("bounty_eth", "Amount", least_wei=1)
    read.done()
    return wei


def read_backup_password(form: Mapping[str, str]) -> str:
    """Read the password a backup is encrypted with, given twice. Raises ``FormRefused``."""
    read, password = FormReader(form), form.get("password", "")
    if len(password) < LEAST_PASSWORD:
        got = f"Password of the backup: {len(password)} characters were given."
        read.refuse("password", got, f"At least {LEAST_PASSWORD} characters.")
    elif password != form.get("password_again", ""):
        read.refuse("password_again", "The two passwords differ.", "Write the same password twice.")
    read.done()
    return password
