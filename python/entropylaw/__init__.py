"""Select LLM training data by compression ratio.

``select`` picks the samples of a pool that tell a model most for their bytes, ``ratio`` measures how redundant a data
set is, and ``Sizer`` is the engine beneath: what a compressor would produce, without producing it.

The method by default is ZIP, of *Entropy Law: The Story Behind Data Compression and LLM Performance* (arXiv
2407.06645); ``help(entropylaw.select)`` has the others.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from entropylaw.errors import EntropyLawError

if TYPE_CHECKING:
    from entropylaw._core import Progress, Sizer
    from entropylaw.comparing import Comparison, Novelty, Version, compare
    from entropylaw.distribution import Distribution, Duplicates
    from entropylaw.law import EntropyLaw
    from entropylaw.measuring import Compressed, Ratio, ratio
    from entropylaw.methods.coverage import Coverage, CoverageSelection
    from entropylaw.methods.density import Density, DensitySelection
    from entropylaw.methods.dsir import Dsir, DsirSelection
    from entropylaw.methods.method import Method
    from entropylaw.methods.random import Random, RandomSelection
    from entropylaw.methods.target import TargetCoverage
    from entropylaw.methods.top import Top, TopSelection
    from entropylaw.methods.zip import Round, Zip, ZipSelection
    from entropylaw.methods.zipfit import Zipfit, ZipfitSelection
    from entropylaw.pool.load import load
    from entropylaw.pool.model import Pool
    from entropylaw.results import Selection
    from entropylaw.runs.replaying import replay
    from entropylaw.scoring import Scores, score
    from entropylaw.selecting import select
    from entropylaw.selector import Selector

__all__ = [
    "Comparison",
    "Compressed",
    "Coverage",
    "CoverageSelection",
    "Density",
    "DensitySelection",
    "Distribution",
    "Dsir",
    "DsirSelection",
    "Duplicates",
    "EntropyLaw",
    "EntropyLawError",
    "Method",
    "Novelty",
    "Pool",
    "Progress",
    "Random",
    "RandomSelection",
    "Ratio",
    "Round",
    "Scores",
    "Selection",
    "Selector",
    "Sizer",
    "TargetCoverage",
    "Top",
    "TopSelection",
    "Version",
    "Zip",
    "ZipSelection",
    "Zipfit",
    "ZipfitSelection",
    "__version__",
    "compare",
    "load",
    "ratio",
    "replay",
    "score",
    "select",
]

# Imported when first used: NumPy alone takes longer to import than a command line may take to answer.
_HOME = {
    "load": "pool.load",
    "Pool": "pool.model",
    "Method": "methods.method",
    "Zipfit": "methods.zipfit",
    "ZipfitSelection": "methods.zipfit",
    "Dsir": "methods.dsir",
    "DsirSelection": "methods.dsir",
    "Density": "methods.density",
    "DensitySelection": "methods.density",
    "Top": "methods.top",
    "Random": "methods.random",
    "Zip": "methods.zip",
    "Coverage": "methods.coverage",
    "Comparison": "comparing",
    "Compressed": "measuring",
    "CoverageSelection": "methods.coverage",
    "Distribution": "distribution",
    "Duplicates": "distribution",
    "EntropyLaw": "law",
    "Novelty": "comparing",
    "Progress": "_core",
    "RandomSelection": "methods.random",
    "Ratio": "measuring",
    "Round": "methods.zip",
    "Selection": "results",
    "Selector": "selector",
    "Scores": "scoring",
    "Sizer": "_core",
    "TargetCoverage": "methods.target",
    "TopSelection": "methods.top",
    "Version": "comparing",
    "ZipSelection": "methods.zip",
    "__version__": "_core",
    "compare": "comparing",
    "ratio": "measuring",
    "replay": "runs.replaying",
    "score": "scoring",
    "select": "selecting",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
