"""The entropy law: from R and the loss of the first epoch to performance, and to the risk in a new data version."""

from entropylaw.law.intervals import Prediction
from entropylaw.law.law import EntropyLaw
from entropylaw.law.logs import LossLog, read_log
from entropylaw.law.loss import FirstEpoch, first_epoch
from entropylaw.law.observations import Observations, read_runs
from entropylaw.law.risk import Reason, Verdict, check

__all__ = [
    "EntropyLaw",
    "FirstEpoch",
    "LossLog",
    "Observations",
    "Prediction",
    "Reason",
    "Verdict",
    "check",
    "first_epoch",
    "read_log",
    "read_runs",
]
