"""What ``entropylaw select`` takes for every method: controls and checkpoints."""

import argparse
import contextlib
from collections.abc import Iterator
from typing import Any

from entropylaw.cli.terminal import say
from entropylaw.display import short

_CONTROLS = (
    "group_by",
    "quota",
    "balance",
    "min_score",
    "weight",
    "length_band",
    "ratio_band",
    "dedupe",
    "tokens",
    "decontaminate",
)

_SHOWN = 6


def add_controls(parser: argparse.ArgumentParser) -> None:
    """Adds the controls."""
    controls = parser.add_argument_group("controls, for every method")
    controls.add_argument(
        "--group-by",
        metavar="FIELD",
        help="the field that groups are made by, or cluster:N for N groups of alike samples [source]",
    )
    controls.add_argument(
        "--quota",
        metavar="QUOTAS",
        help="what groups get of the budget, such as 'gsm8k=10%%,t0<=20%%,*>=1%%'; * is every group not named",
    )
    controls.add_argument(
        "--balance",
        type=float,
        metavar="TAU",
        help="share the budget among the groups by their size to this power: 1 as in the pool, 0 equally",
    )
    controls.add_argument(
        "--min-score", metavar="FIELD>=X", help="exclude samples with a lower number there; several with commas"
    )
    controls.add_argument("--weight", metavar="FIELD", help="how much a sample is wanted; top goes by it alone")
    controls.add_argument("--length-band", metavar="LOW:HIGH", help="exclude samples of fewer or more bytes")
    controls.add_argument(
        "--ratio-band", metavar="LOW:HIGH", help="exclude samples whose own R is outside: too noisy, too repetitive"
    )
    controls.add_argument(
        "--dedupe",
        action=argparse.BooleanOptionalAction,
        help="of equal samples, select the first at most [coverage: yes, others: no]",
    )
    controls.add_argument(
        "--anchor",
        "--initial-subset",
        nargs="+",
        metavar="FILE",
        help="data that you have already: not selected, and its content counts as known",
    )
    controls.add_argument(
        "--tokens", metavar="WHAT", help="what counts tokens: a field, a tokenizer.json, or tiktoken:NAME"
    )
    controls.add_argument(
        "--decontaminate",
        nargs="?",
        const="exclude",
        choices=["exclude", "report"],
        help="exclude samples that hold 13 words in a row of target or benchmark, or only report them [exclude]",
    )
    controls.add_argument(
        "--benchmark", nargs="+", metavar="FILE", help="text that --decontaminate looks for, besides the target's"
    )


def add_checkpoint(parser: argparse.ArgumentParser) -> None:
    """Adds what records the work and resumes it."""
    work = parser.add_argument_group("checkpoints")
    work.add_argument("--checkpoint", metavar="DIR", help="record the work in DIR as it is done")
    work.add_argument("--resume", action="store_true", help="go on with what is recorded in DIR, if anything is")


def given_controls(arguments: argparse.Namespace) -> dict[str, Any]:
    """The controls that were given, but for anchor and benchmark."""
    return {name: value for name in _CONTROLS if (value := getattr(arguments, name)) is not None}


@contextlib.contextmanager
def resumable(arguments: argparse.Namespace) -> Iterator[None]:
    """Says how to go on if the work is interrupted."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        if arguments.checkpoint:
            say(f"the work is in {arguments.checkpoint}; go on with --resume")
        raise


def control_lines(summary: dict[str, Any]) -> list[str]:
    """What the controls did, for people."""
    lines = []
    if summary["excluded"]:
        excluded = ", ".join(f"{count:,} by {reason}" for reason, count in summary["excluded"].items())
        lines.append(f"excluded  {excluded}; {summary['candidates']:,} candidates left")
    if "contamination" in summary:
        for file in summary["contamination"]["files"]:
            unable = f"; {file['not_comparable']:,} too short or common to tell" if file["not_comparable"] else ""
            known = f", {file['known_texts']:,} in the pool by 70 % or more" if file["known_texts"] else ""
            lines.append(
                f"overlap   {file['samples']:,} samples hold text of {short(file['name'])} ({file['texts']:,} "
                f"texts{known}{unable})"
            )
    budget = summary["budget"]
    if budget["unit"] != "samples":
        lines.append(f"budget    {budget['selected']:,} of {budget['amount']:,} {budget['unit']}, {budget['rule']}")
    if "quotas" in summary:
        quotas = {
            name: quota
            for name, quota in summary["quotas"].items()
            if quota["least"] or quota["most"] < budget["amount"]
        }
        most_first = sorted(quotas.items(), key=lambda item: -item[1]["selected"])
        shown = ", ".join(
            f"{short(name) or '(none)'} {quota['selected']:,} ({quota['least']:,} to {quota['most']:,})"
            for name, quota in most_first[:_SHOWN]
        )
        more = f", and {len(quotas) - _SHOWN} more" if len(quotas) > _SHOWN else ""
        lines.append(f"quotas    {shown}{more}")
    if "balance" in summary:
        lines.append(_balance_line(summary["balance"], budget["unit"]))
    return lines


def _balance_line(groups: dict[str, dict[str, int]], unit: str) -> str:
    """The shares of the largest groups before and after."""
    before, after = (max(1, sum(group[which] for group in groups.values())) for which in ("available", "selected"))
    largest = sorted(groups.items(), key=lambda item: -item[1]["selected"])
    shown = ", ".join(
        f"{short(name) or '(none)'} {group['selected'] / after:.1%} (was {group['available'] / before:.1%})"
        for name, group in largest[:_SHOWN]
    )
    more = f", and {len(largest) - _SHOWN:,} more groups" if len(largest) > _SHOWN else ""
    return f"balance   {shown}{more}; shares of {unit}"
