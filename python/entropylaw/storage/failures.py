"""What storage raises, as one line that says what to do.

Each backend has exceptions of its own, and many of them pass on those of the libraries that it stands on. They are told
apart by what they all have in common: Python's own kinds, the status of HTTP, and the words in their names.
"""

import contextlib
from collections.abc import Iterator

from entropylaw.display import short
from entropylaw.errors import EntropyLawError, clause
from entropylaw.storage.options import without_values
from entropylaw.storage.urls import protocol_of, shown

_PACKAGES = {
    "s3": "s3fs",
    "gs": "gcsfs",
    "az": "adlfs",
    "hf": "huggingface_hub",
    "http": "'fsspec[http]'",
    "https": "'fsspec[http]'",
    "sftp": "paramiko",
    "smb": "smbprotocol",
    "oci": "ocifs",
    "oss": "ossfs",
    "tos": "tosfs",
    "github": "requests",
    "webhdfs": "requests",
    "webdav": "webdav4",
}
"""What fsspec needs for a protocol, as pip takes it."""

_ACCESS = (
    "credential",
    "forbidden",
    "unauthorized",
    "accessdenied",
    "permission",
    "gatedrepo",
    "authentication",
    "authorization",
)
_MISSING = ("notfound", "nosuch")
_NETWORK = ("connect", "timeout", "timedout", "dns", "endpoint", "unreachable", "ssl", "retr", "gaierror")
_SHORTEST_WORDS = 3
_MOST_CHARACTERS = 300

_ACCESS_REMEDY = "give the credentials that it needs, where its package looks for them or by --storage-option"
_NETWORK_REMEDY = "is the address right, and the network up?"


@contextlib.contextmanager
def explained(url: str, doing: str) -> Iterator[None]:
    """Turns whatever storage raises within the block into an EntropyLawError; ``doing`` is ``read`` or ``written``."""
    try:
        yield
    except (EntropyLawError, MemoryError):
        raise
    # Nothing narrower is common to all backends.
    except Exception as error:
        raise EntropyLawError(f"{shown(url)}: {_said(url, doing, error)}") from None


def _said(url: str, doing: str, error: Exception) -> str:
    protocol = protocol_of(url)
    if isinstance(error, ImportError):
        return _missing_package(protocol, error)
    if isinstance(error, ValueError) and "rotocol not known" in str(error):
        return f"there is no storage called {protocol}://; s3://, gs://, az://, hf:// and https:// are some"
    if isinstance(error, FileExistsError):
        return "exists; name another, or replace it (force=True, --force)"
    why = _reason(error)
    names = [kind.__name__.lower().replace("_", "") for kind in type(error).__mro__]
    status = status_of(error)
    if isinstance(error, PermissionError) or status in (401, 403) or _any(_ACCESS, names):
        return f"access is denied{why}; {_ACCESS_REMEDY}"
    if isinstance(error, FileNotFoundError) or status == 404 or _any(_MISSING, names):
        what = "there is no such object" if doing == "read" else "there is no such bucket or directory"
        return f"{what}; is the name right?"
    if isinstance(error, ConnectionError | TimeoutError) or _any(_NETWORK, names):
        return f"cannot be reached{why}; {_NETWORK_REMEDY}"
    if isinstance(error, TypeError) and "argument" in str(error):
        return f"the storage does not take these options{why}; leave out that one (storage_options=, --storage-option)"
    if isinstance(error, NotImplementedError):
        return f"cannot be {doing}: {protocol}:// does not do this"
    if isinstance(error, IsADirectoryError):
        return "is a directory; name an object in it"
    return f"cannot be {doing}{why}"


def _missing_package(protocol: str, error: ImportError) -> str:
    if (error.name or "").partition(".")[0] == "fsspec":
        return "URLs are read and written by fsspec, which is not installed: pip install 'entropylaw[storage]'"
    package = _PACKAGES.get(protocol)
    if package is None:
        return f"fsspec needs a package for {protocol}:// that is not installed{_reason(error)}"
    return f"fsspec needs {package} for {protocol}://, which is not installed: pip install {package}"


def status_of(error: BaseException | None) -> int | None:
    """The status of an answer over HTTP, wherever the backend's exception has it."""
    while error is not None:
        answer = getattr(error, "response", None)
        if isinstance(answer, dict):
            found = answer.get("ResponseMetadata", {}).get("HTTPStatusCode")
        else:
            found = getattr(error, "status", None) or getattr(answer, "status_code", None)
        if isinstance(found, int):
            return found
        error = error.__cause__
    return None


def _any(words: tuple[str, ...], names: list[str]) -> bool:
    return any(word in name for word in words for name in names)


def _reason(error: Exception) -> str:
    """What the backend says, without what it may know of credentials, to follow a statement."""
    text = " ".join(without_values(str(getattr(error, "strerror", None) or error)).split()).rstrip(".")
    if len(text) < _SHORTEST_WORDS:
        return f" ({type(error).__name__})"
    return f" ({short(clause(text), _MOST_CHARACTERS)})"
