"""Select in a recipe of Data-Juicer: the operator ``entropylaw_pipeline``, for its default and its Ray executor.

::

    process:
      - entropylaw_pipeline:
          budget: 10%
          method: coverage
          select: {gamma: 0.7, group_by: source}
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from entropylaw.errors import EntropyLawError
from entropylaw.results import Selection
from entropylaw.selecting import select as select_from

try:
    from data_juicer.ops.base_op import OPERATORS, Pipeline
except ImportError:
    raise ImportError("this operator needs Data-Juicer; install it with: pip install py-data-juicer") from None

_COLUMNS = ("rank", "gain")


@OPERATORS.register_module("entropylaw_pipeline")
class EntropyLawPipeline(Pipeline):  # type: ignore[misc]
    """Selects the samples that ``entropylaw.select`` does, by either executor the same. They stay in their order."""

    def __init__(
        self,
        budget: int | str = "10%",
        method: str = "zip",
        select: dict[str, Any] | None = None,
        columns: Sequence[str] = (),
        manifest: str | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        """
        Initialization method.

        :param budget: how much to select: samples, a share such as 10%, bytes
            such as 50MB; see entropylaw.select.
        :param method: how to select: zip, coverage, random, top ...
        :param select: other options of entropylaw.select by name. Unless it
            names a schema, a field or a rendering, the text of a sample is in
            text_key if the data set has that, and detected otherwise.
        :param columns: what to add to each sample, as entropylaw_NAME: rank
            (1 is the first pick), gain.
        :param manifest: where to write the positions of the picks, a .txt,
            with the manifest beside it.
        :param args: extra args of operators.
        :param kwargs: extra args of operators.
        """
        super().__init__(*args, **kwargs)
        if wrong := [name for name in columns if name not in _COLUMNS]:
            raise EntropyLawError(f"column {wrong[0]!r} is not one; the columns to add are {', '.join(_COLUMNS)}")
        self.budget, self.method, self.select, self.columns = budget, method, dict(select or {}), tuple(columns)
        self.manifest = manifest

    def run(self, dataset: Any, *, exporter: Any = None, tracer: Any = None) -> Any:
        """Selects from a data set of either executor."""
        if hasattr(dataset, "iter_internal_ref_bundles"):
            return self._run_on_ray(dataset)
        selection = self._select(dataset, dataset.column_names)
        order = np.argsort(selection.rows)
        chosen = dataset.select(selection.rows[order])
        for name, values in self._added(selection, order):
            chosen = chosen.add_column(name, values.tolist())
        return chosen

    def _run_on_ray(self, dataset: Any) -> Any:
        import pyarrow as pa
        import ray

        # Otherwise blocks come as they are done, in another order each time.
        for context in (dataset.context, ray.data.DataContext.get_current()):
            context.execution_options.preserve_order = True
        held = dataset.materialize()
        references = held.to_arrow_refs()
        names = held.schema().names
        sizes: list[int] = []

        def blocks() -> Iterator[pa.RecordBatch]:
            for reference in references:
                table = ray.get(reference)
                sizes.append(table.num_rows)
                yield from table.select(names).cast(schema).to_batches()

        schema = pa.unify_schemas(
            ray.get([_schema_of.remote(reference) for reference in references]) if references else [],
            promote_options="permissive",
        )
        selection = self._select(pa.RecordBatchReader.from_batches(schema, blocks()), names)
        order = np.argsort(selection.rows)
        rows, added = selection.rows[order], list(self._added(selection, order))
        cuts = np.searchsorted(rows, np.cumsum([0, *sizes]))
        chosen = []
        start = 0
        for reference, size, low, high in zip(references, sizes, cuts[:-1].tolist(), cuts[1:].tolist(), strict=True):
            if high > low:
                mine = {name: values[low:high] for name, values in added}
                chosen.append(_take.remote(reference, rows[low:high] - start, mine))
            start += size
        return ray.data.from_arrow_refs(chosen)

    def _select(self, rows: Any, names: Sequence[str]) -> Selection:
        options = dict(self.select)
        if not {"schema", "field", "render"} & set(options) and self.text_key in names:
            options["field"] = self.text_key
        selection: Selection = select_from(rows, budget=self.budget, method=self.method, **options)
        if self.manifest is not None:
            selection.save(self.manifest, indices_only=True, force=True)
        return selection

    def _added(self, selection: Selection, order: NDArray[np.int64]) -> Iterator[tuple[str, NDArray[Any]]]:
        """The columns to add, in the order of the rows."""
        for name in self.columns:
            yield f"entropylaw_{name}", (order + 1 if name == "rank" else selection.gains[order])


class _Remote:
    """A function that Ray runs where the block is, once Ray is there to be imported."""

    def __init__(self, function: Any) -> None:
        self._function = function

    def remote(self, *given: Any) -> Any:
        import ray

        return ray.remote(num_cpus=0.1)(self._function).remote(*given)


def _schema(table: Any) -> Any:
    return table.schema


def _rows(table: Any, rows: NDArray[np.int64], added: dict[str, NDArray[Any]]) -> Any:
    import pyarrow as pa

    chosen = table.take(pa.array(rows))
    for name, values in added.items():
        chosen = chosen.append_column(name, pa.array(values))
    return chosen


_schema_of, _take = _Remote(_schema), _Remote(_rows)
