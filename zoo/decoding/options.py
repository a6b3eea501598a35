"""How tokens are drawn, checked without TensorFlow, so that a mistake is answered at once."""

import math
from dataclasses import dataclass

from zoo.errors import UserError


@dataclass(frozen=True)
class SamplingOptions:
    """How a text is continued, see `zoo.decoding`.

    Attributes:
        length: tokens to add, such as characters or words; 1 or more.
        temperature: 0 takes the likeliest token each time; 1 draws by the model's probabilities.
        top_k: draw from so many of the likeliest tokens; 0 for all.
        top_p: draw from the likeliest tokens that hold this share of the probability, above 0; 1
            for all.
        seed: the same seed draws the same text.

    Raises:
        UserError: a value is out of its range.

    Example:
        >>> SamplingOptions(top_p=0.9).top_p
        0.9
    """

    length: int = 200
    temperature: float = 0.8
    top_k: int = 0
    top_p: float = 1.0
    seed: int = 1

    def __post_init__(self) -> None:
        for name, right, needed in (
            ("length", 1 <= self.length < 2**31, "1 or more"),
            ("temperature", 0 <= self.temperature < math.inf, "0 or more"),
            ("top_k", 0 <= self.top_k < 2**31, "0 or more"),
            ("top_p", 0 < self.top_p <= 1, "more than 0 and at most 1"),
            ("seed", 0 <= self.seed < 2**32, f"0 to {2**32 - 1}"),
        ):
            if not right:
                raise UserError(f"{name} is {getattr(self, name)}, but {needed} is needed")

    @property
    def seeds(self) -> tuple[int, int]:
        """The seed as two numbers of int32, the second for the place in the text."""
        return (self.seed + 2**31) % 2**32 - 2**31, 0
