"""The manifest's members and their types: what it says binds ``replay``, and nothing else can be said.

Members that only describe what came of a run may be anything: nothing acts on them.
"""

from functools import cache
from pathlib import Path
from typing import Any, Literal

import msgspec

from entropylaw.methods import method_named
from entropylaw.methods.option import options_of
from entropylaw.pool.formats import Format
from entropylaw.runs.values import Array, Count, Data, File, Hash, Object, Stored
from entropylaw.untrusted import Strict

FORMAT = 1
"""The version of this layout; ``manifest`` in the file."""

Band = str | tuple[float | None, float | None]


class PoolPart(msgspec.Struct, kw_only=True):
    """The pool; besides, how it is made up, which nothing acts on."""

    files: tuple[Stored, ...]
    samples: Count
    bytes: Count
    sha256: Hash


class Written(Strict):
    """A file that was written beside the manifest."""

    name: str
    bytes: Count
    sha256: Hash

    def __post_init__(self) -> None:
        # It will be joined to the manifest's directory, and must not lead out of it.
        if self.name in ("", ".", "..") or "\0" in self.name or Path(self.name).name != self.name:
            raise ValueError(f"{self.name!r} is not the name of a file beside the manifest")


class Output(Strict):
    """How the records were written; see ``Selection.save``."""

    sort: Literal["pick", "input"]
    shards: int | str | None
    columns: tuple[Literal["rank", "gain", "ratio", "weight"], ...]
    indices_only: bool
    stanza: Literal["llamafactory", "axolotl"] | None
    files: tuple[Written, ...]
    counts: tuple[Count, ...] = ()
    """Records of each shard, where they are not about as many each."""


class Content(Strict):
    """A manifest."""

    manifest: int
    entropylaw: str
    method: str
    parameters: dict[str, Any]
    """Typed by ``parameters_type``: they depend on the method."""
    pool: PoolPart
    selection: dict[str, Any]
    candidates: Count
    excluded: dict[str, Any]
    budget: dict[str, Any]
    fingerprints: dict[str, Hash]
    """Hashes of what the controls came to; see ``Candidates.fingerprints``."""
    warnings: list[str]
    codec: str
    output: Output
    picks: Written
    skipped: list[str]
    quotas: dict[str, Any] = msgspec.field(default_factory=dict)
    other_quotas: Count = 0
    target: dict[str, Any] = msgspec.field(default_factory=dict)
    balance: dict[str, Any] = msgspec.field(default_factory=dict)
    other_balance: Count = 0
    contamination: dict[str, Any] = msgspec.field(default_factory=dict)


class Parameters(Strict):
    """The parameters of a run of any method: the only keyword arguments that a manifest gives to ``select``."""

    budget: int | str
    render: str | Object
    schema: str | None
    field: str | None
    on_error: Literal["raise", "skip"]
    group_by: str | Array
    format: Format | None
    dedupe: bool
    quota: str | list[str] | dict[str, int | str] | None = None
    balance: float | None = None
    min_score: str | list[str] | dict[str, float | str] | None = None
    weight: str | Array | None = None
    length_band: Band | None = None
    ratio_band: Band | None = None
    anchor: Data | Array | None = None
    tokens: str | Array | File | Object | None = None
    decontaminate: Literal["exclude", "report"] | None = None
    benchmark: Data | None = None
    id: str | None = None


@cache
def parameters_type(method: str) -> type[Parameters]:
    """The type of the parameters of a method: those of all methods, and its own options.

    Raises
    ------
    EntropyLawError
        If there is no such method.
    """
    chosen = method_named(method)
    types = {option.name: Data | None if option.is_data else option.type for option in options_of(chosen)}
    # These are only there if there is something to aim at.
    fields: list[Any] = [(name, kind) for name, kind in types.items() if name not in chosen.aims]
    fields += [(name, types[name], None) for name in chosen.aims]
    kind: Any = msgspec.defstruct(
        f"{chosen.__name__}Parameters",
        fields,
        bases=(Parameters,),
        kw_only=True,
        forbid_unknown_fields=True,
    )
    typed: type[Parameters] = kind
    return typed
