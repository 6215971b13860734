"""Objects that lie elsewhere, named by URLs: copied here to be read, written here to be uploaded.

Needs the extra ``entropylaw[storage]``, fsspec, and the package that fsspec needs for the storage: s3fs for ``s3://``.
Whatever reads a pool reads local copies, and whatever writes a selection writes local files; this package knows nothing
of what is in them.
"""
