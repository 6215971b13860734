"""Budgets and quotas as they are defined, for the oracles."""

from collections.abc import Iterable, Mapping, Sequence


class Limits:
    """What may still be selected.

    A sample fits if, with it, nothing is exceeded: not the budget, of which what groups are still owed of their least
    is not to be spent otherwise, nor the most that its group gets. Groups with shares get exactly those, as long as
    anything fits; from then on the quotas hold.
    """

    def __init__(
        self,
        budget: int,
        costs: Sequence[int] | None = None,
        groups: Sequence[str] = (),
        quotas: Mapping[str, tuple[int, int]] | None = None,
        shares: Mapping[str, int] | None = None,
    ) -> None:
        self._budget = budget
        self._costs = costs
        self._groups = groups
        self._then = quotas or {}
        self._quotas = self._then if shares is None else {group: (share, share) for group, share in shares.items()}
        self._taken: list[int] = []

    def cost(self, index: int) -> int:
        return 1 if self._costs is None else self._costs[index]

    def _spent(self, taken: Sequence[int], group: str | None = None) -> int:
        return sum(self.cost(index) for index in taken if group is None or self._groups[index] == group)

    def left(self) -> int:
        return self._budget - self._spent(self._taken)

    def fits(self, index: int) -> bool:
        then = [*self._taken, index]
        owed = sum(max(0, least - self._spent(then, group)) for group, (least, _) in self._quotas.items())
        if self._spent(then) + owed > self._budget:
            return False
        group = self._groups[index] if self._quotas else ""
        return group not in self._quotas or self._spent(then, group) <= self._quotas[group][1]

    def fitting(self, indices: Iterable[int]) -> list[int]:
        """Those of all that are left that fit; once none does, shares count no more."""
        left = list(indices)
        found = [index for index in left if self.fits(index)]
        if not found and self._quotas is not self._then:
            self._quotas = self._then
            found = [index for index in left if self.fits(index)]
        return found

    def take(self, index: int) -> None:
        self._taken.append(index)
