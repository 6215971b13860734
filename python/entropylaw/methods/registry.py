"""The methods by name: those of this package, and those that other packages offer.

Another package offers a method by an entry point of the group ``entropylaw.methods`` whose name is the method's.
"""

import logging
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from entropylaw import parameters
from entropylaw.controls import Controls
from entropylaw.errors import EntropyLawError
from entropylaw.methods.coverage import Coverage
from entropylaw.methods.density import Density
from entropylaw.methods.dsir import Dsir
from entropylaw.methods.method import Method
from entropylaw.methods.option import Option, options_of
from entropylaw.methods.random import Random
from entropylaw.methods.top import Top
from entropylaw.methods.zip import Zip
from entropylaw.methods.zipfit import Zipfit
from entropylaw.untrusted import brief

GROUP = "entropylaw.methods"

_OURS: tuple[type[Method], ...] = (Zip, Coverage, Random, Top, Dsir, Zipfit, Density)
BUILT_IN: Mapping[str, type[Method]] = {method.name: method for method in _OURS}

_log = logging.getLogger("entropylaw")


@cache
def methods() -> Mapping[str, type[Method]]:
    """All methods by name, in a fixed order. One of another package that can't be used is left out, with a warning."""
    found = dict(BUILT_IN)
    for name, point in sorted(_offered().items()):
        try:
            found[name] = _loaded(point)
        except EntropyLawError as error:
            _log.warning("%s", error)
    return found


def method_named(name: Any) -> type[Method]:
    """The method of that name.

    Raises
    ------
    EntropyLawError
        If there is none, or it can't be used.
    """
    if isinstance(name, str):
        if name in BUILT_IN:
            return BUILT_IN[name]
        if point := _offered().get(name):
            return _loaded(point)
    return BUILT_IN[parameters.named("method", name, (*BUILT_IN, *sorted(_offered())))]


def method_with(method: str | Method, options: Mapping[str, Any]) -> Method:
    """The method ``method`` with those of ``options`` that are not None.

    Raises
    ------
    EntropyLawError
        If there is no such method, if an option belongs to another one, or if its value does not fit.
    """
    given = {option: value for option, value in options.items() if value is not None}
    if isinstance(method, Method):
        if given:
            raise EntropyLawError(
                f"{', '.join(given)} {'is an option' if len(given) == 1 else 'are options'} of a method that is made "
                f"already: say it there, {type(method).__name__}({', '.join(f'{name}=...' for name in given)})"
            )
        return method
    chosen = method_named(method)
    own = [option.name for option in options_of(chosen)]
    for option in given:
        if option not in own:
            raise EntropyLawError(_misplaced(option, chosen.name, own))
    return chosen(**given)


def check_needs(method: Method, controls: Controls) -> None:
    """Raises EntropyLawError unless the controls that a method can't do without are given."""
    for needed, why in method.needs.items():
        if getattr(controls, needed) is None:
            raise EntropyLawError(f"method {method.name!r} {why}: {needed}= (--{needed})")


def _misplaced(option: str, name: str, own: Iterable[str]) -> str:
    takes = f"method {name!r} takes {', '.join(own)}" if own else f"method {name!r} has no options"
    theirs = [other.name for other in methods().values() if option in [each.name for each in options_of(other)]]
    if not theirs:
        return f"there is no option {parameters.shown(option)}; {takes}"
    return f"{option} is an option of method {parameters.listed(theirs, 'and')}; {takes}"


def options_by_methods(found: Mapping[str, type[Method]]) -> dict[tuple[str, ...], list[Option]]:
    """The options of these methods, by the names of the methods that have them; each once, as the first declares it."""
    holders: dict[str, list[str]] = {}
    first: dict[str, Option] = {}
    for name, method in found.items():
        for option in options_of(method):
            holders.setdefault(option.name, []).append(name)
            first.setdefault(option.name, option)
    grouped: dict[tuple[str, ...], list[Option]] = {}
    for option in first.values():
        grouped.setdefault(tuple(holders[option.name]), []).append(option)
    return grouped


@cache
def _offered() -> Mapping[str, EntryPoint]:
    """What other packages offer; a name of ours is not theirs to have."""
    return {point.name: point for point in entry_points(group=GROUP) if point.name not in BUILT_IN}


@cache
def _loaded(point: EntryPoint) -> type[Method]:
    where = f"the method {point.name!r} of {point.value}"
    try:
        found = point.load()
    except Exception as error:
        reason = brief(" ".join(f"{type(error).__name__}: {error}".split()))
        raise EntropyLawError(f"{where} cannot be loaded: {reason}") from error
    if not (isinstance(found, type) and issubclass(found, Method)):
        raise EntropyLawError(f"{where} is no subclass of entropylaw.methods.Method")
    if getattr(found, "name", None) != point.name:
        raise EntropyLawError(f"{where} calls itself {getattr(found, 'name', None)!r}: the names must be the same")
    options_of(found)
    return found
