"""``entropylaw law``: fit the entropy law to training runs, predict with it, and judge new data by it."""

import argparse
import math
from typing import TYPE_CHECKING, Any

from entropylaw.cli.files import check_files
from entropylaw.cli.pool import add_reading, load_pool, progress_line
from entropylaw.cli.report import add_report, check_report, write_report
from entropylaw.cli.terminal import print_json, print_lines
from entropylaw.errors import EntropyLawError

if TYPE_CHECKING:
    from entropylaw.law import EntropyLaw, FirstEpoch, LossLog, Verdict
    from entropylaw.law.correlations import Correlation
    from entropylaw.report import Page

_RISK = 3

_FIT_EPILOG = """
RUNS is a CSV file with a header and a row for each training run: R of its data (entropylaw ratio), Z, its performance
(higher is better), and, if known, L, the mean loss of its first epoch (entropylaw law loss); name, weight, backbone and
stage are optional. The paper gives no formula: the forms are this program's own, chosen by leave-one-out error.
"""

_CHECK_EPILOG = """
exit codes: 0 no risk found, 3 risk, 2 input to mend

examples:
  entropylaw law check --law law.json --data new.jsonl
  entropylaw law check --law law.json --data new.jsonl --log output/checkpoint-500/trainer_state.json
  entropylaw law check --law law.json --R 2.61 --L 1.12 --against v4
"""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command to the parser."""
    law = commands.add_parser(
        "law",
        help="fit the entropy law to training runs, and judge new data by it",
        description="The entropy law: how performance follows R and the loss of the first epoch.",
    )
    parts = law.add_subparsers(required=True, metavar="COMMAND")
    for part in (_add_fit, _add_predict, _add_check, _add_loss):
        part(parts)


def _add_fit(parts: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    fit = parts.add_parser(
        "fit",
        help="fit the law to training runs",
        description="Fit the law to training runs.",
        epilog=_FIT_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    fit.add_argument("runs", metavar="RUNS", help="CSV file with columns R, Z and, if known, L")
    fit.add_argument("-o", "--output", metavar="LAW", help="where the law goes, as JSON")
    fit.add_argument(
        "--form",
        default="auto",
        help="constant, R, log R, hinge, L, R + L, log R + L or hinge + L; auto takes the one of lowest error [auto]",
    )
    measured = fit.add_argument_group("how R of the runs was measured, which the law keeps for new data")
    measured.add_argument("--codec", default="zlib", help="zlib, zstd or xz, also with a level [%(default)s]")
    measured.add_argument("--render", default="text", help="text, json or a template [%(default)s]")
    measured.add_argument("--shuffle", type=int, metavar="SEED", help="the seed of the order [input order]")
    add_report(fit)
    _add_output(fit)
    fit.set_defaults(run=_fit)


def _add_predict(parts: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    predict = parts.add_parser(
        "predict",
        help="predict performance from R, and L if known",
        description="Predict the performance of a run from R of its data and, if known, the loss of its first epoch.",
    )
    _add_law(predict)
    predict.add_argument("--R", type=float, required=True, metavar="R", help="compression ratio of the data")
    predict.add_argument("--L", type=float, metavar="L", help="mean loss of the first epoch")
    _add_output(predict)
    predict.set_defaults(run=_predict)


def _add_check(parts: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    check = parts.add_parser(
        "check",
        help="judge a new data version, before or during its training",
        description="Judge a data version by its R and, once it trains, by the loss of its first epoch.",
        epilog=_CHECK_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_law(check)
    ratio = check.add_mutually_exclusive_group(required=True)
    ratio.add_argument("--data", nargs="+", metavar="DATA", help="the new data, to be measured as the law's were")
    ratio.add_argument("--R", type=float, metavar="R", help="its compression ratio, if known")
    loss = check.add_mutually_exclusive_group()
    loss.add_argument("--log", metavar="LOG", help="trainer_state.json, trainer_log.jsonl, JSON Lines or CSV")
    loss.add_argument("--L", type=float, metavar="L", help="mean loss of the first epoch, if known")
    check.add_argument("--epoch-steps", type=float, metavar="N", help="optimizer steps of an epoch [from the log]")
    check.add_argument("--against", metavar="NAME", help="the last good version among the law's runs [the last one]")
    check.add_argument("--tolerance", type=float, metavar="Z", help="drops up to this are no risk [the law's noise]")
    add_report(check)
    add_reading(check, "that of the law's runs")
    check.set_defaults(run=_check, render=None)


def _add_loss(parts: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    loss = parts.add_parser(
        "loss",
        help="the mean loss of the first epoch in a training log",
        description="L, the mean loss of the first epoch, of training logs; projected if the epoch is not over.",
    )
    loss.add_argument("logs", nargs="+", metavar="LOG", help="trainer_state.json, trainer_log.jsonl, JSON Lines or CSV")
    loss.add_argument("--epoch-steps", type=float, metavar="N", help="optimizer steps of an epoch [from the log]")
    _add_output(loss)
    loss.set_defaults(run=_loss)


def _add_law(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--law", required=True, metavar="LAW", help="what `entropylaw law fit` wrote")
    parser.add_argument("--group", metavar="GROUP", help="backbone/stage, if the law has several")
    parser.add_argument("--level", type=float, default=0.95, help="level of the intervals and bounds [%(default)s]")


def _add_output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress, no notes")


def _fit(arguments: argparse.Namespace) -> None:
    from entropylaw.law import EntropyLaw
    from entropylaw.law.persistence import check_law

    check_files(arguments)
    if arguments.output is not None:
        check_law(arguments.output, arguments.force)
    check_report(arguments)
    how = {"codec": arguments.codec, "render": arguments.render, "shuffle": arguments.shuffle}
    law = EntropyLaw(arguments.form, **how).fit_runs(arguments.runs)
    if arguments.output is not None:
        law.save(arguments.output, force=arguments.force)
    write_report(arguments, lambda: _page(law))
    if arguments.json:
        print_json(law.summary())
    else:
        print_lines(_fit_lines(law))


def _fit_lines(law: "EntropyLaw") -> list[str]:
    groups = law.by_R.groups
    lines = [f"runs        {len(law.runs)}" + (f" in {len(groups)} groups" if len(groups) > 1 else "")]
    lines.append(f"measured    {law.measurement}")
    for what, fit in (("by R", law.by_R), ("by R and L", law.by_R_and_L), ("L by R", law.expected_L)):
        if fit is not None:
            slopes = "".join(f" {value:+.4g} {_term(name, fit.knot)}" for name, value in fit.slopes.items())
            levels = ", ".join(f"{value:.4g}{f' ({name})' if name else ''}" for name, value in fit.intercepts.items())
            target = "L" if what == "L by R" else "Z"
            lines.append(
                f"{what:<11} {target} = {levels}{slopes}, +- {fit.sigma:.3g} (leave-one-out {fit.loo_rmse:.3g})"
            )
    for name, value in law.correlations.items():
        lines.append(f"Z ~ {name:<7} {_correlation(value)}")
    lines.append(f"skill       {law.skill:.1%} of the variance of Z is predicted leave-one-out")
    return lines + [f"note        {warning}" for warning in law.warnings]


def _term(name: str, knot: float | None) -> str:
    return f"max(0, R - {knot:.4g})" if name == "hinge" else name


def _correlation(value: "Correlation") -> str:
    return (
        f"Pearson {value.pearson:.3f} ({value.pearson_low:.3f} to {value.pearson_high:.3f}), "
        f"Spearman {value.spearman:.3f} ({value.spearman_low:.3f} to {value.spearman_high:.3f})"
    )


def _predict(arguments: argparse.Namespace) -> None:
    from entropylaw.law import EntropyLaw

    check_files(arguments)
    law = EntropyLaw.load(arguments.law)
    found = law.predict(arguments.R, arguments.L, group=arguments.group, level=arguments.level)
    row = {
        "Z": float(found.mean[0]),
        "low": float(found.low[0]),
        "high": float(found.high[0]),
        "level": found.level,
        "form": found.form,
        "extrapolates": bool(found.extrapolates[0]),
    }
    if arguments.json:
        print_json(row)
        return
    lines = [f"Z  {row['Z']:.4g} ({row['low']:.4g} to {row['high']:.4g} at {found.level:.0%}), by {found.form}"]
    if row["extrapolates"]:
        lines.append("note  R or L is outside what the law was fitted to: it may not hold")
    print_lines(lines)


def _check(arguments: argparse.Namespace) -> int:
    from entropylaw.law import EntropyLaw, check

    _check_together(arguments)
    check_files(arguments)
    check_report(arguments)
    law = EntropyLaw.load(arguments.law)
    # Before the data are read: they may be large, and the names wrong.
    log = _read_log(arguments.log, arguments) if arguments.log else arguments.L
    options: dict[str, Any] = {
        "against": arguments.against,
        "group": arguments.group,
        "tolerance": arguments.tolerance,
        "level": arguments.level,
    }
    check(law, float(law.runs.R[0]), log, **options)
    verdict = check(law, arguments.R if arguments.data is None else _measure(law, arguments), log, **options)
    write_report(arguments, lambda: _page(law, verdict, arguments.group))
    if arguments.json:
        print_json(verdict.as_dict())
    else:
        print_lines(_verdict_lines(verdict, law))
    return _RISK if verdict.risk else 0


def _check_together(arguments: argparse.Namespace) -> None:
    """Raises EntropyLawError if an option says how to read what is not read."""
    if arguments.epoch_steps is not None and arguments.log is None:
        raise EntropyLawError("--epoch-steps says how long an epoch of a log is; name the log (--log), or leave it out")
    if arguments.data is not None:
        return
    for name, unused in (("render", None), ("schema", None), ("field", None), ("format", None), ("on_error", "raise")):
        if getattr(arguments, name) != unused:
            raise EntropyLawError(
                f"--{name.replace('_', '-')} says how to read data, and --R is all that is given of them; name them "
                "(--data), or leave it out"
            )


def _page(law: "EntropyLaw", verdict: "Verdict | None" = None, group: str | None = None) -> "Page":
    from entropylaw.report.law import law_page

    return law_page(law, verdict, group)


def _measure(law: "EntropyLaw", arguments: argparse.Namespace) -> float:
    """R of the new data, as the law's runs were measured."""
    from entropylaw.measuring import ratio
    from entropylaw.pool.template import template_text

    how = law.measurement
    if how.render not in ("text", "json") and template_text(how.render) is None:
        raise EntropyLawError(
            f"R of the law's runs was measured with a rendering of their own, {how.render}; measure the data with "
            "entropylaw.ratio(render=...) and give --R"
        )
    if arguments.render not in (None, how.render) and template_text(arguments.render) != how.render:
        raise EntropyLawError(
            f"R of the law's runs was measured with --render {how.render}, not {arguments.render}; leave --render out"
        )
    pool = load_pool(arguments, how.render, arguments.data)
    with progress_line(arguments) as progress:
        measured = ratio(
            pool,
            codecs=(how.codec,),
            shuffle=how.shuffle,
            group_by=None,
            threads=arguments.threads,
            progress=progress,
        )
    return measured.ratio


def _verdict_lines(verdict: "Verdict", law: "EntropyLaw") -> list[str]:
    last = law.runs.names.index(verdict.against)
    lines = [f"R        {verdict.R:.4g}, {verdict.against} had {law.runs.R[last]:.4g} ({law.measurement})"]
    if verdict.L is not None:
        seen = "" if verdict.fraction == 1 else f" +- {verdict.L_error:.2g}, projected from {verdict.fraction:.0%}"
        expected = (
            "" if verdict.L_limit is None else f"; expected {verdict.expected_L:.4g}, at most {verdict.L_limit:.4g}"
        )
        lines.append(f"L        {verdict.L:.4g}{seen}{expected}")
    span = f"{verdict.Z_low:.4g} to {verdict.Z_high:.4g} at {verdict.level:.0%}"
    lines.append(f"Z        {verdict.Z:.4g} ({span}), {verdict.against} had {law.runs.Z[last]:.4g}")
    lines += [f"{'RISK' if reason.risk else 'note':<8} {reason.message}" for reason in verdict.reasons]
    return lines if verdict.risk else [*lines, "ok       no risk found"]


def _loss(arguments: argparse.Namespace) -> None:
    check_files(arguments)
    rows = []
    for path in arguments.logs:
        log = _read_log(path, arguments)
        if not log.losses:
            raise EntropyLawError(f"{path}: no loss in it is finite: training diverged")
        rows.append((log, log.first_epoch()))
    if arguments.json:
        print_json([_loss_row(log, epoch) for log, epoch in rows])
    else:
        print_lines(f"{_loss_text(epoch)}  {log.path}{_caveats(log)}" for log, epoch in rows)


def _loss_text(epoch: "FirstEpoch") -> str:
    if epoch.complete:
        return f"{epoch.mean:.6g}"
    if math.isfinite(epoch.error):
        return f"{epoch.mean:.6g} +- {epoch.error:.2g}, projected from {epoch.fraction:.0%} of epoch 1"
    return f"{epoch.seen_mean:.6g} in the first {epoch.fraction:.1%} of epoch 1, too little to project"


def _caveats(log: "LossLog") -> str:
    """What keeps the loss from being the L of a run."""
    diverged = (
        ""
        if log.diverged is None
        else f"; training diverged: the loss at step {log.diverged:g} is not finite, left out"
    )
    return diverged + ("; a preference loss, which is no L" if log.preference else "")


def _loss_row(log: "LossLog", epoch: "FirstEpoch") -> dict[str, Any]:
    finite = math.isfinite(epoch.error)
    return {
        "log": log.path,
        "L": epoch.mean if finite else None,
        "error": epoch.error if finite else None,
        "seen_mean": epoch.seen_mean,
        "fraction": epoch.fraction,
        "preference": log.preference,
        "diverged": log.diverged,
    }


def _read_log(path: str, arguments: argparse.Namespace) -> "LossLog":
    from entropylaw.law import read_log

    return read_log(path, epoch_steps=arguments.epoch_steps)
