"""A backed-up model goes on settling on another machine of the same lender."""

import pytest

from chain_common.domain.backup import BackupRefused
from chain_common.errors import BadInput
from chain_common.services.lender.backups import AlreadyHere, Backups
from chain_common.services.lender.bounties import NoSuchDraft
from tests.services.town import Town, drawn_rows

PASSWORD = "kept apart from the file"


@pytest.fixture(scope="module")
def posted():
    town = Town()
    lender = town.lender()
    draft_id, model_id = lender.post(drawn_rows(1200, seed=1))
    return town, lender, draft_id, model_id


def test_a_restored_model_has_its_keys_rows_and_weights(posted):
    town, lender, draft_id, model_id = posted
    backup = Backups(lender.world).make(draft_id, PASSWORD)
    other = town.lender()
    assert Backups(other.world).restore(backup, PASSWORD) == lender.choices(draft_id).title
    assert other.app.keys.of(draft_id).private_key == lender.app.keys.of(draft_id).private_key
    base = lender.world.ledger.model(model_id).base_weights
    assert (other.app.keys.weights(draft_id, base) == lender.app.keys.weights(draft_id, base)).all()
    for which in ("scoring", "closing"):
        ours, theirs = other.app.bounties.rows(draft_id, which), lender.app.bounties.rows(draft_id, which)
        assert (ours.inputs == theirs.inputs).all()
    assert [card.model_id for card in other.app.models.cards()] == [model_id]


def test_a_restore_never_overwrites(posted):
    _, lender, draft_id, _ = posted
    backup = Backups(lender.world).make(draft_id, PASSWORD)
    with pytest.raises(AlreadyHere):
        Backups(lender.world).restore(backup, PASSWORD)


def test_another_password_or_file_is_refused(posted):
    town, lender, draft_id, _ = posted
    backup = Backups(lender.world).make(draft_id, PASSWORD)
    other = Backups(town.lender().world)
    with pytest.raises(BackupRefused):
        other.restore(backup, PASSWORD + "!")
    with pytest.raises(BadInput):
        other.restore(b"PK\x03\x04 not a backup at all, but long enough to have a header", PASSWORD)


def test_there_is_no_backup_of_what_is_not_here(posted):
    _, lender, _, _ = posted
    with pytest.raises(NoSuchDraft):
        Backups(lender.world).make("0" * 16, PASSWORD)
