"""How R of a law's runs was measured. R of new data can be held against it only if it is measured alike."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from entropylaw import parameters
from entropylaw.codecs import Codec
from entropylaw.errors import EntropyLawError
from entropylaw.order import described, seed
from entropylaw.pool.template import template_text

if TYPE_CHECKING:
    from entropylaw.measuring import Ratio


@dataclass(frozen=True)
class Measurement:
    """What R depends on, besides the data."""

    codec: str = "zlib"
    """As ``entropylaw.ratio`` names it."""
    render: str = "text"
    """How samples were rendered, as ``Ratio.render`` has it."""
    shuffle: int | None = None
    """Seed of the order in which samples were compressed; None for input order."""
    version: str | None = None
    """Of the codec's library when the law was fitted; None for one that does not tell it, and for an older law."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "codec", Codec.parse(self.codec).key)
        object.__setattr__(self, "shuffle", seed(self.shuffle))
        if not isinstance(self.render, str) or not self.render:
            raise EntropyLawError(
                f"render is {parameters.shown(self.render)}; it must be 'text', 'json', a template or the name of a "
                "function"
            )
        object.__setattr__(self, "render", template_text(self.render) or self.render)

    def __str__(self) -> str:
        rendering = " ".join(self.render.split())
        return f"R by {self.codec}, rendering {rendering}, order {described(self.shuffle)}"

    @property
    def here(self) -> Self:
        """The same with the library that is installed."""
        return replace(self, version=Codec.parse(self.codec).version)

    @property
    def warning(self) -> str | None:
        """What to know if another version of the codec's library is installed."""
        if self.version in (None, self.here.version):
            return None
        return (
            f"the law was fitted with {Codec.parse(self.codec).name} {self.version}, this is {self.here.version}: "
            "sizes, and so R, may differ a little"
        )

    def of(self, R: "float | Ratio") -> float:
        """R as a number.

        Raises
        ------
        EntropyLawError
            If it is a ``Ratio`` that was measured otherwise. A number can't be told.
        """
        from entropylaw.measuring import Ratio

        if not isinstance(R, Ratio):
            return parameters.real("R", R)
        codecs, order = R.by_codec, described(self.shuffle)
        codec = self.codec if self.codec in codecs else ", ".join(codecs)
        for what, theirs, ours, remedy in (
            ("codec", codec, self.codec, f"codecs=[{self.codec!r}]"),
            ("rendering", R.render, self.render, f"render={self.render!r}"),
            ("order", R.order, order, f"shuffle={self.shuffle}"),
        ):
            if theirs != ours:
                raise EntropyLawError(
                    f"R was measured with {what} {theirs!r}, the law's runs with {ours!r}; measure it with {remedy}"
                )
        return float(codecs[self.codec].ratio)
