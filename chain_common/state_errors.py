"""Errors of the local state behind the ports: content, secrets, account, jobs and the home itself.

::

    Unavailable ── ContentMissing, SecretDamaged, HomeInUse
    BadInput    ── BlobTooLarge, SecretMissing, UnknownJob
    Locked      ── WrongPassword
    RuleBroken  ── AccountExists, JobBusy
"""

from __future__ import annotations

from chain_common.errors import BadInput, Locked, RuleBroken, Unavailable


class ContentMissing(Unavailable):
    """No blob of this digest can be read from the content store now."""

    def __init__(self, cid: str, location: str) -> None:
        self.cid = cid
        self.location = location
        super().__init__(
            f"The content {cid} is not in the store at {location}.",
            do="Its writer may not have published it yet, or uses another store; try again later.",
        )


class BlobTooLarge(BadInput):
    """A blob exceeds what one block of the content store holds."""

    def __init__(self, n_bytes: int, limit: int) -> None:
        self.n_bytes = n_bytes
        self.limit = limit
        super().__init__(f"The content has {n_bytes} bytes.", expected=f"One block holds at most {limit}.")


class SecretMissing(BadInput):
    """The vault holds no secret of this name."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"The vault holds no secret named {name!r}.", do="Restore it from a backup.")


class SecretDamaged(Unavailable):
    """A file of the account or the vault is not what this app wrote under this name and key."""

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(f"The file {path} is damaged, or does not belong where it is.", do="Restore it from a backup.")


class WrongPassword(Locked):
    """The password does not open the account."""

    def __init__(self) -> None:
        super().__init__("The password does not open this account.", do="Check it and try again.")


class AccountExists(RuleBroken):
    """A home holds one account, and this one has it already."""

    def __init__(self, home: str) -> None:
        self.home = home
        super().__init__(
            f"There is an account in {home} already.",
            do="Unlock it, or choose another CHAIN_HOME for a second one.",
        )


class HomeInUse(Unavailable):
    """Another process of the same app works on this home."""

    def __init__(self, home: str, process: str) -> None:
        self.home = home
        self.process = process
        holder = f" (process {process})" if process else ""
        super().__init__(
            f"Another copy of this app{holder} works on {home}.",
            do="Use that one, stop it first, or give this one another CHAIN_HOME.",
        )


class UnknownJob(BadInput):
    """No job has this key."""

    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__(f"There is no job {key!r}.", do="It may have been cancelled; look at the list of jobs.")


class JobBusy(RuleBroken):
    """A job's state does not allow the act."""

    def __init__(self, key: str, state: str, act: str) -> None:
        self.key = key
        self.state = state
        super().__init__(f"The job {key!r} is {state} and cannot be {act}.")
