"""The data owner's forms."""

from __future__ import annotations

from collections.abc import Mapping

from chain_common.web.forms import FormReader


def read_confirmation(form: Mapping[str, str]) -> bool:
    """Read whether the data owner has acknowledged that updates carry no noise.

    Raises
    ------
    FormRefused
        If it has not.
    """
    read = FormReader(form)
    read.must_tick(
        "acknowledge_no_noise",
        "The box about missing noise was not ticked.",
        "Contributing without noise needs your word that you know what the lender could read.",
    )
    read.done()
    return True
