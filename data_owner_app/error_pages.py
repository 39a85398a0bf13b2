"""Errors in the data owner's words."""

from __future__ import annotations

from chain_common.chain_errors import NotEnoughEther
from chain_common.errors import BadInput, PayloadRejected, RuleBroken, Unavailable
from chain_common.services.data_owner.contributing import NotEnoughForContribution
from chain_common.services.data_owner.contributions import NoSuchContribution, NothingToClaimYet
from chain_common.services.data_owner.files import AlreadyContributed, CannotContribute, FileForgotten
from chain_common.web.error_pages import ErrorWords
from data_owner_app.blueprints import contributions

WORDS = ErrorWords(
    start_command="chain data-owner",
    titles=(
        (NotEnoughEther, "Not enough ether"),
        (NotEnoughForContribution, "Not enough ether"),
        (FileForgotten, "The file is no longer held"),
        (NoSuchContribution, "No such contribution"),
        (AlreadyContributed, "These rows were contributed before"),
        (CannotContribute, "This model takes no contributions now"),
        (NothingToClaimYet, "Nothing to claim now"),
        (RuleBroken, "The rules do not allow this now"),
        (PayloadRejected, "Something from another party cannot be used"),
        (Unavailable, "Something cannot be reached"),
        (BadInput, "This cannot be used"),
    ),
    same_page={
        "contributions.read_file": contributions.file_page,
        "contributions.confirm": contributions.draft_page,
    },
)
