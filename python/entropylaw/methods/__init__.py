"""The methods: what each can be told, and what it returns.

A method of your own is a subclass of :class:`Method`: a frozen dataclass whose fields are its options.
"""

from entropylaw.methods.method import Method, Task
from entropylaw.methods.option import option
from entropylaw.methods.outcome import KeyedSelection, MeasuredSelection, OrderedSelection
from entropylaw.methods.registry import method_named, method_with, methods

__all__ = [
    "KeyedSelection",
    "MeasuredSelection",
    "Method",
    "OrderedSelection",
    "Task",
    "method_named",
    "method_with",
    "methods",
    "option",
]
