"""The parts of a pool as actors of Ray, one each; an actor that is lost is made again, and asked again what it was."""

import logging
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import ray
from ray.exceptions import RayActorError, RayError, RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from entropylaw import _core
from entropylaw.errors import EntropyLawError
from entropylaw.integrations.ray.blocks import Blocks
from entropylaw.parts.part import Part, changes
from entropylaw.parts.parts import Arguments, Parts, size_of

RESTARTS = 4
"""Times that a part is made again, unless it is said otherwise."""
_LARGE = 100_000
"""Bytes above which what goes to several parts lies in Ray's store."""
_POLL = 0.1
"""Seconds between two looks at how far the parts are."""

_DEAD, _DETAIL = "The actor is dead because ", " Worker exit type:"
"""What Ray says before the reason of an actor's end, and behind it."""
_LONGEST = 300
"""Characters of a reason."""
_CLOSED = "the parts of the pool are closed; select again"

_log = logging.getLogger("entropylaw")


class _Actor:
    """A part, as an actor of Ray. Its constructor takes nothing: what it has to know comes in calls, which are logged
    by who leads."""

    def __init__(self) -> None:
        self._part = Part()

    def version(self) -> str:
        """The version of this package here."""
        return _core.__version__

    def call(self, method: str, *arguments: Any) -> tuple[bool, Any]:
        """Whether a call of the part went well, and what it returned or what is wrong."""
        try:
            return True, self._part.call(method, *map(_here, arguments))
        except EntropyLawError as error:
            return False, str(error)

    def far(self) -> tuple[int, int]:
        """How far reading is."""
        return self._part.far()

    def blocks(self, positions: Any, schema: Any, columns: Any, ends: Sequence[int]) -> Any:
        """Records as tables, each of a run of them, which are where it ``ends``; each is an object of Ray's store."""
        table = self._part.call("table", positions, schema, columns)
        runs = [table.slice(low, high - low) for low, high in pairwise(ends)]
        return runs if len(runs) > 1 else runs[0]


def _here(argument: Any) -> Any:
    """An argument with the blocks that it refers to."""
    return argument.here() if isinstance(argument, Blocks) else argument


class Actors(Parts):
    """Parts that are actors of Ray, spread over the nodes of the cluster.

    They reserve no processors, so that a data set of Ray can be computed while they are there. Whatever changes the
    state of a part is logged here; a part that is made again, from its files, is asked it again, and so answers as the
    lost one would.

    Parameters
    ----------
    count
        How many.
    restarts
        How often each may be made again.
    """

    def __init__(self, count: int, restarts: int = RESTARTS) -> None:
        super().__init__()
        self._restarts = restarts
        self._lost = [0] * count
        self._log: list[list[tuple[str, tuple[Any, ...]]]] = [[] for _ in range(count)]
        self._nodes = self.nodes()
        self._actors: list[Any] = [None] * count
        self._loaded: list[Any] = []
        self._why = ""
        """Why a part was lost last."""
        self.progress: Callable[[int, int], object] | None = None
        """Hears how many bytes the parts have read of how many."""
        try:
            for number in range(count):
                self._actors[number] = self._made(number)
            self._check_versions()
        except BaseException:
            self.close()
            raise

    def __len__(self) -> int:
        return len(self._actors)

    def call(self, method: str, arguments: Arguments) -> list[Any]:
        sent = _shared(arguments)
        pending = {
            number: self._submitted(number, method, given) for number, given in enumerate(sent) if given is not None
        }
        answers: dict[int, tuple[bool, Any]] = {}
        watched = method == "load" and self.progress is not None
        while pending:
            if watched:
                self._tell_progress(pending.values())
            for number, answer in self._received(pending, patient=not watched).items():
                del pending[number]
                if answer is None:
                    given = sent[number]
                    assert given is not None
                    self._remake(number)
                    pending[number] = self._submitted(number, method, given)
                else:
                    answers[number] = answer
        for number in sorted(answers):
            went_well, value = answers[number]
            if not went_well:
                raise EntropyLawError(value)
        for number, given in enumerate(arguments):
            if given is not None and (kept := changes(method, given)) is not None:
                self._log[number].append((method, kept))
        found = [answers[number][1] if number in answers else None for number in range(len(self))]
        if method == "load":
            self._loaded = found
        self._count(arguments, found)
        return found

    def blocks(self, arguments: Arguments, count: int) -> list[list[Any] | None]:
        """Has each part put so many tables into Ray's store; returns references to them. See ``_Actor.blocks``."""
        made = {number: self._blocks(number, given, count) for number, given in enumerate(arguments) if given}
        for number, refs in made.items():
            while True:
                try:
                    ray.wait(refs, num_returns=len(refs), fetch_local=False)
                    # What was lost is ready too.
                    ray.get(self._actors[number].version.remote())
                    break
                except RayError as error:
                    self._why = _reason(error)
                    self._remake(number)
                    given = arguments[number]
                    assert given is not None
                    made[number] = refs = self._blocks(number, given, count)
        return [made.get(number) for number in range(len(self))]

    def _blocks(self, number: int, given: Sequence[Any], count: int) -> list[Any]:
        if (actor := self._actors[number]) is None:
            raise EntropyLawError(_CLOSED)
        refs = actor.blocks.options(num_returns=count).remote(*given)
        return refs if isinstance(refs, list) else [refs]

    @staticmethod
    def nodes() -> list[str]:
        """The nodes that there are, in an order that does not change; those without processors only lead."""
        alive = [node for node in ray.nodes() if node["Alive"]]
        able = [node for node in alive if node["Resources"].get("CPU")] or alive
        return sorted(node["NodeID"] for node in able)

    def threads(self) -> list[int]:
        """How many threads each part may use, so that those on a node share its processors."""
        processors = {node["NodeID"]: int(node["Resources"].get("CPU", 1)) for node in ray.nodes()}
        parts = [self._nodes[number % len(self._nodes)] for number in range(len(self))]
        return [max(1, processors.get(node, 1) // parts.count(node)) for node in parts]

    def close(self) -> None:
        """Ends the actors, whatever they are doing."""
        for actor in self._actors:
            if actor is not None and ray.is_initialized():
                ray.kill(actor)
        self._actors = [None] * len(self._actors)

    def _submitted(self, number: int, method: str, given: Sequence[Any]) -> Any:
        actor = self._actors[number]
        if actor is None:
            raise EntropyLawError(_CLOSED)
        return actor.call.remote(method, *given)

    def _received(self, pending: dict[int, Any], patient: bool) -> dict[int, tuple[bool, Any] | None]:
        """What has come of the calls that are pending; None for a part that was lost. At least one has, if
        ``patient``."""
        if patient:
            try:
                return dict(zip(pending, ray.get(list(pending.values())), strict=True))
            except RayError:
                pass
        done, _ = ray.wait(list(pending.values()), num_returns=1, timeout=_POLL)
        return {number: self._got(number, ref) for number, ref in pending.items() if ref in done}

    def _got(self, number: int, ref: Any) -> tuple[bool, Any] | None:
        try:
            found: tuple[bool, Any] = ray.get(ref)
            return found
        except RayTaskError as error:
            cause = error.cause
            # An object that a call needs may be lost with its node, and made anew.
            if isinstance(cause, RayError):
                self._why = _reason(cause)
                return None
            raise
        except RayError as error:
            self._why = _reason(error)
            return None

    def _remake(self, number: int) -> None:
        """Makes a part again, as it was."""
        while True:
            self._lost[number] += 1
            if self._lost[number] > self._restarts:
                raise EntropyLawError(
                    f"part {number + 1} of {len(self)} was lost {self._lost[number]} times, the last: {self._why}; "
                    "look at its node's memory, or make more parts of less each (partitions=, --partitions)"
                )
            _log.warning("part %d of %d was lost, and is made again: %s", number + 1, len(self), self._why)
            self.restarts += 1
            _kill(self._actors[number])
            self._nodes = self.nodes()
            try:
                self._actors[number] = self._made(number)
                if self._replayed(number):
                    return
            except RayError as error:
                self._why = _reason(error)

    def _replayed(self, number: int) -> bool:
        """Asks a new part what the lost one was asked; whether it got through."""
        for method, given in self._log[number]:
            answer = self._got(number, self._submitted(number, method, given))
            if answer is None:
                return False
            went_well, value = answer
            if not went_well:
                raise EntropyLawError(value)
            if method == "load":
                self._check_same(number, value)
        return True

    def _check_same(self, number: int, loaded: Any) -> None:
        """Raises EntropyLawError if a part that is read again is not what it was."""
        if not loaded.same(self._loaded[number]):
            raise EntropyLawError(
                f"part {number + 1} of {len(self)} was read again, and its files have changed meanwhile; run again"
            )

    def _made(self, number: int) -> Any:
        # One that was lost goes elsewhere: its node may be gone, though nobody has noticed yet. Not `soft`, which
        # leaves some nodes without a part, and gives others two.
        node = self._nodes[(number + self._lost[number]) % len(self._nodes)]
        strategy = NodeAffinitySchedulingStrategy(node_id=node, soft=False)
        # Two at a time: a call, and the question how far it is.
        options = {"num_cpus": 0, "max_concurrency": 2, "max_restarts": 0, "scheduling_strategy": strategy}
        return ray.remote(_Actor).options(**options).remote()

    def _check_versions(self) -> None:
        for number in range(len(self)):
            try:
                version = self._version(number)
            except RayError as error:
                raise EntropyLawError(
                    f"part {number + 1} cannot begin: {_reason(error)}; is entropylaw installed on all nodes?"
                ) from None
            if version != _core.__version__:
                raise EntropyLawError(
                    f"a node has entropylaw {version}, and {_core.__version__} leads; install the same on all"
                )

    def _version(self, number: int) -> str:
        """The version that an actor has, which may have to be made on another node: one that has just gone is among
        the nodes for some seconds."""
        for _ in range(RESTARTS):
            try:
                version: str = ray.get(self._actors[number].version.remote())
                return version
            except RayActorError:
                self._nodes = self.nodes()
                self._actors[number] = self._made(number)
        return str(ray.get(self._actors[number].version.remote()))

    def _tell_progress(self, pending: Iterable[Any]) -> None:
        assert self.progress is not None
        try:
            found = ray.get([actor.far.remote() for actor in self._actors], timeout=_POLL)
        except RayError:
            # It is busy, or was lost, which the call says.
            return
        self.progress(sum(done for done, _ in found), sum(total for _, total in found))


def _reason(error: BaseException) -> str:
    """Why a part was lost, on one line, and without what identifies it to Ray alone."""
    text = " ".join(str(error).split())
    why = text.partition(_DEAD)[2].partition(_DETAIL)[0].rstrip(".")
    return (why or text)[:_LONGEST]


def _shared(arguments: Arguments) -> list[tuple[Any, ...] | None]:
    """The arguments, of which what is large and goes to several parts is in Ray's store, once."""
    given = [each for one in arguments if one is not None for each in one]
    stored = {id(each): ray.put(each) for each in given if _is_large(each)} if len(arguments) > 1 else {}
    return [None if one is None else tuple(stored.get(id(each), each) for each in one) for one in arguments]


def _is_large(value: Any) -> bool:
    """Whether it is worth a place in Ray's store: below, what goes with a call is faster."""
    return isinstance(value, bytes | np.ndarray) and size_of(value) > _LARGE


def _kill(actor: Any) -> None:
    if actor is not None:
        ray.kill(actor)
