"""What a selection tells of itself, in a form that summary and report can show without knowing its method."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Fact(NamedTuple):
    """A number that a method is about."""

    name: str
    """In a word or two."""
    value: str
    """As it is shown."""
    about: str
    """What it is, read after the value: "of the n-grams ... are in the selection"."""


class Curve(NamedTuple):
    """A number for each pick, over the picks."""

    title: str
    about: str
    """How to read it, in some sentences."""
    label: str
    """Of the axis."""
    series: str
    """What the curve is."""
    values: NDArray[np.float64]
    """Of each pick."""
    per_byte: bool = False
    """Whether the values are what each pick added, to be shown for its bytes as a mean between two points, on a
    logarithmic axis; otherwise they are levels after each pick."""
