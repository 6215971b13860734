"""The report of a selection."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from entropylaw.distribution import Distribution, Duplicates, distribution_of, duplicates_of
from entropylaw.explaining import Curve
from entropylaw.pool import Pool
from entropylaw.report import charts
from entropylaw.report.growth import MOST, SHOWN, Growth, averaged, growth_at_random, growth_of, points
from entropylaw.report.page import Chart, Definitions, Notes, Page, Part, Table, Tile, Tiles, excerpt, label
from entropylaw.results import Selection

_GROUPS = 24
_EXAMPLES = 4
_STEPS = 60
_CONTROLS = 60

_TERMS = {
    "sample": "The text of a record, as it was rendered and measured; its index is its position in the pool, from 0.",
    "R, compression ratio": "Bytes / compressed bytes of a set of samples, one after the other, under the codec named "
    "above. Low R: little redundancy. zlib looks back 32 KiB: repetition over longer distances does not show in it.",
    "R alone": "R of one sample by itself, under zlib level 9. Below 1 for very short samples.",
    "R after": "R of everything selected up to and with this pick.",
    "bits a byte": "By how many bits each byte of a pick makes the compressed selection longer. 8: nothing could be "
    "compressed. 0: it was there already, within the compressor's window.",
    "repeated": "Near-duplicates of an earlier sample: at least 4 of 5 runs of five words in common, case and "
    "punctuation set aside (MinHash, verified). Exact copies are counted too.",
    "random": "As many samples of the pool in an order that depends on nothing but a hash of them.",
}


def selection_page(selection: Selection, threads: int | None = None) -> Page:
    """The report of a selection.

    Parameters
    ----------
    selection
        What was selected.
    threads : int, optional
        How many to use for what is measured now: R of every sample alone, and repeated samples.
    """
    pool = selection.pool
    of_samples = distribution_of(pool, threads)
    repeated = duplicates_of(pool, threads)
    growth = growth_of(selection)
    chosen = np.zeros(len(pool), dtype=bool)
    chosen[selection.indices] = True
    parts: list[Part] = [Tiles(list(_tiles(selection, repeated, chosen)))]
    if selection.warnings:
        parts.append(Notes("Look at this", selection.warnings))
    parts += _traces(selection, growth)
    if len(pool.group_names) > 1 or "balance" in selection.controls:
        parts.append(_groups(selection))
    lengths, ratios = of_samples.lengths, of_samples.ratios
    parts += [
        Chart(
            "Length of the samples",
            "Bytes of a sample, on a logarithmic axis. Samples beyond either end are counted in the outermost bars.",
            charts.histogram({"selected": lengths[chosen], "pool": lengths}, "bytes of a sample"),
        ),
        Chart(
            "R of the samples alone",
            "How much each sample repeats itself, on a logarithmic axis; R grows with length. Samples beyond either "
            "end are counted in the outermost bars.",
            charts.histogram({"selected": ratios[chosen], "pool": ratios}, "R alone"),
        ),
        _picks("First picks", range(min(SHOWN, len(selection))), selection, growth, of_samples),
        _picks(
            "Last picks",
            range(max(len(selection) - SHOWN, min(SHOWN, len(selection))), len(selection)),
            selection,
            growth,
            of_samples,
        ),
        _rejected(selection, of_samples, repeated, chosen),
        _excluded(selection),
        _overlap(selection),
        Table(
            "Parameters",
            "What the selection depends on, besides the pool; the manifest has the rest.",
            ("parameter", "value"),
            [(name, label(str(value), 300)) for name, value in selection.parameters.items()],
        ),
        Definitions([*_TERMS.items(), *selection.terms().items()]),
    ]
    parts = [part for part in parts if not isinstance(part, Table) or part.rows]
    files = ", ".join(source.name for source in pool.records.files()) or "a pool in memory"
    title = f"{len(selection):,} of {len(pool):,} samples"
    return Page(
        title, f"selected by {selection.method} from {label(files, 200)}; entropylaw {selection.version}", parts
    )


def _tiles(selection: Selection, repeated: Duplicates, chosen: NDArray[np.bool_]) -> Iterator[Tile]:
    pool = selection.pool
    yield Tile("samples", f"{len(selection):,}", f"{len(selection) / len(pool):.2%} of the {len(pool):,} in the pool")
    size, whole = selection.raw_bytes, len(pool.data)
    yield Tile("bytes", f"{size:,}", f"{size / max(whole, 1):.2%} of the pool's {whole:,}, as they were rendered")
    of_pool = f"; {known} of the pool" if (known := selection.of_pool()) else ""
    about = f"bytes / compressed bytes of the selection, {selection.codec}{of_pool}"
    yield Tile("R, selected", f"{selection.ratio:.3f}", about)
    yield from (Tile(*fact) for fact in selection.facts())
    near = repeated.first_near
    among = len(selection) - len(np.unique(near[selection.indices]))
    yield Tile(
        "repeated, selected",
        f"{among / len(selection):.1%}",
        f"of the selected samples are near-duplicates of another selected one; {repeated.near_share:.1%} in the pool",
    )
    mean, whole_mean = size / len(selection), whole / len(pool)
    yield Tile("mean length", f"{mean:,.0f} bytes", f"of a selected sample; {whole_mean:,.0f} in the pool")


def _traces(selection: Selection, growth: Growth) -> Iterator[Part]:
    random = growth_at_random(selection.pool, int(growth.picks[-1]))
    rows = [
        {"x": pick, "value": round(ratio, 5), "series": name}
        for name, grown in (("selected", growth), ("random", random))
        for pick, ratio in zip(grown.picks.tolist(), grown.ratios.tolist(), strict=True)
    ]
    cut = (
        f" Traced over the first {MOST >> 20} MiB: compressing all of a large selection again would take long."
        if growth.picks[-1] < len(selection)
        else ""
    )
    yield Chart(
        "R as the selection grew",
        "R of everything selected, after each number of picks, and of as many random samples. zlib's window is 32 KiB: "
        f"once the selection is larger, R stands for its neighbourhoods, not for the whole.{cut}",
        charts.curves(rows, "samples selected", "R", series=("selected", "random")),
    )
    yield from (_curve(curve, selection, growth) for curve in selection.curves())
    rows = [
        {"x": pick, "value": round(bits, 4), "series": name}
        for name, grown in (("selected", growth.thinned(_STEPS)), ("random", random.thinned(_STEPS)))
        for pick, bits in zip(grown.picks.tolist(), grown.bits().tolist(), strict=True)
    ]
    if len(rows) > 2:
        yield Chart(
            "What the picks added",
            "By how many bits each byte made the compressed selection longer, mean between two points, and the same "
            "for random samples: 8 for what can't be compressed, 0 for what was there already, within the window.",
            charts.curves(rows, "samples selected", "bits a byte", series=("selected", "random")),
        )


def _curve(curve: Curve, selection: Selection, growth: Growth) -> Chart:
    """A number for each pick, at some points."""
    picks = growth.picks if curve.per_byte else points(len(selection))
    if curve.per_byte:
        lengths = selection.pool.lengths_of(selection.indices).astype(np.float64)
        values = averaged(curve.values, lengths, picks)
    else:
        values = np.round(curve.values[picks - 1], 5).tolist()
    rows = [
        {"x": pick, "value": value}
        for pick, value in zip(picks.tolist(), values, strict=True)
        if value > 0 or not curve.per_byte
    ]
    drawn = charts.curves(rows, "samples selected", curve.label, series=(curve.series,), log=curve.per_byte)
    return Chart(curve.title, curve.about, drawn)


def _groups(selection: Selection) -> Chart:
    before, after, unit = _shares(selection)
    ranked = sorted(before, key=lambda name: -max(before[name], after.get(name, 0.0)))
    shown = ranked[:_GROUPS]
    rest = ranked[_GROUPS:]
    others = ""
    if rest:
        shares = [sum(of.get(name, 0.0) for name in rest) for of in (before, after)]
        others = f"; the {len(rest)} others have {shares[0]:.1%} of the pool and {shares[1]:.1%} of the selection"
    return Chart(
        "Groups before and after",
        f"Share of the {unit} that each group has, in the pool and in the selection{others}.",
        charts.before_after({name: before[name] for name in shown}, after, f"share of {unit}"),
    )


def _shares(selection: Selection) -> tuple[dict[str, float], dict[str, float], str]:
    """Each group's share of the pool and of the selection, and of what; what was balanced, if anything was."""
    if balanced := selection.controls.get("balance"):
        whole, chosen = (
            max(1, sum(group[which] for group in balanced.values())) for which in ("available", "selected")
        )
        before = {name: group["available"] / whole for name, group in balanced.items()}
        after = {name: group["selected"] / chosen for name, group in balanced.items()}
        return before, after, selection.controls["budget"]["unit"]
    pool = selection.pool
    before = {name: count / len(pool) for name, count in pool.group_counts().items()}
    after = {name: count / len(selection) for name, count in selection.sources.items()}
    return before, after, "samples"


def _picks(title: str, positions: Sequence[int], selection: Selection, growth: Growth, of: Distribution) -> Table:
    pool = selection.pool
    rows = []
    for position in positions:
        index = int(selection.indices[position])
        added, after = growth.added(position + 1), growth.ratio(position + 1)
        rows.append(
            (
                f"{position + 1:,}",
                _where(pool, index),
                f"{of.lengths[index]:,}",
                f"{of.ratios[index]:.2f}",
                "" if after is None else f"{after:.3f}",
                "" if added is None else f"{added:.2f}",
                selection.why(position),
                excerpt(pool.sample(index)),
            )
        )
    return Table(
        title,
        "Where the record is, R of the sample alone, R of the selection after it, what a byte of it added. "
        + selection.rule(),
        ("pick", "record", "bytes", "R alone", "R after", "bits a byte", "why", "sample"),
        rows,
        text=frozenset({7}),
        numeric=frozenset({0, 2, 3, 4, 5}),
    )


def _where(pool: Pool, index: int) -> str:
    """The file without its directory, and the line."""
    return label(pool.records.where(index).rpartition("/")[2], 80)


def _excluded(selection: Selection) -> Table:
    """What was never looked at, by reason, and the quotas that say anything."""
    rows = [
        (f"excluded: {reason.replace('_', ' ')}", f"{count:,} samples")
        for reason, count in selection.controls.get("excluded", {}).items()
    ]
    for name, quota in selection.controls.get("quotas", {}).items():
        if quota["least"] or quota["selected"] >= quota["most"]:
            rows.append(
                (
                    f"quota: {label(name)}",
                    f"{quota['selected']:,} selected of {quota['least']:,} at least, {quota['most']:,} at most",
                )
            )
    return Table(
        "Controls",
        "Samples that were excluded before anything was picked, and groups with a lower bound or at their upper one.",
        ("control", "outcome"),
        rows[:_CONTROLS],
    )


def _overlap(selection: Selection) -> Table:
    """What of the pool holds text of a benchmark or of the target, if that was looked for."""
    found = selection.controls.get("contamination", {"files": [], "examples": []})
    files = ", ".join(
        f"{file['samples']:,} samples of the pool hold text of {label(file['name'])}, of whose {file['texts']:,} texts "
        f"{file['known_texts']:,} have 70 % of their runs of 8 words in it"
        for file in found["files"]
    )
    return Table(
        "Text of benchmarks",
        f"{files}. To hold text is to have 13 words in a row of it, in lower case, without punctuation. Some of them.",
        ("record", "has text of", "which"),
        [(label(each["sample"]), label(each["text"]), excerpt(each["matched"].encode())) for each in found["examples"]],
        text=frozenset({2}),
    )


def _rejected(selection: Selection, of: Distribution, repeated: Duplicates, chosen: NDArray[np.bool_]) -> Table:
    pool = selection.pool
    left = ~chosen
    first_pick: dict[int, int] = {}
    for position, index in enumerate(selection.indices.tolist()):
        first_pick.setdefault(int(repeated.first_near[index]), position + 1)
    alike = np.flatnonzero(left & np.isin(repeated.first_near, list(first_pick)))
    others = np.flatnonzero(left & ~np.isin(repeated.first_near, list(first_pick)))
    order = others[np.argsort(of.ratios[others], kind="stable")]
    spread = others[np.unique(np.linspace(0, len(others) - 1, _EXAMPLES).astype(np.int64))] if len(others) else others
    kinds: list[tuple[str, NDArray[np.int64]]] = [
        ("near-duplicate of pick {pick}", alike[:_EXAMPLES]),
        ("among the most redundant alone", order[::-1][:_EXAMPLES]),
        ("among the least redundant alone, and left all the same", order[:_EXAMPLES]),
        ("anywhere in the pool", spread),
    ]
    rows = []
    for why, indices in kinds:
        for index in indices.tolist():
            rows.append(
                (
                    _where(pool, index),
                    f"{of.lengths[index]:,}",
                    f"{of.ratios[index]:.2f}",
                    why.format(pick=first_pick.get(int(repeated.first_near[index]), 0)),
                    excerpt(pool.sample(index)),
                )
            )
    return Table(
        "Left in the pool",
        f"Examples of the {int(left.sum()):,} samples that were not selected; {len(alike):,} of them are near-"
        "duplicates of a selected one.",
        ("record", "bytes", "R alone", "which", "sample"),
        rows,
        text=frozenset({4}),
        numeric=frozenset({1, 2}),
    )
