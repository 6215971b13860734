"""Selection in the manner of scikit-learn and apricot: ``Selector(...).fit(X)``."""

from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from entropylaw.errors import EntropyLawError
from entropylaw.methods.method import Method
from entropylaw.pool import Pool, PoolLike
from entropylaw.results import Selection
from entropylaw.selecting import select

T = TypeVar("T")


class Selector:
    """Selects from whatever ``fit`` is given.

    Parameters
    ----------
    n_samples : int or str
        The budget; see ``entropylaw.select``.
    method, options
        As for ``entropylaw.select``.

    Attributes
    ----------
    ranking_ : NDArray[np.int64]
        Positions of the chosen rows in what was given, in pick order; shape ``(selected,)``.
    gains_ : NDArray[np.float64]
        The gain of each pick; shape ``(selected,)``.
    selection_ : Selection
        All that is known.
    n_rows_ : int
        Rows of what was given.

    Examples
    --------
    >>> from entropylaw import Selector
    >>> texts = ["a dog sat", "the cat sat on a mat", "there sat the cat", "the cat ran"]
    >>> selector = Selector(2, method="coverage").fit(texts)
    >>> selector.ranking_.tolist(), selector.transform(texts)
    ([3, 2], ['the cat ran', 'there sat the cat'])
    """

    def __init__(self, n_samples: int | str, *, method: str | Method = "zip", **options: Any) -> None:
        self.n_samples = n_samples
        self.method = method
        self.options = options

    def fit(self, X: PoolLike | Pool, y: object = None) -> Self:
        """Selects from ``X``, which is anything that ``select`` takes; ``y`` is there for pipelines and not used.

        Raises
        ------
        EntropyLawError
            See ``entropylaw.select``.
        """
        self.selection_: Selection = select(X, budget=self.n_samples, method=self.method, **self.options)
        self.ranking_: NDArray[np.int64] = self.selection_.rows
        self.gains_: NDArray[np.float64] = self.selection_.gains
        self.n_rows_ = self.selection_.pool.total_rows
        return self

    def get_support(self, indices: bool = False) -> NDArray[Any]:
        """Which rows are chosen: a mask of shape ``(n_rows_,)``, or their positions in rising order."""
        self._check()
        if indices:
            return np.sort(self.ranking_)
        mask = np.zeros(self.n_rows_, dtype=bool)
        mask[self.ranking_] = True
        return mask

    def transform(self, X: T) -> T:
        """The chosen rows of ``X``, in pick order and in its type; see ``Selection.take``."""
        self._check()
        return self.selection_.take(X)

    def fit_transform(self, X: Any, y: object = None) -> Any:
        """``fit`` and ``transform``."""
        return self.fit(X, y).transform(X)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The parameters, as scikit-learn asks for them."""
        return {"n_samples": self.n_samples, "method": self.method, **self.options}

    def set_params(self, **parameters: Any) -> Self:
        """Sets parameters, as scikit-learn does; those of ``select`` among them."""
        for name, value in parameters.items():
            if name in ("n_samples", "method"):
                setattr(self, name, value)
            else:
                self.options[name] = value
        return self

    def __repr__(self) -> str:
        given = "".join(f", {name}={value!r}" for name, value in self.options.items())
        return f"Selector({self.n_samples!r}, method={self.method!r}{given})"

    def _check(self) -> None:
        if not hasattr(self, "selection_"):
            raise EntropyLawError("nothing is selected yet: call fit first")
