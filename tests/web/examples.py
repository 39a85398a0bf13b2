"""Views as the services give them, for pages: two settled rounds of a Brier model, and what leads there."""

from dataclasses import replace

from chain_common.domain.column_report import ColumnReport
from chain_common.domain.loan_table import DroppedRows, ReadReport
from chain_common.domain.repository import ChainEvent
from chain_common.services.data_owner.views import ContributionDraft, ContributionView
from chain_common.services.lender.views import BountyChoices, BountyDraft, BountyReview, ModelKeyView, OverviewView
from chain_common.services.views import (
    AccountView,
    JobView,
    ModelActions,
    ModelCard,
    ModelView,
    Money,
    RoundView,
    ScorePoint,
    Scores,
    SeatView,
    StepView,
    Vitals,
)

ETHER = 10**18
NOW = 1_795_000_000
LENDER = "0x2e91c7f04D8ab35E6f1029c8d7B6a5e4f3d2b7d0"
OWNERS = [f"0x{digit * 40}" for digit in "7189abcdef"]
TX = "0x5b1e44d09f3a7c2281e6b0f7d5a9c3e4471f8820b6d3c5a9e7f10243cc58c07a"
CID = "bafkreih2k5x7m3qzt4w6y8a1c9d0e5f7g2h4j6k8m0n2p4q6r8s0t2u4w6"
CONTRACT = "0x5FbDB2315678afecb367f032d93F642f64180aa3"

VITALS = Vitals(True, 31337, 18204, True, "a folder on this machine", LENDER, 12_408 * 10**15, 0)
START, AFTER_1, AFTER_2 = (
    Scores(0.5, 0.0, 0.12302, 0.8575),
    Scores(0.662, 0.241, 0.11904, 0.8577),
    Scores(0.694, 0.288, 0.11631, 0.8581),
)


def seat(who, **changed):
    base = SeatView(who, OWNERS[who], 3180 - 400 * who, ETHER // 1000, "accepted", "", 0, 0, True, False, TX)
    return replace(base, **changed)


ROUND_2 = RoundView(
    number=2,
    state="settled",
    seats_taken=4,
    seats_total=4,
    closes_by=NOW - 9000,
    deliver_by=NOW - 8000,
    settle_by=NOW + 90_000,
    loss_before=4_876_543_210,
    loss_after=4_764_210_987,
    score_before=0.11904,
    score_after=0.11631,
    money_wei=6 * ETHER // 10 + 7,
    held_wei=3 * ETHER // 10 + 3,
    held_paid_wei=0,
    seats=(
        seat(0, share_64ths=30, reward_wei=140_625 * 10**12, is_mine=True),
        seat(1, share_64ths=20, reward_wei=93_750 * 10**12, state="paid"),
        seat(2, share_64ths=14, reward_wei=65_625 * 10**12),
        seat(3, state="rejected", reason="The payload could not be used."),
    ),
)
ROUND_1 = replace(
    ROUND_2,
    number=1,
    seats_taken=1,
    seats_total=1,
    loss_before=5_038_210_000,
    loss_after=4_876_543_210,
    score_before=0.12302,
    score_after=0.11904,
    money_wei=4 * ETHER // 10,
    held_wei=2 * ETHER // 10,
    seats=(seat(4, index=0, share_64ths=64, reward_wei=2 * ETHER // 10, state="paid"),),
)
ROUND_3 = replace(
    ROUND_2,
    number=3,
    state="collecting",
    seats_taken=1,
    loss_after=0,
    money_wei=0,
    held_wei=0,
    closes_by=NOW + 7200,
    seats=(seat(0, state="committed", delivered=False),),
)

CARD = ModelCard(
    model_id=3,
    title="Consumer loans 2007–2011",
    state="collecting",
    service="credit",
    lender=LENDER,
    is_mine=True,
    metric="brier",
    score_start=0.12302,
    score_now=0.11631,
    score_target=0.1150,
    progress=0.8366,
    bounty_wei=5 * ETHER // 2,
    left_wei=ETHER + 1,
    stake_wei=ETHER // 1000,
    deadline=NOW + 28 * 86400,
    rounds=3,
    max_rounds=8,
    waits_for="data owners",
)


def job(state="running", done=2, **changed):
    names = (
        "Fetch the payloads",
        "Open and check",
        "Combine, score and share",
        "Publish the next weights",
        "Send",
    )
    steps = []
    for place, name in enumerate(names):
        if place < done:
            steps.append(StepView(name, "done", 1.0))
        elif place == done:
            steps.append(StepView(name, state if state != "waiting" else "running", 0.4, "2 of 4"))
        else:
            steps.append(StepView(name, "waiting", 0.0))
    base = JobView("settle.ab.3.3", "Settle round 3", state, tuple(steps), "2 of 4", "", False)
    return replace(base, **changed)


def event(name, transaction=TX, **arguments):
    return ChainEvent(name, 120, 1, transaction, NOW - 600, 3, arguments)


EVENTS = (
    event(
        "Contributed",
        round=3,
        owner=OWNERS[0],
        seat=0,
        stake=ETHER // 1000,
        contribution={"rows": 3180, "round": 3},
    ),
    event("RoundOpened", round=3, baseWeights="0x" + "ab" * 32, closesBy=NOW + 7200),
    event("Claimed", round=1, owner=OWNERS[4], seat=0, stake=ETHER // 1000, reward=2 * ETHER // 10),
    event("RoundSettled", round=2, lossBefore=5, loss=4, money=6 * ETHER // 10, held=3 * ETHER // 10),
    event("RoundSettled", round=1, lossBefore=5, loss=5, money=0, held=0),
    event("RoundClosed", round=2, deliverBy=NOW, settleBy=NOW + 90_000),
    event("RoundFailed", round=9, compensation=ETHER, burned=ETHER),
    event("TrainingEnded", loss=4, closingBy=NOW),
    event("ClosingSettled", losses=["1", "2"], heldPaid=ETHER, returned=0),
    event("ToppedUp", lender=LENDER, bounty=ETHER, bond=ETHER // 2),
    event("Ended", lender=LENDER, returned=ETHER),
    event("ModelCreated", bounty=5 * ETHER // 2, bond=5 * ETHER // 4),
    event("SomethingNew"),
)

MODEL = ModelView(
    card=CARD,
    features=("loan_amnt", "term", "int_rate", "annual_inc", "dti", "revol_util", "purpose=credit_card"),
    target_column="loan_status",
    bad_values=("Charged Off", "Default"),
    row_floor=220,
    sharing="shapley",
    scoring_rows=2000,
    closing_rows=2000,
    closing_share_ppm=500_000,
    pilot_seats=1,
    seats=4,
    close_when_full=True,
    next_limit=NOW + 7200,
    next_limit_means="for contributions to this round",
    reward_noise=0.179,
    points=(
        ScorePoint(0, 0.12302, 5_038_210_000, True, START),
        ScorePoint(1, 0.11904, 4_876_543_210, True, AFTER_1),
        ScorePoint(2, 0.11631, 4_764_210_987, True, AFTER_2),
    ),
    rounds=(ROUND_3, ROUND_2, ROUND_1),
    money=Money(5 * ETHER // 2, 5 * ETHER // 4, ETHER + 1, ETHER - 4, ETHER // 2 + 3, 0, 0),
    actions=ModelActions(can_top_up=True, can_contribute=True),
    jobs=(job(), job("done", 5, key="settle.ab.3.2", title="Settle round 2")),
    timeline=EVENTS,
    contract=CONTRACT,
    spec_cid=CID,
    weights_cid=CID,
    closing_start=None,
    closing_final=None,
    closing_score_start=None,
    closing_score_final=None,
    demonstration=False,
)
FRESH_MODEL = replace(
    MODEL,
    card=replace(CARD, model_id=5, title="Payday pilot", state="open", score_now=0.12302, progress=0.0, rounds=0),
    points=MODEL.points[:1],
    rounds=(),
    jobs=(),
    timeline=(),
    actions=ModelActions(can_end=True, can_top_up=True),
)
ENDED_MODEL = replace(
    MODEL,
    card=replace(CARD, model_id=7, title="Card loans", state="closing"),
    rounds=(ROUND_2, ROUND_1),
    jobs=(job("failed", 3, failure="No answer from http://127.0.0.1:8545. Try again.", can_retry=True),),
    closing_start=START,
    closing_final=AFTER_2,
    closing_score_start=0.1229,
    closing_score_final=0.1171,
    actions=ModelActions(can_reclaim=True),
)
OVERVIEW = OverviewView(
    models=(CARD, FRESH_MODEL.card),
    drafts=(("ab12", "Small business"),),
    jobs=(job(), job("failed", 1, key="settle.ab.5.1", failure="The chain is away.", can_retry=True)),
    escrowed_wei=4 * ETHER,
)

REPORT = ReadReport(
    filename="validation_2011.csv",
    n_bytes=1_432_118,
    encoding="utf-8",
    delimiter=",",
    decimal_comma=False,
    compressed=False,
    header_line=2,
    note_lines=(1,),
    n_note_lines=1,
    columns=(
        "loan_amnt",
        "term",
        "int_rate",
        "annual_inc",
        "loan_status",
        "total_pymnt",
        "recoveries",
        "desc",
        "url",
    ),
    used=("loan_amnt", "term", "int_rate", "annual_inc", "loan_status"),
    n_read=4061,
    n_kept=4000,
    dropped=(
        DroppedRows("unfinished", 48, (12, 80, 91, 300, 412), (("Current", 40), ("In Grace Period", 8))),
        DroppedRows("cell-count", 13, (412, 1980)),
    ),
)
COLUMNS = (
    ColumnReport(
        "annual_inc",
        "number, log1p, clipped",
        1,
        "14,400 to 250,000",
        0,
        0,
        412,
        5400.0,
        59000.0,
        "412 values lie outside the lender's range; the median is 5,400, the lender's 59,000. "
        "Is the column in another unit?",
    ),
    ColumnReport("term", "months", 1, "36 to 60", 0, 0, 0, 36.0, 36.0, ""),
    ColumnReport("int_rate", "percent, clipped", 1, "5.42 to 21.7", 3, 1, 80, 11.9, 11.9, ""),
)
CHOICES = BountyChoices(
    title="Consumer loans 2007–2011",
    metric="brier",
    target_score=0.1169,
    bounty_wei=ETHER,
    bond_wei=ETHER // 2,
    stake_wei=ETHER // 1000,
    deadline_s=14 * 86400,
    seats=8,
    pilot_seats=0,
    max_rounds=8,
    close_when_full=True,
    sharing="shapley",
    collect_window_s=86400,
    deliver_window_s=86400,
    settle_window_s=3 * 86400,
    closing_window_s=3 * 86400,
    audit_demand_window_s=2 * 86400,
    audit_answer_window_s=3 * 86400,
    closing_share_percent=50,
    min_gain_percent=2.0,
    row_floor=220,
)
DRAFT = BountyDraft(
    draft_id="ab12",
    filename="validation_2011.csv",
    preset="lending-club-compact",
    report=REPORT,
    columns=COLUMNS,
    known_later=(("total_pymnt", "paid after the loan was made"), ("recoveries", "after default")),
    n_scoring=2000,
    n_closing=2000,
    n_bad=574,
    base_rate=0.1435,
    baseline=START,
    baseline_score=0.12291,
    reach=AFTER_1,
    reach_score=0.1162,
    reward_noise=0.179,
    warnings=("The model of your own rows has AUC 0.855. Above 0.78, a column probably knows the answer.",),
    features=MODEL.features,
    choices=CHOICES,
    complete=True,
)
REVIEW = BountyReview(DRAFT, 3 * ETHER // 2, 4_900_000_000_000_001, 100 * ETHER, 0, 4.89, 8, 3 * 86400)
KEYS = [
    ModelKeyView(3, "ab12", "Consumer loans 2007–2011", "9c2fd17a4be0835561f0a9e27d3c4410", 3072),
    ModelKeyView(None, "cd34", "", "77aad17a4be0835561f0a9e27d3c4410", 3072),
]
ACCOUNT = AccountView(
    LENDER,
    12_408 * 10**15 + 1,
    184 * 10**15,
    31337,
    CONTRACT,
    (event("Withdrawn", account=LENDER, currency="0x" + "0" * 40, amount=412 * 10**15),),
)
CONTRIBUTION_DRAFT = ContributionDraft(
    draft_id="fe98",
    model_id=3,
    title=CARD.title,
    filename="loans_2008_2010.csv",
    report=replace(REPORT, filename="loans_2008_2010.csv"),
    columns=COLUMNS,
    known_later=DRAFT.known_later,
    n_rows=3180,
    n_bad=480,
    base_rate=0.151,
    model_base_rate=0.1435,
    row_floor=220,
    stake_wei=ETHER // 1000,
    fee_estimate_wei=1_234_567_890_123_456,
    balance_wei=412 * 10**15,
    short_by_wei=0,
    round=3,
    warnings=(),
    no_noise_sentence="Without noise a dishonest lender can read all your statistics in one round.",
    expires_at=NOW + 3600.0,
)
CONTRIBUTION = ContributionView(
    contribution_id="c1",
    model_id=3,
    title=CARD.title,
    filename="loans_2008_2010.csv",
    n_rows=3180,
    created_at=NOW - 4000.0,
    round=2,
    seat=0,
    state="half credited",
    reason="",
    next_step="The held half is decided when the model is scored a last time, after training has ended.",
    stake_wei=ETHER // 1000,
    share_64ths=30,
    reward_wei=140_625 * 10**12,
    held_wei=140_625 * 10**12 + 1,
    due_wei=141_625 * 10**12,
    claimed_wei=0,
    can_claim=True,
    job=job("done", 5, key="deliver.c1", title="Deliver the payload"),
    transaction=TX,
    payload_cid=CID,
    update_digest="0x" + "cd" * 32,
    tag_root="0x" + "ef" * 32,
)
COMPUTING = replace(
    CONTRIBUTION,
    contribution_id="c2",
    round=0,
    seat=None,
    state="computing",
    next_step="The update is being computed and committed.",
    share_64ths=0,
    reward_wei=0,
    held_wei=0,
    due_wei=0,
    can_claim=False,
    job=job(key="contribute.c2", title="Contribute"),
    transaction="",
    payload_cid="",
    update_digest="0x",
    tag_root="0x" + "ef" * 32,
)
REJECTED = replace(
    CONTRIBUTION,
    contribution_id="c3",
    state="rejected",
    reason="The payload could not be used.",
    next_step="Claim your stake back, less the burned tenth.",
    share_64ths=0,
    reward_wei=0,
    held_wei=0,
    due_wei=9 * ETHER // 10000,
)
