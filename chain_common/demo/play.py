"""``chain demo``: the training story, live in the browser or headless through the apps' own routes."""

from __future__ import annotations

import json
import signal
import sys
import time
import webbrowser
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import click

from chain_common.adapters.presets import PackagedPresets
from chain_common.demo.people import LenderPerson, OwnerPerson
from chain_common.demo.rows import Files, sample_file, split
from chain_common.demo.stage import LENDER_WEI, OWNER_WEI, Stage, open_stage
from chain_common.demo.summary import pooled_scores, read_spec, summary
from chain_common.errors import ChainError

REACH_PART: Final = 0.94
"""The demo's target: this part of the improvement the app says a model of the lender's own rows shows."""

HEADLESS_OWNERS: Final = 8
SEEDED_OWNERS: Final = 3


def play(
    *,
    headless: bool,
    chain: str,
    storage: str,
    data: str | None,
    owners: int | None,
    preset: str,
    as_json: bool,
    browser: bool,
) -> int:
    """Play the story and return the exit status."""
    # A terminated demo takes its chain, its apps and its keys with it, as an interrupted one does.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    n_owners = owners or (HEADLESS_OWNERS if headless else SEEDED_OWNERS)
    started = time.monotonic()
    say("Starting a chain and the apps …")
    files = split(Path(data) if data else sample_file(), PackagedPresets().get(preset), n_owners)
    with open_stage(chain, storage) as stage:
        if not headless:
            return _show(stage, files, preset, browser=browser)
        told = _tell(stage, files, preset, started)
    if as_json:
        click.echo(json.dumps(told))
    else:
        _print_summary(told)
    return 0 if told["ok"] else 1


def say(line: str) -> None:
    """Tell what happens, on standard error: standard output is the summary's."""
    click.echo(line, err=True)


def bounty_terms(n_owners: int, *, collect: str, windows: str, demand: str) -> dict[str, str]:
    """Return the demo's answers on the lender's terms page: a pilot round of one seat, then one of ``n_owners``."""
    return {
        "title": "Consumer loans",
        "bounty_eth": "1",
        "bond_eth": "0.5",
        "stake_eth": "0.001",
        "seats": str(min(16, n_owners)),
        "pilot_seats": "1",
        "max_rounds": "2",
        "close_when_full": "yes",
        "collect_window": collect,
        "deliver_window": windows,
        "settle_window": windows,
        "closing_window": windows,
        "audit_demand_window": demand,
    }


def gather(stage: Stage, n_owners: int) -> tuple[LenderPerson, list[OwnerPerson]]:
    """Start everybody's app, make the accounts and fund them."""
    lender, crowd = stage.lender(), [stage.owner(number) for number in range(1, n_owners + 1)]
    with ThreadPoolExecutor(max_workers=4) as pool:
        list(pool.map(lambda person: person.arrive(), [lender, *crowd]))
    stage.bank.fund(lender.address, LENDER_WEI)
    for owner in crowd:
        stage.bank.fund(owner.address, OWNER_WEI)
    return lender, crowd


def _tell(stage: Stage, files: Files, preset: str, started: float) -> dict[str, Any]:
    """Play the whole story: two rounds, closing score, claims, withdrawals, reclaim."""
    n_owners = len(files.owners)
    lender, crowd = gather(stage, n_owners)
    say(f"{1 + n_owners} apps are up, their accounts funded from the chain's own.")
    terms = bounty_terms(n_owners - 1, collect="10 min", windows="5 min", demand="3 s")
    model_id = lender.post_bounty(files.lender, preset, terms, REACH_PART)
    say(f"The lender posted model {model_id}.")
    crowd[0].contribute(model_id, files.owners[0])
    lender.wait_for_rounds(model_id, 1)
    say("Round 1 is settled: one data owner.")
    if lender.model(model_id)["card"]["state"] == "open":
        with ThreadPoolExecutor(max_workers=n_owners) as pool:
            list(pool.map(lambda owner, rows: owner.contribute(model_id, rows), crowd[1:], files.owners[1:]))
        lender.wait_for_rounds(model_id, 2)
        say(f"Round 2 is settled: {_counted(n_owners - 1, 'data owner')}.")
    page = f"/models/{model_id}"
    ended = lender.client.wait(page, lambda view: view["card"]["state"] in ("closing", "ended"), "the closing score")
    say("The closing score is given.")
    with ThreadPoolExecutor(max_workers=4) as pool:
        rewards = list(pool.map(lambda owner: owner.collect() if owner.contribution else 0, crowd))
    say("Everybody has claimed and withdrawn.")
    lender.client.wait(page, lambda view: view["actions"]["can_reclaim"], "the audit window to end")
    lender.finish_job(lender.client.fill(page, {}, action=f"{page}/reclaim"))
    lender.withdraw()
    view = lender.client.wait(page, _has_ended, "the model to end")
    pooled = pooled_scores(
        read_spec(stage.storage_url, ended["spec_cid"]),
        files.owners,
        lender.app.home / "company",
        stage.password,
    )
    people = [
        {"address": owner.address, "rows": rows, "reward_wei": reward}
        for owner, rows, reward in zip(crowd, files.owner_rows, rewards, strict=True)
    ]
    return summary(chain=stage.chain, model=view, pooled=pooled, owners=people, seconds=time.monotonic() - started)


def _has_ended(view: dict[str, Any]) -> bool:
    return view["card"]["state"] == "ended" and any(event["name"] == "Ended" for event in view["timeline"])


def _show(stage: Stage, files: Files, preset: str, *, browser: bool) -> int:
    """Set the scene, leave the last seat to the visitor, and wait until interrupted."""
    n_seeded = len(files.owners)
    lender, crowd = gather(stage, n_seeded)
    visitor = stage.owner(n_seeded + 1)
    visitor.arrive()
    stage.bank.fund(visitor.address, OWNER_WEI)
    terms = bounty_terms(n_seeded, collect="30 min", windows="15 min", demand="2 min")
    model_id = lender.post_bounty(files.lender, preset, terms, REACH_PART)
    say(f"\n  Lender      {lender.app.url}\n  Data owner  {visitor.app.url}\n  Password    {stage.password}\n")
    say(f"  To contribute, upload {sample_file().with_name('sample_owner.csv')}\n")
    if browser:
        for app in (lender.app, visitor.app):
            webbrowser.open(app.url)
    try:
        crowd[0].contribute(model_id, files.owners[0])
        lender.wait_for_rounds(model_id, 1)
        say("Round 1 is settled: one data owner has been paid its first half.")
        for owner, rows in zip(crowd[1:], files.owners[1:], strict=True):
            owner.contribute(model_id, rows)
        say("Round 2 collects: the last seat is yours. Press Ctrl+C to end the demo.")
    except ChainError as error:
        say(f"{error} The apps go on.")
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        say("\nThe demo has ended; its chain, homes and keys are gone.")
    return 0


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _print_summary(told: dict[str, Any]) -> None:
    """Print the summary for people."""
    ether = 10**18
    initial, final, pooled = told["initial"], told["final"], told["pooled"]
    click.echo(f"\nModel {told['model_id']} on {told['chain']}, {told['seconds']} s")
    for number, each in enumerate(told["rounds"], 1):
        click.echo(
            f"  round {number}: {_counted(each['contributions'], 'contribution')}, loss {each['loss_before']} → "
            f"{each['loss_after']}, {each['reward_wei'] / ether:.6f} ETH"
        )
    click.echo("  on the closing set      AUC     KS  Brier")
    for name, scores in (("start", initial), ("trained encrypted", final), ("pooled in the clear", pooled)):
        if scores is None:
            continue  # No round was paid, so nothing was held and no closing score was due.
        click.echo(f"  {name:<20} {scores['auc']:.4f} {scores['ks']:.4f} {scores['brier']:.4f}")
    click.echo(
        f"  bounty {told['bounty_wei'] / ether:.6f} ETH = paid {told['paid_wei'] / ether:.6f} + "
        f"refunded {told['refunded_wei'] / ether:.6f}"
    )
