"""zlib, the paper's: ``len(zlib.compress(raw, 9))``, by the core."""

from typing import ClassVar, NoReturn

from entropylaw import _core
from entropylaw.codecs.compressor import Compressor


class Zlib(Compressor):
    """zlib at level 9. Its sizes are those of one version, whatever is installed."""

    name: ClassVar[str] = "zlib"
    levels: ClassVar[tuple[int, int, int]] = (9, 9, 9)
    about: ClassVar[str] = (
        "zlib.compress(raw, 9), the paper's compressor. It looks back 32 KiB: repetition over longer distances does "
        "not show in its R."
    )
    in_core: ClassVar[bool] = True

    def described(self, level: int, raw: int) -> str:
        return _core.Sizer().codec

    def stream(self, level: int, raw: int, threads: int) -> NoReturn:
        raise NotImplementedError("the core sizes with zlib")

    def memory(self, level: int, raw: int, threads: int) -> NoReturn:
        raise NotImplementedError("the core sizes with zlib")
