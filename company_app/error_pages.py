"""Errors in the lender's words."""

from __future__ import annotations

from chain_common.chain_errors import NotEnoughEther
from chain_common.errors import BadInput, PayloadRejected, RuleBroken, Unavailable
from chain_common.services.lender.bounties import AlreadyPosted, NotEnoughForBounty
from chain_common.services.lender.models import NotYourModel
from chain_common.web.error_pages import ErrorWords
from company_app.blueprints import bounties, keys, models

WORDS = ErrorWords(
    start_command="chain company",
    titles=(
        (NotEnoughEther, "Not enough ether"),
        (NotEnoughForBounty, "Not enough ether"),
        (AlreadyPosted, "This bounty has been posted"),
        (NotYourModel, "Not one of your models"),
        (RuleBroken, "The rules do not allow this now"),
        (PayloadRejected, "Something from another party cannot be used"),
        (Unavailable, "Something cannot be reached"),
        (BadInput, "This cannot be used"),
    ),
    same_page={
        "bounties.read_file": bounties.file_page,
        "bounties.choose_terms": bounties.terms_page,
        "models.top_up": models.top_up_page,
        "keys.back_up": keys.keys_page,
        "keys.restore": keys.keys_page,
    },
)
