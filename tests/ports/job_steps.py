"""Steps for jobs in tests."""

from collections.abc import Callable
from typing import Any

from chain_common.ports import JobKind


def one_step(answer: Callable[..., Any]) -> JobKind:
    return JobKind("settle", (("score", answer),))


class Answers:
    """A step that gives its answers one after the other and counts its runs."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.seen: list[dict[str, Any]] = []

    def __call__(self, data: Any, _context: Any) -> Any:
        self.seen.append(dict(data))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, BaseException):
            raise answer
        return answer
