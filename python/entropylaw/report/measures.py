"""The reports of a measurement and of a comparison of versions."""

from collections.abc import Iterator, Sequence

from entropylaw.codecs import CODECS, Codec
from entropylaw.comparing import Comparison
from entropylaw.distribution import Distribution
from entropylaw.measuring import Ratio
from entropylaw.pool import Pool
from entropylaw.report import charts
from entropylaw.report.page import Chart, Definitions, Page, Part, Table, Tile, Tiles, excerpt, label

_GROUPS = 24
_SHOWN = 8

_TERMS = {
    "sample": "The text of a record, as it was rendered and measured; its index is its position in the data, from 0.",
    "R, compression ratio": "Bytes / compressed bytes of all samples, one after the other, as one stream. Low R: "
    "little redundancy. It says nothing of quality: noise has the lowest R of all.",
    **{name: compressor.about for name, compressor in CODECS.items()},
    "R alone": "R of one sample by itself, under zlib level 9. Below 1 for very short samples; grows with length.",
    "repeated exactly": "Samples with the same bytes as an earlier one, as a share of the samples.",
    "repeated nearly": "Samples that have at least 4 of 5 runs of five words in common with another one, exact copies "
    "included, but for the first of each cluster (MinHash, verified); case and punctuation set aside.",
}
_COMPARED = {
    "in a version before": "Samples that a version before has, to the byte, as a share of the version's samples.",
    "bits a byte alone": "Compressed bits for each byte of the version by itself: 8 / R.",
    "bits a byte behind": "By how many bits each byte of the version makes the compressed stream of all versions "
    "before it longer. What was there already costs next to nothing; what is new costs as much as alone.",
    "new recurring n-grams": "Share of the version's recurring n-grams (5 bytes, in two samples at least, after two "
    "different left contexts) that no version before has.",
}


def ratio_page(result: Ratio, pool: Pool) -> Page:
    """The report of ``ratio``."""
    parts: list[Part] = [Tiles(list(_tiles(result)))]
    codecs = list(result.by_codec)
    if result.by_source:
        ranked = sorted(result.by_source.items(), key=lambda item: (-item[1].samples, item[0]))[:_GROUPS]
        ranked.sort(key=lambda item: item[1].ratio)
        shown = charts.unique_labels([name for name, _ in ranked])
        more = len(result.by_source) - len(ranked)
        which = f"; the {len(ranked)} with most samples, of {len(result.by_source)}" if more else ""
        parts.append(
            Chart(
                "R of the groups",
                f"Each group compressed alone{which}. Where a long window makes much more of a group than zlib does, "
                "the group repeats itself over long distances.",
                charts.bars(
                    [
                        {"name": shown[name], "value": round(part.by_codec[codec].ratio, 4), "series": codec}
                        for name, part in ranked
                        for codec in codecs
                    ],
                    "R",
                    series=codecs,
                ),
            )
        )
    if distribution := result.distribution:
        parts += [
            Chart(
                "R of the samples alone",
                "On a logarithmic axis. Samples beyond either end are counted in its first and last step.",
                charts.histogram({"samples": distribution.ratios}, "R alone"),
            ),
            Chart(
                "Length of the samples",
                "On a logarithmic axis. Samples beyond either end are counted in its first and last step.",
                charts.histogram({"samples": distribution.lengths}, "bytes of a sample"),
            ),
            _quantiles(distribution),
            _samples("Lowest R alone", distribution.lowest(_SHOWN), distribution, pool),
            _samples("Highest R alone", distribution.highest(_SHOWN), distribution, pool),
        ]
    parts.append(Definitions(list(_TERMS.items())))
    files = ", ".join(source.name for source in pool.records.files()) or "data in memory"
    return Page("How redundant is it?", f"{label(files, 200)}; samples in {result.order} order", parts)


def _tiles(result: Ratio) -> Iterator[Tile]:
    for name, part in result.by_codec.items():
        yield Tile(
            f"R {name}", f"{part.ratio:.3f}", f"bytes / {part.compressed_bytes:,} compressed bytes, {part.codec}"
        )
    yield Tile("samples", f"{result.samples:,}", f"in {len(result.by_source) or 1} groups")
    yield Tile("bytes", f"{result.raw_bytes:,}", "of all samples, as they were rendered")
    if duplicates := result.duplicates:
        yield Tile(
            "repeated exactly",
            f"{duplicates.exact_share:.1%}",
            f"{duplicates.exact:,} samples, {duplicates.byte_share():.1%} of the bytes",
        )
        yield Tile(
            "repeated nearly",
            f"{duplicates.near_share:.1%}",
            f"{duplicates.near:,} samples, {duplicates.byte_share(near=True):.1%} of the bytes; exact copies included",
        )


def _quantiles(distribution: Distribution) -> Table:
    ratios, lengths = distribution.quantiles(), distribution.quantiles("lengths")
    names = {0.0: "least", 1.0: "greatest"}
    return Table(
        "Quantiles",
        "This share of the samples does not exceed the value, which is one of the set.",
        ("", *(names.get(share, f"{share:.0%}") for share in ratios)),
        [
            ("R alone", *(f"{value:.3f}" for value in ratios.values())),
            ("bytes", *(f"{value:,.0f}" for value in lengths.values())),
        ],
        numeric=frozenset(range(1, len(ratios) + 1)),
    )


def _samples(title: str, indices: Sequence[int], distribution: Distribution, pool: Pool) -> Table:
    return Table(
        title,
        "Where the record is, and its text.",
        ("record", "bytes", "R alone", "sample"),
        [
            (
                label(pool.records.where(index).rpartition("/")[2], 80),
                f"{distribution.lengths[index]:,}",
                f"{distribution.ratios[index]:.2f}",
                excerpt(pool.sample(index)),
            )
            for index in indices
        ],
        text=frozenset({3}),
        numeric=frozenset({1, 2}),
    )


def comparison_page(result: Comparison) -> Page:
    """The report of ``compare``."""
    names = charts.unique_labels([version.name for version in result.versions])
    long_window = [codec for codec in result.codecs if not Codec.parse(codec).in_core]
    rows = [(title, *values) for title, values in result.table()]
    columns = frozenset(range(1, len(result.versions) + 1))
    parts: list[Part] = [
        Table(
            "Side by side",
            "Every version measured alone, and what it adds to the ones before it.",
            ("", *names.values()),
            rows,
            numeric=columns,
        ),
        Chart(
            "R of the versions",
            "Bytes / compressed bytes, by codec.",
            charts.bars(
                [
                    {
                        "name": names[version.name],
                        "value": round(version.ratio.by_codec[codec].ratio, 4),
                        "series": codec,
                    }
                    for version in result.versions
                    for codec in result.codecs
                ],
                "R",
                series=result.codecs,
            ),
        ),
    ]
    for codec in long_window:
        parts.append(
            Chart(
                f"What each version adds ({codec})",
                "Compressed bits a byte of the version alone, and behind all versions before it. Short bars behind: "
                "most of it was there already.",
                charts.bars(
                    [
                        {"name": names[version.name], "value": round(bits, 4), "series": series}
                        for version in result.versions
                        for series, bits in (
                            ("alone", version.bits(codec)),
                            ("behind those before", version.novelty.bits[codec] if version.novelty else None),
                        )
                        if bits is not None
                    ],
                    "bits a byte",
                    series=("alone", "behind those before"),
                ),
            )
        )
    parts += _distributions(result, names)
    if result.groups:
        shown = result.groups[:_GROUPS]
        parts.append(
            Table(
                "Groups",
                "Share of the version's samples, and R of the group alone"
                + (f"; the {len(shown)} largest of {len(result.groups)}." if len(result.groups) > len(shown) else "."),
                ("group", *names.values()),
                [
                    (
                        label(name),
                        *(
                            f"{part.samples / version.ratio.samples:.1%}, R {part.ratio:.2f}"
                            if (part := version.ratio.by_source.get(name))
                            else "-"
                            for version in result.versions
                        ),
                    )
                    for name in shown
                ],
                numeric=columns,
            )
        )
    parts.append(Definitions([*_TERMS.items(), *_COMPARED.items()]))
    return Page(
        f"{len(result.versions)} versions", f"{', '.join(names.values())}; samples in {result.order} order", parts
    )


def _distributions(result: Comparison, names: dict[str, str]) -> Iterator[Part]:
    found = {names[version.name]: version.ratio.distribution for version in result.versions}
    for title, x in (("Length of the samples", "bytes of a sample"), ("R of the samples alone", "R alone")):
        values = {
            name: of.lengths if x.startswith("bytes") else of.ratios for name, of in found.items() if of is not None
        }
        yield Chart(
            title,
            "On a logarithmic axis. Samples beyond either end are counted in its first and last step.",
            charts.histogram(values, x),
        )
