"""What a user asks of a selection, whichever method makes it: what may be selected, how much, what counts more."""

from entropylaw.controls.candidates import Candidates
from entropylaw.controls.model import Controls

__all__ = ["Candidates", "Controls"]
