"""``select`` on a Ray cluster."""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ray

from entropylaw import parameters
from entropylaw.asked import Asked
from entropylaw.errors import EntropyLawError
from entropylaw.integrations.ray.actors import RESTARTS, Actors
from entropylaw.integrations.ray.blocks import dealt as dealt_blocks
from entropylaw.integrations.ray.blocks import is_dataset
from entropylaw.integrations.ray.selection import RaySelection, Stats
from entropylaw.methods.method import Method
from entropylaw.parts.leading import check_method, lead, reading_of
from entropylaw.parts.parts import Traffic
from entropylaw.parts.pieces import Listed, dealt, files_of
from entropylaw.pool.arena import MEMORY
from entropylaw.pool.formats import Format
from entropylaw.pool.load import OnError
from entropylaw.pool.paths import expanded
from entropylaw.pool.reading import Reading
from entropylaw.pool.records import Records
from entropylaw.pool.schema import Render
from entropylaw.storage.options import takes_storage_options

Paths = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]

_MOST_PARTS = 4096


@takes_storage_options
def select(
    data: Paths | Any,
    *,
    budget: int | str,
    method: str | Method = "zip",
    partitions: int | None = None,
    address: str | None = None,
    restarts: int = RESTARTS,
    render: Render = "text",
    schema: str | None = None,
    field: str | None = None,
    on_error: OnError = "raise",
    format: Format | None = None,
    memory: int | str = MEMORY,
    storage_options: Mapping[str, Any] | None = None,
    threads: int | None = None,
    progress: Callable[[Any], object] | None = None,
    **options: Any,
) -> RaySelection:
    """Selects from a pool that lies in parts on the machines of a Ray cluster; the picks are those of
    ``entropylaw.select``.

    Each part is an actor that reads its files, or its blocks, and keeps them. Files are dealt to the parts in order, so
    that each reads about as many bytes; a large file of JSON Lines that is not compressed, and not in storage, is cut
    at lines, and one of Parquet at row groups. An actor that is lost with its process or node is made again from its
    files, and brought to where it was.

    Parameters
    ----------
    data : path, list of paths, or ray.data.Dataset
        Files, patterns, directories or URLs, which all nodes can read by these names; or a data set, in its order.
    budget, method, options
        As for ``entropylaw.select``: the method's options and all controls. Methods are ``"zip"``, ``"coverage"``,
        ``"random"``, ``"top"`` and ``"dsir"``; groups are those of a field or an array.
    partitions : int, optional
        Parts of the pool; by default one for each node with processors. The result does not depend on it.
    address : str, optional
        The cluster, as ``ray.init`` takes it: ``"auto"``, ``"ray://host:10001"``. By default the one that is connected
        already; if none is, that of ``RAY_ADDRESS``, or a new one on this machine.
    restarts : int
        Times that each part may be lost and made again.
    render, schema, field, on_error, format, storage_options, progress
        As for ``entropylaw.select``.
    memory : int or str
        Bytes of samples that each part holds in memory; more of them lie in a temporary file on its node.
    threads : int, optional
        How many each part uses; by default its share of the node's processors.

    Returns
    -------
    RaySelection
        It holds the parts, where its records are, until it is closed: ``with select(...) as selection:``.

    Raises
    ------
    EntropyLawError
        As ``entropylaw.select``; also if there is no such cluster, if a method or control can't be had in parts, or if
        a part is lost more often than ``restarts`` times.

    Examples
    --------
    >>> from entropylaw.integrations.ray import select
    >>> with select("shards/*.jsonl", budget="1%", method="coverage") as selection:  # doctest: +SKIP
    ...     selection.save("subset")
    """
    asked = asked_for(
        budget=budget,
        method=method,
        options=options,
        render=render,
        schema=schema,
        field=field,
        on_error=on_error,
        format=format,
        memory=memory,
        threads=threads,
        progress=progress,
    )
    return begun(data, asked, partitions=partitions, address=address, restarts=restarts)


def asked_for(*, options: Mapping[str, Any], **how: Any) -> Asked:
    """What the parameters of ``select`` ask for; ``options`` are the method's and all controls.

    Raises
    ------
    EntropyLawError
        If a parameter doesn't fit, or can't be had in parts.
    """
    asked = Asked.of(
        options={name: value for name, value in options.items() if name not in _COMMON},
        **how,
        **{name: value for name, value in options.items() if name in _COMMON},
    )
    check_method(asked.method)
    reading_of(asked)
    return asked


def begun(
    data: Paths | Any,
    asked: Asked,
    *,
    partitions: int | None = None,
    address: str | None = None,
    restarts: int = RESTARTS,
    check: Callable[[Records], object] | None = None,
) -> RaySelection:
    """See ``select``. ``check`` is called with the records once they are read; what it raises ends it."""
    format, threads, progress = (asked.given[name] for name in ("format", "threads", "progress"))
    if partitions is not None:
        partitions = parameters.whole("partitions", partitions, 1, _MOST_PARTS)
    restarts = parameters.whole("restarts", restarts, 0)
    files: list[Listed] = []
    left_out: list[str] = []
    if not is_dataset(data):
        paths = _paths(data)
        found = expanded(paths, format)
        found.tell()
        files, left_out = files_of(found.paths), found.left_out
    elif format is not None:
        raise EntropyLawError("a format is that of files, and the pool is none; leave it out (format=)")
    asked = asked.with_data()
    began_ray = connect(address)
    actors: Actors | None = None
    try:
        count = partitions or len(Actors.nodes())
        shares: Sequence[Any]
        shares = dealt_blocks(data, count) if is_dataset(data) else dealt(files, count, format)
        actors = Actors(count, restarts)
        if progress is not None:
            actors.progress = lambda done, total: progress(Reading(done, max(total, done)))
        stages: dict[str, Traffic] = {}
        each = [threads] * count if threads is not None else actors.threads()
        selection = lead(
            actors,
            shares,
            files,
            asked,
            left_out=left_out,
            threads=each,
            progress=progress,
            stages=stages,
            check=check,
        )
        stats = Stats(
            partitions=count,
            stages=stages,
            restarts=actors.restarts,
            memory=tuple(actors.all("memory")),
        )
        return RaySelection(selection, actors, stats, began_ray)
    except BaseException:
        if actors is not None:
            actors.close()
        if began_ray:
            ray.shutdown()
        raise


_COMMON = (
    "group_by",
    "quota",
    "balance",
    "min_score",
    "weight",
    "length_band",
    "ratio_band",
    "dedupe",
    "anchor",
    "tokens",
    "decontaminate",
    "benchmark",
    "id",
    "checkpoint",
    "resume",
    "initial_subset",
)
"""What ``entropylaw.select`` takes besides the options of methods."""


def connect(address: str | None) -> bool:
    """Connects to a cluster, unless this process is connected; returns whether it was not.

    Raises
    ------
    EntropyLawError
        If there is none at ``address``.
    """
    if ray.is_initialized():
        return False
    try:
        alone = {} if address else {"include_dashboard": False}
        ray.init(address=address, logging_level="error", log_to_driver=False, **alone)
    except (ConnectionError, ValueError, RuntimeError, OSError) as error:
        where = "a new cluster on this machine" if address is None else f"the cluster at {address!r}"
        why = " ".join(str(error).split())[:300]
        raise EntropyLawError(f"{where} can't be reached: {why}; see `ray status` (address=, --ray)") from None
    return True


def _paths(data: Any) -> list[str | os.PathLike[str]]:
    if isinstance(data, str | os.PathLike):
        return [parameters.path("the pool", data)]
    if isinstance(data, Sequence) and data and all(isinstance(path, str | os.PathLike) for path in data):
        return list(data)
    raise EntropyLawError(
        f"the pool is {type(data).__name__}; on Ray it must be paths that all nodes can read, or a "
        "ray.data.Dataset, such as ray.data.from_arrow(...)"
    )
