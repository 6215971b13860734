"""Compressors that a set is measured by: the paper's, and those that look back over the whole set.

All of them compress the samples as one stream, one sample after the other, as their command-line tools do. Each has a
file of its own here, and a line in ``codec.py``.
"""

from entropylaw.codecs.codec import CODECS, Codec
from entropylaw.codecs.sizing import AT_ONCE, Job, grouped, sizes

__all__ = ["AT_ONCE", "CODECS", "Codec", "Job", "grouped", "sizes"]
