"""The methods: what each can be told, and what it returns."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from entropylaw import parameters
from entropylaw.controls import Controls
from entropylaw.errors import EntropyLawError
from entropylaw.methods.coverage import Coverage
from entropylaw.methods.random import Random
from entropylaw.methods.top import Top
from entropylaw.methods.zip import Zip

Method = Zip | Coverage | Random | Top

METHODS: dict[str, type[Method]] = {"zip": Zip, "coverage": Coverage, "random": Random, "top": Top}


def method_with(name: str, options: Mapping[str, Any]) -> Method:
    """The method ``name`` with those of ``options`` that are not None.

    Raises
    ------
    EntropyLawError
        If there is no such method, if an option belongs to another one, or if its value does not fit.
    """
    given = {option: value for option, value in options.items() if value is not None}
    own = option_names(name)
    for option in given:
        if option not in own:
            theirs = " and ".join(repr(other) for other in METHODS if option in option_names(other))
            takes = f"takes {', '.join(own)}" if own else "has no options"
            raise EntropyLawError(f"{option} is an option of method {theirs}; method {name!r} {takes}")
    return METHODS[name](**given)


def check_needs(name: str, controls: Controls) -> None:
    """Raises EntropyLawError unless the controls that a method can't do without are given."""
    for needed, why in METHODS[name].needs.items():
        if getattr(controls, needed) is None:
            raise EntropyLawError(f"method {name!r} {why}: {needed}= (--{needed})")


def option_names(name: str) -> list[str]:
    """The options of a method.

    Raises
    ------
    EntropyLawError
        If there is no such method.
    """
    return [field.name for field in dataclasses.fields(METHODS[parameters.named("method", name, tuple(METHODS))])]
