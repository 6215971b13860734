"""Select from a pool that lies in parts on the machines of a Ray cluster, exactly as on one machine.

``select`` has each part read its files, or its blocks of a ``ray.data.Dataset``, and keep them where they are; what
goes between the machines is what the method's leader asks, and the picks are those of ``entropylaw.select``.
"""

from importlib.util import find_spec

if find_spec("ray") is None:
    raise ImportError("selecting on Ray needs Ray; install it with: pip install 'entropylaw[ray]'")

from entropylaw.integrations.ray.select import select
from entropylaw.integrations.ray.selection import RaySelection, Stats

__all__ = ["RaySelection", "Stats", "select"]
