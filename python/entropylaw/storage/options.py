"""Options of storage, such as an endpoint: given for a call, known to whatever reads or writes in it, kept nowhere."""

import contextlib
import functools
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from typing import Any, ParamSpec, TypeVar

from entropylaw.errors import EntropyLawError
from entropylaw.storage.urls import protocol_of

_given: ContextVar[Mapping[str, Any]] = ContextVar("storage_options", default={})  # noqa: B039 - never changed

_SECRET = re.compile(r"key|secret|token|pass", re.IGNORECASE)
_SHORTEST_SECRET = 4

P = ParamSpec("P")
R = TypeVar("R")


@contextlib.contextmanager
def using(options: Mapping[str, Any] | None) -> Iterator[None]:
    """Has storage that is used within the block take these options; None leaves things as they are.

    Raises
    ------
    EntropyLawError
        If they are no mapping of names.
    """
    if options is None:
        yield
        return
    if not isinstance(options, Mapping) or not all(isinstance(name, str) for name in options):
        raise EntropyLawError(
            f"storage_options is {type(options).__name__}; it must map names to values, as fsspec does"
        )
    token = _given.set(options)
    try:
        yield
    finally:
        _given.reset(token)


def in_use() -> Mapping[str, Any]:
    """The options that storage takes now, for whoever goes on elsewhere."""
    return dict(_given.get())


def takes_storage_options(function: Callable[P, R]) -> Callable[P, R]:
    """A function whose parameter ``storage_options`` holds for all that it does."""

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        options: Any = kwargs.get("storage_options")
        with using(options):
            return function(*args, **kwargs)

    return call


def parsed(options: Sequence[str]) -> dict[str, Any]:
    """Options as the command line gives them: ``NAME=VALUE``, or ``PROTOCOL.NAME=VALUE`` for one protocol alone.

    A value is JSON, such as ``true``, ``30`` or ``{"region_name": "eu-west-1"}``, or text. Numbers that are keys or
    passwords by their names are text.

    Raises
    ------
    EntropyLawError
        If there is no ``=``; the message does not quote it.
    """
    found: dict[str, Any] = {}
    for number, option in enumerate(options, start=1):
        name, equals, text = option.partition("=")
        if not equals or not name:
            raise EntropyLawError(f"storage option {number} is not NAME=VALUE, such as anon=true (--storage-option)")
        protocol, dot, inner = name.partition(".")
        if dot and inner:
            found.setdefault(protocol, {})[inner] = _value(inner, text)
        else:
            found[name] = _value(name, text)
    return found


def _value(name: str, text: str) -> Any:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return text if is_number and _SECRET.search(name) else value


def options_for(url: str) -> dict[str, Any]:
    """The options for a URL: those for all, and those for its protocol, which go first."""
    written = url.partition("://")[0].lower()
    names = {written, protocol_of(url)}
    given = _given.get()
    # A value that is a mapping, under a name of a protocol, holds that protocol's options.
    common = {name: value for name, value in given.items() if not _is_for_protocol(name, value)}
    own = [
        value
        for name, value in given.items()
        if _is_for_protocol(name, value) and {name, protocol_of(f"{name}://")} & names
    ]
    return functools.reduce(lambda before, more: {**before, **more}, own, common)


def _is_for_protocol(name: str, value: Any) -> bool:
    from fsspec.registry import known_implementations, registry

    return isinstance(value, Mapping) and (name in known_implementations or name in registry)


def without_values(text: str) -> str:
    """``text`` with none of the options' values in it that are long enough to be secrets."""

    def values(options: Mapping[str, Any]) -> Iterator[str]:
        for name, value in options.items():
            if isinstance(value, Mapping):
                yield from values(value)
            elif isinstance(value, str) and len(value) >= _SHORTEST_SECRET and _SECRET.search(name):
                yield value

    # The longest first: one may be part of another.
    for value in sorted(values(_given.get()), key=len, reverse=True):
        text = text.replace(value, "***")
    return text
