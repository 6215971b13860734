"""The forms that the law may take.

The paper (arXiv 2407.06645) says that performance falls with R and with the loss, and gives no formula. These forms are
ours: each is linear in its coefficients and monotone in R and in L, and leave-one-out error chooses between them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Form:
    """Terms that are added up, besides an intercept for each group."""

    terms: tuple[str, ...]
    """Of ``R``, ``log R``, ``hinge`` and ``L``."""

    @property
    def name(self) -> str:
        """Its terms, as a user names them."""
        return " + ".join(self.terms) or "constant"

    @property
    def has_knot(self) -> bool:
        """Whether the point where the law begins is one of its parameters."""
        return "hinge" in self.terms

    @property
    def needs_loss(self) -> bool:
        """Whether L is one of its terms."""
        return "L" in self.terms

    def columns(self, R: Array, L: Array | None, knot: float | None) -> Array:
        """The terms' values; shape ``(len(R), len(terms))``."""
        columns = np.empty((len(R), len(self.terms)))
        for number, term in enumerate(self.terms):
            if term == "L":
                assert L is not None
                columns[:, number] = L
            elif term == "log R":
                columns[:, number] = np.log(R)
            elif term == "hinge":
                assert knot is not None
                columns[:, number] = np.maximum(0.0, R - knot)
            else:
                columns[:, number] = R
        return columns


# From few parameters to many: of forms that predict alike, the first is taken.
BY_R = tuple(map(Form, [(), ("R",), ("log R",), ("hinge",)]))
"""What can be said before training: R alone. ``hinge`` is flat up to a point and linear from there."""
BY_R_AND_L = (*BY_R[:3], Form(("L",)), BY_R[3], *map(Form, [("R", "L"), ("log R", "L"), ("hinge", "L")]))
"""What can be said once the loss is known."""
FORMS = {form.name: form for form in BY_R_AND_L}


def group_columns(groups: Sequence[str], of: Sequence[str]) -> Array:
    """The intercepts' columns: which of the groups ``of`` each is in; shape ``(len(groups), len(of))``."""
    return np.asarray(np.array(groups)[:, None] == np.array(of)[None, :], dtype=np.float64)


def centred(values: Array, groups: Sequence[str]) -> Array:
    """The differences of each value from the mean of its group."""
    columns = group_columns(groups, tuple(dict.fromkeys(groups)))
    return np.asarray(values - columns @ ((values @ columns) / columns.sum(axis=0)))
