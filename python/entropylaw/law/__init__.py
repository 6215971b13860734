"""The entropy law: from R and the loss of the first epoch to performance, and to the risk in a new data version."""

from entropylaw.law.intervals import Prediction
from entropylaw.law.law import EntropyLaw
from entropylaw.law.observations import Observations, read_runs

__all__ = ["EntropyLaw", "Observations", "Prediction", "read_runs"]
