"""Every error chAIn raises on purpose.

::

    ChainError
    ├── BadInput            what a person gave cannot be used        → 422 with the page
    ├── RuleBroken          a rule of the protocol forbids it        → 409
    ├── PayloadRejected     something from another party is malformed → 502
    ├── Unavailable         the chain or the store cannot be reached → 503, try again
    └── Locked              a password is needed or wrong            → 401

An error stores facts and writes its own sentence from them: what was got, what was expected and what to do. The
sentence is for people; code reads the facts. Errors close to one subject live beside it and derive from these.
"""

from __future__ import annotations


class ChainError(Exception):
    """Base of every error raised on purpose; ``str(error)`` is a sentence for a person."""

    def __init__(self, got: str, *, expected: str = "", do: str = "") -> None:
        self.got = got
        self.expected = expected
        self.do = do
        super().__init__(self.sentence)

    @property
    def sentence(self) -> str:
        """What was got, what was expected and what to do, as one paragraph."""
        return " ".join(part for part in (self.got, self.expected, self.do) if part)


class BadInput(ChainError):
    """What a person gave cannot be used; nothing was changed.

    ``field`` names the form field or column the error belongs to, or is empty.
    """

    def __init__(self, got: str, *, expected: str = "", do: str = "", field: str = "") -> None:
        super().__init__(got, expected=expected, do=do)
        self.field = field


class RuleBroken(ChainError):
    """A rule of the protocol or of the contract forbids the act; nothing was changed."""


class PayloadRejected(ChainError):
    """Bytes from another party are malformed.

    The other side is told one public reason whatever the cause, so that a rejection says nothing about the weights;
    ``str(error)`` holds the exact cause and stays in the own log.
    """


class Unavailable(ChainError):
    """The chain or the content store cannot be reached; the same act may succeed later."""


class Locked(ChainError):
    """A secret is locked: the password is missing or wrong."""
