"""Pools: reading records, rendering them as samples, giving the records back byte for byte."""

from entropylaw.pool.load import PoolLike, load
from entropylaw.pool.model import Pool
from entropylaw.pool.schema import Render

__all__ = ["Pool", "PoolLike", "Render", "load"]
