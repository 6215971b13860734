"""What a user should know before trusting a law."""

from collections.abc import Iterator

import numpy as np

from entropylaw.law.fit import Fit
from entropylaw.law.models import centred
from entropylaw.law.observations import Observations

_FEW = 10
_NARROW = 1.1  # Largest R / smallest R.
_TOGETHER = 0.95


def warnings(runs: Observations, by_R: Fit, by_loss: Fit | None) -> Iterator[str]:
    """Reasons not to rely on a law, most serious first."""
    stages = sorted(set(filter(None, runs.stages)))
    if runs.L is not None and len(stages) > 1:
        yield (
            f"the losses of {' and '.join(stages)} are different quantities, and one slope is fitted to them all: "
            "fit each stage by itself"
        )
    if len(runs) < _FEW:
        yield f"{len(runs)} runs are few: the form and the intervals rest on little; {_FEW} or more are better"
    low, high = float(runs.R.min()), float(runs.R.max())
    span = f"R from {low:.3g} to {high:.3g}"
    if high / low < _NARROW:
        yield f"{span} is a narrow range: the law says nothing beyond it"
    slopes = {term: slope for term, slope in by_R.slopes.items() if term != "L"}
    if by_R.form == "constant":
        yield f"R does not predict Z here (leave-one-out): the law is flat for {span}, or the runs too few to tell"
    elif by_R.knot is not None:
        below = int((by_R.knot >= runs.R).sum())
        yield f"the law is flat below R = {by_R.knot:.3g}, where {below} of {len(runs)} runs are: lower R gains nothing"
    if any(slope > 0 for slope in slopes.values()):
        yield "Z rises with R in these runs, against the paper's law: look for what else differs between them"
    if by_loss is not None and by_loss.slopes.get("L", 0.0) > 0:
        yield "Z rises with the loss in these runs: a low loss shows redundancy here, not mastery"
    if runs.L is not None:
        r, loss = (centred(values, runs.groups) for values in (runs.R, runs.L))
        if abs(r @ loss) > _TOGETHER * np.sqrt((r @ r) * (loss @ loss)):
            yield "R and L move together in these runs: their effects can't be told apart"
