"""What selecting in parts on Ray costs beside selecting on one machine, on the same processors, in one run.

    python benches/ray_overhead.py big.jsonl --partitions 3

Each method selects twice, from the same file: with ``entropylaw.select`` in this process, and with actors on this
machine, which share its processors. So the ratio of the two is what parts cost: their messages, what each of them does
for all, and what they wait for each other. The picks have to be the same. Ray is begun before, and is not counted.

Then it says what a cluster would take by these numbers, if all of them grew with the pool: the work of one machine,
shared by the nodes, but for what whoever leads does alone; the round trips, each with a latency; and the bytes, over
one network connection of whoever leads. ``make test-ray`` makes an environment for it, ``benches/pool_of_millions.py``
a pool.
"""

import argparse
import logging
import time
from typing import Any, NamedTuple

import ray

import entropylaw
from entropylaw.integrations.ray import Stats, select

_ALONE = ("local",)
"""Stages that whoever leads does alone: the third of ZIP, which picks one by one."""


class Run(NamedTuple):
    """A selection of a method, twice."""

    name: str
    records: int
    picks: int
    local: dict[str, float]
    """Seconds by stage, on one machine."""
    local_seconds: float
    parted_seconds: float
    stats: Stats


def measured(path: str, name: str, partitions: int, how: dict[str, Any]) -> Run:
    """Selects here and in parts."""
    began = time.perf_counter()
    here: Any = entropylaw.select(path, **how)
    local = time.perf_counter() - began
    began = time.perf_counter()
    with select(path, partitions=partitions, **how) as there:
        parted = time.perf_counter() - began
        if there.indices.tolist() != here.indices.tolist():
            raise SystemExit(f"{name}: the picks differ")
        return Run(name, len(here.pool), len(here), dict(here.seconds), local, parted, there.stats)


def told(run: Run) -> None:
    """Prints what a run took."""
    stages = ", ".join(f"{stage} {seconds:.1f}" for stage, seconds in run.local.items())
    print(f"\n{run.name}: {run.picks:,} of {run.records:,} records")
    print(f"  one machine      {run.local_seconds:7.1f} s  ({stages})")
    stages = ", ".join(f"{stage} {seconds:.1f}" for stage, seconds in run.stats.seconds.items())
    print(f"  {run.stats.partitions} parts          {run.parted_seconds:7.1f} s  ({stages})")
    print(f"  ratio            {run.parted_seconds / run.local_seconds:7.2f}")
    for stage, traffic in run.stats.stages.items():
        print(
            f"  {stage:9} {traffic.round_trips:7,} round trips, {traffic.bytes_sent / 1e6:8.1f} MB sent, "
            f"{traffic.bytes_received / 1e6:8.1f} MB received"
        )
    trips = run.stats.stages["select"].round_trips / run.picks
    print(f"  {trips:.2f} round trips a pick; up to {max(run.stats.memory) / 1e6:,.0f} MB a part")


def modelled(run: Run, records: int, nodes: int, latency: float, bandwidth: float) -> None:
    """Prints what so many records would take on so many nodes, each like this machine."""
    grown = records / run.records
    alone = sum(run.local.get(stage, 0.0) for stage in _ALONE)
    shared, alone = (run.local_seconds - alone) * grown / nodes, alone * grown
    trips = sum(traffic.round_trips for traffic in run.stats.stages.values()) * grown
    # Whoever leads sends to each part, and hears from each.
    sent = (run.stats.bytes_sent + run.stats.bytes_received) * grown * nodes / run.stats.partitions
    waited, moved = trips * latency, sent / bandwidth
    print(
        f"  {run.name:9} {records / 1e6:7,.0f} M records, {run.picks * grown / 1e6:6.2f} M picks: "
        f"{(shared + alone + waited + moved) / 3600:6.1f} h = shared work {shared / 3600:.1f} + work of the leader "
        f"{alone / 3600:.1f} + {trips / 1e6:.2f} M round trips {waited / 3600:.2f} + {sent / 1e9:,.0f} GB "
        f"{moved / 3600:.2f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pool", help="lines of JSON, plain")
    parser.add_argument("--partitions", type=int, default=3, help="how many [%(default)s]")
    parser.add_argument("--methods", nargs="+", default=["zip", "coverage"], help="which [%(default)s]")
    parser.add_argument("--zip", default="10000", help="budget of ZIP [%(default)s]")
    parser.add_argument("--share", default="1%", help="budget of the other methods [%(default)s]")
    parser.add_argument("--nodes", type=int, default=16, help="of the cluster of the model [%(default)s]")
    parser.add_argument("--latency", type=float, default=0.6, help="of a round trip, milliseconds [%(default)s]")
    parser.add_argument("--bandwidth", type=float, default=1.0, help="of whoever leads, GB/s [%(default)s]")
    arguments = parser.parse_args()
    logging.getLogger("entropylaw").setLevel(logging.ERROR)
    ray.init(include_dashboard=False, logging_level="error", log_to_driver=False)
    runs = []
    for name in arguments.methods:
        budget = arguments.zip if name == "zip" else arguments.share
        runs.append(measured(arguments.pool, name, arguments.partitions, {"method": name, "budget": budget}))
        told(runs[-1])
    print(f"\nmodel: {arguments.nodes} nodes, {arguments.latency} ms a round trip, {arguments.bandwidth} GB/s")
    for run in runs:
        for records in (100_000_000, 1_000_000_000):
            modelled(run, records, arguments.nodes, arguments.latency / 1e3, arguments.bandwidth * 1e9)


if __name__ == "__main__":
    main()
