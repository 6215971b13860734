"""Budgets and quotas as they are defined, for the oracles."""

from collections.abc import Mapping, Sequence


class Limits:
    """What may still be selected.

    A sample fits if, with it, nothing is exceeded: not the budget, of which what groups are still owed of their least
    is not to be spent otherwise, nor the most that its group gets.
    """

    def __init__(
        self,
        budget: int,
        costs: Sequence[int] | None = None,
        groups: Sequence[str] = (),
        quotas: Mapping[str, tuple[int, int]] | None = None,
    ) -> None:
        self._budget = budget
        self._costs = costs
        self._groups = groups
        self._quotas = quotas or {}
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
        return not self._quotas or self._spent(then, self._groups[index]) <= self._quotas[self._groups[index]][1]

    def take(self, index: int) -> None:
        self._taken.append(index)
