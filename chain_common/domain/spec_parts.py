"""Parts of a model spec: start, training rule, number formats, privacy floor and keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from chain_common.domain.document import DocumentError, Fields, Json, as_text, decimal_text
from chain_common.domain.features import ROW_FRACTION_BITS

Service = Literal["credit", "insurance", "other"]
Loss = Literal["taylor-logistic", "squared"]
Metric = Literal["brier", "balanced-brier", "squared-error"]
Sharing = Literal["shapley", "sequential"]

SERVICES: Final[tuple[Service, ...]] = ("credit", "insurance", "other")
LOSSES: Final[tuple[Loss, ...]] = ("taylor-logistic", "squared")
METRICS: Final[tuple[Metric, ...]] = ("brier", "balanced-brier", "squared-error")
SHARINGS: Final[tuple[Sharing, ...]] = ("shapley", "sequential")

WEIGHT_FRACTION_BITS: Final = 26
"""Fractional bits of an int32 weight; the contract's quadratic form is built on it (protocol §8)."""

WEIGHT_BOUND: Final = 16
"""``|w|`` of a weight."""


@dataclass(frozen=True, slots=True)
class BaseRateStart:
    """Start from the base rate: all weights zero but the intercept, which is public.

    ``intercept_q26`` is the intercept at 26 fractional bits, within ±16.
    """

    intercept_q26: int

    def __post_init__(self) -> None:
        if abs(self.intercept_q26) > WEIGHT_BOUND << WEIGHT_FRACTION_BITS:
            raise DocumentError("start.intercept_q26", f"does not lie within ±{WEIGHT_BOUND}")


@dataclass(frozen=True, slots=True)
class EncryptedStart:
    """Start from the lender's own model, published encrypted only."""


Start = BaseRateStart | EncryptedStart


@dataclass(frozen=True, slots=True)
class DampedStep:
    """``Δ = (A + μI)⁻¹ (b − A w)``, ``μ = max(damping_floor, damping · D / n)``, intercept not penalised."""

    damping_floor: float = 0.001
    damping: float = 0.1

    def __post_init__(self) -> None:
        if not (0 < self.damping_floor <= 1e6 and 0 <= self.damping <= 1e6):
            raise DocumentError("rule", "the damping is not positive")


@dataclass(frozen=True, slots=True)
class GradientStep:
    """``Δ = step · (b − A w)``; for teaching and for the original demonstration."""

    step: float

    def __post_init__(self) -> None:
        if not 0 < self.step <= 1e6:
            raise DocumentError("rule.step", "is not positive")


TrainingRule = DampedStep | GradientStep


def start_to_document(start: Start) -> dict[str, Json]:
    """Give the document form of a start."""
    if isinstance(start, BaseRateStart):
        return {"kind": "base-rate", "intercept_q26": start.intercept_q26}
    return {"kind": "encrypted"}


def start_from_document(fields: Fields) -> Start:
    """Read a start. Raises ``DocumentError``."""
    start: Start = EncryptedStart()
    if fields.choice("kind", ("base-rate", "encrypted")) == "base-rate":
        start = BaseRateStart(fields.integer("intercept_q26", low=-(2**31), high=2**31))
    fields.done()
    return start


def rule_to_document(rule: TrainingRule) -> dict[str, Json]:
    """Give the document form of a training rule."""
    if isinstance(rule, DampedStep):
        return {
            "rule": "damped-step",
            "damping_floor": decimal_text(rule.damping_floor),
            "damping": decimal_text(rule.damping),
        }
    return {"rule": "gradient", "step": decimal_text(rule.step)}


def rule_from_document(fields: Fields) -> TrainingRule:
    """Read a training rule. Raises ``DocumentError``."""
    rule: TrainingRule
    if fields.choice("rule", ("damped-step", "gradient")) == "damped-step":
        rule = DampedStep(fields.number("damping_floor"), fields.number("damping"))
    else:
        rule = GradientStep(fields.number("step"))
    fields.done()
    return rule


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """The public integer formats of an update (protocol §4), in bits.

    ``matrix_bits`` holds sign and magnitude of an entry of ``M``, ``matrix_fraction_bits`` of them
    fractional. Weights (26) and rows (12) are fixed by the contract's arithmetic and stand here so that the
    document says everything.
    """

    matrix_bits: int = 28
    matrix_fraction_bits: int = 24
    weight_fraction_bits: int = WEIGHT_FRACTION_BITS
    row_fraction_bits: int = ROW_FRACTION_BITS
    slot_bits: int = 88
    guard_bits: int = 3

    def __post_init__(self) -> None:
        if not 0 < self.matrix_fraction_bits < self.matrix_bits <= 40:
            raise DocumentError("numbers.matrix_bits", "do not hold the fractional bits, or are more than 40")
        if self.weight_fraction_bits != WEIGHT_FRACTION_BITS or self.row_fraction_bits != ROW_FRACTION_BITS:
            raise DocumentError("numbers", "weights have 26 and rows 12 fractional bits")
        if not self.guard_bits + self.matrix_bits + 32 < self.slot_bits <= 256:
            raise DocumentError("numbers.slot_bits", "do not hold a product with its guard bits, or are more than 256")

    def to_document(self) -> dict[str, Json]:
        """Give the document form."""
        return {name: getattr(self, name) for name in _NUMBER_FIELDS}

    @classmethod
    def from_fields(cls, fields: Fields) -> NumberFormat:
        """Read number formats. Raises ``DocumentError``."""
        numbers = cls(**{name: fields.integer(name, low=1, high=256) for name in _NUMBER_FIELDS})
        fields.done()
        return numbers


_NUMBER_FIELDS: Final = (
    "matrix_bits",
    "matrix_fraction_bits",
    "weight_fraction_bits",
    "row_fraction_bits",
    "slot_bits",
    "guard_bits",
)


@dataclass(frozen=True, slots=True)
class PrivacyFloor:
    """The least privacy a data owner is to have.

    Parameters
    ----------
    row_floor
        Rows below which a data owner's app refuses; the app's own floor of ``max(50, 5 D)`` holds beside it.
    norm_bound
        ``R``, to which a row's inputs are clipped in training and in scoring alike; None leaves them.
    noise
        "none": updates carry no noise, and ``epsilon`` and ``delta`` are None.
    epsilon, delta
        Weakest guarantee a contribution must carry.
    """

    row_floor: int
    norm_bound: float | None
    noise: Literal["none"] = "none"
    epsilon: float | None = None
    delta: float | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.row_floor <= 10**9:
            raise DocumentError("privacy.row_floor", "is not positive")
        if self.norm_bound is not None and not 0.1 <= self.norm_bound <= 1000:
            raise DocumentError("privacy.norm_bound", "0.1 to 1000 is expected")
        if self.epsilon is not None or self.delta is not None:
            raise DocumentError("privacy.epsilon", "is null where there is no noise, and so is delta")

    def to_document(self) -> dict[str, Json]:
        """Give the document form."""
        bounds = {name: getattr(self, name) for name in ("norm_bound", "epsilon", "delta")}
        return {
            "row_floor": self.row_floor,
            "noise": self.noise,
            **{name: None if value is None else decimal_text(value) for name, value in bounds.items()},
        }

    @classmethod
    def from_fields(cls, fields: Fields) -> PrivacyFloor:
        """Read a privacy floor. Raises ``DocumentError``."""
        floor = cls(
            row_floor=fields.integer("row_floor", low=1, high=10**9),
            norm_bound=fields.number_or_none("norm_bound"),
            noise=fields.choice("noise", ("none",)),
            epsilon=fields.number_or_none("epsilon"),
            delta=fields.number_or_none("delta"),
        )
        fields.done()
        return floor


@dataclass(frozen=True, slots=True)
class PublicKeys:
    """The lender's public keys.

    Parameters
    ----------
    paillier_n
        Modulus, odd, at most 8192 bits. Whether it is long enough and well formed is judged where it is used.
    sealing
        X25519 public key, 32 bytes.
    key_proof
        Proof that ``paillier_n`` is well formed, as text, or None where there is none.
    """

    paillier_n: int
    sealing: bytes
    key_proof: str | None = None

    def __post_init__(self) -> None:
        if self.paillier_n < 3 or self.paillier_n % 2 == 0 or self.paillier_n.bit_length() > 8192:
            raise DocumentError("keys.paillier_n", "an odd number of at most 8192 bits is expected")
        if len(self.sealing) != 32:
            raise DocumentError("keys.sealing", f"32 bytes are expected, got {len(self.sealing)}")
        if self.key_proof is not None:
            as_text(self.key_proof, "keys.key_proof", max_chars=65_536)

    def to_document(self) -> dict[str, Json]:
        """Give the document form."""
        return {
            "paillier_n": f"{self.paillier_n:x}",
            "sealing": self.sealing.hex(),
            "key_proof": self.key_proof,
        }

    @classmethod
    def from_fields(cls, fields: Fields) -> PublicKeys:
        """Read public keys. Raises ``DocumentError``."""
        modulus = fields.text("paillier_n", max_chars=2048)
        if modulus.strip("0123456789abcdef") or modulus.startswith("0"):
            raise DocumentError(fields.path("paillier_n"), "lower-case hexadecimal without leading zero is expected")
        proof = fields.take("key_proof")
        keys = cls(
            paillier_n=int(modulus, 16),
            sealing=fields.hex_bytes("sealing", n_bytes=32),
            key_proof=None if proof is None else as_text(proof, fields.path("key_proof"), max_chars=65_536),
        )
        fields.done()
        return keys
