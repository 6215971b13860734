"""``entropylaw ratio``."""

import argparse
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from entropylaw.cli.files import check_files
from entropylaw.cli.pool import add_pool, load_pool, progress_line
from entropylaw.cli.report import add_report, check_report, write_report
from entropylaw.cli.terminal import print_json, print_lines
from entropylaw.display import short
from entropylaw.errors import EntropyLawError

if TYPE_CHECKING:
    from entropylaw.measuring import Ratio
    from entropylaw.pool import Pool
    from entropylaw.report import Page

_GROUPS = 30
_SHOWN = 3
_SHOWN_NAME = 60
_SHOWN_TEXT = 60

_EPILOG = """
examples:
  entropylaw ratio data.jsonl
  entropylaw ratio data.jsonl --codec zlib,zstd,xz
  entropylaw ratio shard-*.jsonl.zst --shuffle 0 --json

zlib, the paper's compressor, looks back 32 KiB. zstd looks back over the whole set (2 GiB at most), xz over 64 MiB:
repetition over long distances shows there only. docs/measuring.md says what each number means.
"""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command to the parser."""
    ratio = commands.add_parser(
        "ratio",
        help="measure R, the compression ratio, of a data set",
        description="Measure R = bytes / compressed bytes of a data set, of its groups and of its samples, and how "
        "many samples repeat others.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_pool(ratio)
    add_measures(ratio)
    add_report(ratio)
    ratio.add_argument("--quick", action="store_true", help="R of the set and its groups, and nothing of the samples")
    ratio.add_argument(
        "--show", type=int, default=_SHOWN, metavar="N", help="samples of lowest and highest R [%(default)s]"
    )
    ratio.set_defaults(run=run)


def add_measures(parser: argparse.ArgumentParser) -> None:
    """Adds how to measure."""
    parser.add_argument("--group-by", default="source", metavar="FIELD", help="what groups are made by [%(default)s]")
    parser.add_argument(
        "--codec",
        default="zlib,zstd",
        metavar="NAMES",
        help="of zlib, zstd, xz; levels as in zstd:19 [%(default)s]",
    )
    parser.add_argument(
        "--shuffle",
        type=int,
        metavar="SEED",
        help="measure in an order that depends on the samples and this number, not on their order [input order]",
    )


def run(arguments: argparse.Namespace) -> None:
    """Runs the command."""
    from entropylaw.measuring import parsed, ratio

    codecs = arguments.codec.split(",")
    parsed(codecs)
    if arguments.show < 0:
        raise EntropyLawError(f"show is {arguments.show}; it must be at least 0")
    if arguments.quick and arguments.show != _SHOWN:
        raise EntropyLawError("--show is about samples, of which --quick measures none; give one of them")
    check_files(arguments)
    check_report(arguments)
    pool = load_pool(arguments, arguments.render, group_by=arguments.group_by)
    with progress_line(arguments) as progress:
        result = ratio(
            pool,
            codecs=codecs,
            shuffle=arguments.shuffle,
            distribution=not arguments.quick,
            duplicates=not arguments.quick,
            threads=arguments.threads,
            progress=progress,
        )

    def page() -> "Page":
        from entropylaw.report.measures import ratio_page

        return ratio_page(result, pool)

    write_report(arguments, page)
    if arguments.json:
        print_json(as_dict(result, pool, arguments.show))
    else:
        print_lines(_lines(result, pool, arguments.show))


def as_dict(result: "Ratio", pool: "Pool | None" = None, show: int = 0) -> dict[str, Any]:
    """A measurement as JSON can hold it."""
    row: dict[str, Any] = {
        "ratio": result.ratio,
        "raw_bytes": result.raw_bytes,
        "compressed_bytes": result.compressed_bytes,
        "samples": result.samples,
        "codec": result.codec,
        "order": result.order,
        "by_codec": {key: {"ratio": part.ratio, **part._asdict()} for key, part in result.by_codec.items()},
    }
    if result.by_source:
        row["by_source"] = {name: as_dict(part) for name, part in result.by_source.items()}
    if duplicates := result.duplicates:
        row["duplicates"] = {
            name: {"samples": count, "share": count / result.samples, "byte_share": duplicates.byte_share(near)}
            for name, count, near in (("exact", duplicates.exact, False), ("near", duplicates.near, True))
        }
    if distribution := result.distribution:
        row["distribution"] = {
            name: {f"{share:g}": value for share, value in distribution.quantiles(name).items()}
            for name in ("ratios", "lengths")
        }
        if pool:
            for name, indices in (("lowest", distribution.lowest(show)), ("highest", distribution.highest(show))):
                row[name] = [
                    {
                        "index": index,
                        "where": pool.records.where(index),
                        "ratio": float(distribution.ratios[index]),
                        "bytes": int(distribution.lengths[index]),
                    }
                    for index in indices
                ]
    return row


def _lines(result: "Ratio", pool: "Pool", show: int) -> Iterable[str]:
    codecs = list(result.by_codec)
    columns = [f"R {codec}" for codec in codecs]
    widths = [max(8, len(column)) for column in columns]
    head = "  ".join(f"{column:>{width}}" for column, width in zip(columns, widths, strict=True))
    yield f"{head}  {'samples':>11}  {'bytes':>15}  group"
    largest = sorted(result.by_source.items(), key=lambda item: -item[1].samples)[:_GROUPS]
    for name, row in [("all", result), *sorted(largest, key=lambda item: item[1].ratio)]:
        ratios = (f"{row.by_codec[codec].ratio:{width}.3f}" for codec, width in zip(codecs, widths, strict=True))
        yield f"{'  '.join(ratios)}  {row.samples:11,}  {row.raw_bytes:15,}  {short(name, _SHOWN_NAME) or '(none)'}"
    if len(result.by_source) > _GROUPS:
        yield f"and {len(result.by_source) - _GROUPS:,} groups more, of fewer samples: --json has them"
    yield f"R = bytes / compressed bytes, one stream, order: {result.order}"
    for codec, part in result.by_codec.items():
        yield f"  {codec}: {part.codec}, {part.compressed_bytes:,} bytes"
    if distribution := result.distribution:
        shares = distribution.quantiles("ratios")
        yield ""
        yield "samples  " + "".join(f"{_share(share):>10}" for share in shares)
        yield "R alone  " + "".join(f"{value:10.3f}" for value in shares.values())
        yield "bytes    " + "".join(f"{value:10,.0f}" for value in distribution.quantiles("lengths").values())
    if duplicates := result.duplicates:
        yield ""
        yield (
            f"repeated  {duplicates.exact:,} samples exactly ({duplicates.exact_share:.1%}, "
            f"{duplicates.byte_share():.1%} of the bytes), {duplicates.near:,} nearly or exactly "
            f"({duplicates.near_share:.1%}, {duplicates.byte_share(near=True):.1%})"
        )
    if distribution and show > 0:
        for title, indices in (("lowest", distribution.lowest(show)), ("highest", distribution.highest(show))):
            yield ""
            yield f"{title} R alone"
            for index in indices:
                text = short(pool.sample(index)[:300].decode(errors="replace"), _SHOWN_TEXT)
                yield (
                    f"  {distribution.ratios[index]:.3f}  {distribution.lengths[index]:,} bytes  "
                    f"{pool.records.where(index)}  {text}"
                )


def _share(share: float) -> str:
    return {0.0: "least", 1.0: "greatest"}.get(share, f"{share:.0%}")
