"""Zstandard: Python's own from 3.14 on, else the package ``zstandard``. Both make the same bytes of the same version.

Either has ``VERSION``; ``ERROR``, what is raised for data that are no data of this kind; ``compressor`` and
``decompressor``, each of one frame; and ``writer``, a file that compresses.
"""

import sys

if sys.version_info >= (3, 14):
    from entropylaw.zstd.library import ERROR, VERSION, compressor, decompressor, writer
else:
    from entropylaw.zstd.package import ERROR, VERSION, compressor, decompressor, writer

__all__ = ["ERROR", "VERSION", "compressor", "decompressor", "writer"]
