"""Controls as a user gives them, checked before the pool is read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from entropylaw import parameters
from entropylaw.budget import Budget
from entropylaw.controls.balance import parse_balance
from entropylaw.controls.bands import Band, MinScore, parse_min_score
from entropylaw.controls.fields import labels_of, values_of
from entropylaw.controls.quotas import Quotas, QuotasLike
from entropylaw.controls.tokens import is_tokenizer
from entropylaw.errors import EntropyLawError
from entropylaw.pool import Pool

CLUSTERS = "cluster:"
"""Begins a ``group_by`` that asks for so many groups of samples that are written alike."""

MOST_CLUSTERS = 1024

BandLike = str | tuple[float | None, float | None]


@dataclass(frozen=True)
class Controls:
    """What to exclude, how to share the budget, and what counts more; see ``entropylaw.select``."""

    group_by: str | Sequence[str] | NDArray[Any] = "source"
    quota: QuotasLike | None = None
    balance: float | None = None
    min_score: MinScore | None = None
    weight: str | Sequence[float] | NDArray[Any] | None = None
    length_band: BandLike | None = None
    ratio_band: BandLike | None = None
    dedupe: bool | None = None
    anchor: Pool | NDArray[np.int64] | None = None
    tokens: Any = None
    decontaminate: bool | Literal["exclude", "report"] | None = None
    benchmark: Any = None
    """A pool, once it is read."""
    id: str | None = None
    """The field that names a record, for ``Selection.ids``."""

    def __post_init__(self) -> None:
        # Whatever can't be understood is refused now: reading the pool may take long.
        if isinstance(self.group_by, str):
            parameters.text("group_by", self.group_by, "the name of a field, or a group for each sample")
            if self.clusters is not None and self.quota is None and self.balance is None:
                raise EntropyLawError(f"group_by {self.group_by!r} makes groups for balance or quota: give one of them")
        else:
            labels_of(self.group_by)
        if self.balance is not None:
            object.__setattr__(self, "balance", parse_balance(self.balance))
        if self.weight is not None and not isinstance(self.weight, str):
            values_of("weight", self.weight)
        if isinstance(self.decontaminate, bool | np.bool_):
            object.__setattr__(self, "decontaminate", "exclude" if self.decontaminate else None)
        if self.decontaminate is not None:
            parameters.one_of("decontaminate", self.decontaminate, ("exclude", "report"))
        if self.id is not None:
            parameters.text("id", self.id, "the name of a field")
        if self.dedupe is not None:
            object.__setattr__(self, "dedupe", parameters.flag("dedupe", self.dedupe))
        if self.tokens is not None and not isinstance(self.tokens, str) and not is_tokenizer(self.tokens):
            values_of("tokens", self.tokens)
        _ = self.quotas, self.least_scores, self.lengths, self.ratios

    def check(self, budget: Budget) -> None:
        """Raises EntropyLawError unless tokens go with the budget."""
        if budget.unit == "tokens" and self.tokens is None:
            raise EntropyLawError(
                f"the budget is {budget.given!r}; say how many tokens samples have: tokens= (--tokens) a field, a "
                "tokenizer, or tiktoken:NAME"
            )
        if budget.unit != "tokens" and self.tokens is not None:
            raise EntropyLawError(f"tokens go with a budget in tokens, such as '2M tokens', not with {budget.given!r}")

    def check_overlap(self, target: object) -> None:
        """Raises EntropyLawError unless there is text to look for, and a reason to."""
        if self.decontaminate is not None and self.benchmark is None and target is None:
            raise EntropyLawError(
                "decontaminate looks for text of a benchmark, or of the target; name one: benchmark= (--benchmark) or "
                "target= (--target)"
            )
        if self.decontaminate is None and self.benchmark is not None:
            raise EntropyLawError(
                "a benchmark is what decontaminate looks for; say what to do with samples that hold text of it: "
                "decontaminate= (--decontaminate) 'exclude' or 'report'"
            )

    @property
    def quotas(self) -> Quotas | None:
        """``quota``, understood."""
        return None if self.quota is None else Quotas.parse(self.quota)

    @property
    def least_scores(self) -> Mapping[str, float]:
        """``min_score``, understood."""
        return {} if self.min_score is None else parse_min_score(self.min_score)

    @property
    def lengths(self) -> Band | None:
        """``length_band``, understood."""
        return None if self.length_band is None else Band.parse("length_band", self.length_band)

    @property
    def ratios(self) -> Band | None:
        """``ratio_band``, understood."""
        return None if self.ratio_band is None else Band.parse("ratio_band", self.ratio_band)

    @property
    def group_field(self) -> str:
        """The field that names groups; that of sources if none does."""
        return self.group_by if isinstance(self.group_by, str) and self.clusters is None else "source"

    @property
    def clusters(self) -> int | None:
        """How many clusters are to be the groups, if clusters are."""
        if not isinstance(self.group_by, str) or not self.group_by.startswith(CLUSTERS):
            return None
        number = self.group_by.removeprefix(CLUSTERS)
        count = int(number) if number.isascii() and number.isdecimal() and len(number) < 9 else 0
        if not 2 <= count <= MOST_CLUSTERS:
            raise EntropyLawError(
                f"group_by is {parameters.shown(self.group_by)}; it must be like 'cluster:64', from 2 to "
                f"{MOST_CLUSTERS:,}"
            )
        return count

    @property
    def numbers(self) -> tuple[str, ...]:
        """The fields that have to be read as numbers."""
        named = [*self.least_scores]
        named += [self.weight] if isinstance(self.weight, str) else []
        named += [self.tokens] if isinstance(self.tokens, str) and not is_tokenizer(self.tokens) else []
        return tuple(dict.fromkeys(named))

    def given(self) -> dict[str, Any]:
        """The controls that were given, as a manifest's parameters."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if value is not None}
