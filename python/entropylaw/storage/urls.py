"""URLs as names of what is read and written: which there are, how they are shown, when two of them name one thing.

What is shown or recorded of a URL never opens a door: a user, a password and a query, where signatures and tokens are,
are left out, and a mark says so. A URL with such a mark can't be read again.
"""

import os
import posixpath
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from entropylaw.errors import EntropyLawError
from entropylaw.untold import told

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://(.*)", re.DOTALL)
_CHAIN = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+::.*://")

_ALIASES = {"s3a": "s3", "s3n": "s3", "gcs": "gs", "abfs": "az", "abfss": "az", "ssh": "sftp"}
"""Other names of protocols."""
_LITERAL = ("s3", "gs", "az", "oss", "tos", "oci")
"""Where ``a/../b`` and ``a//b`` are names as good as any."""
_PORTS = {"http": ":80", "https": ":443"}
WEB = ("http", "https")

_NO_STORAGE = (
    *("async_wrapper", "asyncwrapper", "asynclocal", "blockcache", "cached", "dask", "data", "dir", "filecache"),
    *("generic", "libarchive", "pyscript", "reference", "simplecache", "tar", "zip"),
)
"""What fsspec knows as protocols, but is made of other files."""


@dataclass(frozen=True)
class URL:
    """A URL where a path is asked for, which ``pathlib`` would spoil."""

    text: str

    def __fspath__(self) -> str:
        return self.text


def is_url(path: str | os.PathLike[str]) -> bool:
    """Whether it is a URL rather than the path of a file; the letter of a drive is none."""
    name = os.fspath(path)
    return isinstance(name, str) and (_URL.match(name) is not None or _CHAIN.match(name) is not None)


def as_path(name: str) -> os.PathLike[str]:
    """A name of a file or a URL, as what can't be taken for text."""
    return URL(name) if is_url(name) else Path(name)


def protocol_of(url: str) -> str:
    """The protocol, by its usual name."""
    found = _URL.match(url)
    name = found[1].lower() if found else ""
    return _ALIASES.get(name, name)


def shown(path: str | os.PathLike[str]) -> str:
    """How a path or URL is called in messages, manifests and reports; see ``untold.told``."""
    return told(os.fspath(path)) if is_url(path) else os.fspath(path)


def ending_part(path: str | os.PathLike[str]) -> str:
    """The part of a path or URL at whose end its format is: without what follows a name on the web."""
    name = os.fspath(path)
    return re.split(r"[?#]", name, maxsplit=1)[0] if protocol_of(name) in WEB else name


def joined(url: str, name: str) -> str:
    """What is called ``name`` in the directory of ``url``."""
    return f"{ending_part(url).rpartition('/')[0]}/{name}"


def last_part(url: str) -> str:
    """The name in its directory of what a URL names; empty if it names a directory or a bucket."""
    found = _URL.match(ending_part(url))
    return found[2].rpartition("/")[2] if found and "/" in found[2].lstrip("/") else ""


def check_url(url: str) -> None:
    """Finds out whether a URL names storage.

    Raises
    ------
    EntropyLawError
        If it is a local file, a chain of URLs, or nothing that is stored; or if parts of it have been left out.
    """
    name = shown(url)
    if "::" in url.partition("://")[0]:
        raise EntropyLawError(f"{name}: URLs of URLs are not read; name the object itself, or unpack it first")
    found = _URL.match(url)
    protocol = protocol_of(url)
    if protocol in ("file", "local"):
        raise EntropyLawError(f"{name}: is a local file; name it by its path: {unquote(found[2]) if found else ''}")
    if protocol in _NO_STORAGE:
        raise EntropyLawError(f"{name}: {protocol}:// is no storage; name the object itself")
    if found is None or not found[2].strip("/"):
        raise EntropyLawError(f"{name}: names nothing; name an object, as in {protocol}://BUCKET/NAME")
    if is_cut(url):
        raise EntropyLawError(
            f"{name}: is a URL of which a signature or password was left out; give all of it, or one that needs none"
        )


def is_cut(url: str) -> bool:
    """Whether a URL is one that was shown, and had something to hide."""
    return url == told(url) and ("://***@" in url or url.endswith("?..."))


def normalised(url: str) -> str:
    """A text that is equal for URLs of one object: another name of a protocol, a user, a port, an escape are no other.

    What only the storage knows is not: that two addresses of the web lead to one object, for example.
    """
    protocol = protocol_of(url)
    rest = url.partition("://")[2]
    user, _, rest_of_it = rest.rpartition("@") if "@" in rest.partition("/")[0] else ("", "", rest)
    host, slash, path = rest_of_it.partition("/")
    if protocol == "az" and user:
        # abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/NAME
        host, slash = user, "/"
    elif protocol == "hf":
        # The branch that is meant if none is named.
        return "hf://" + re.sub(r"@(main|refs%2Fheads%2Fmain)(?=/|$)", "", posixpath.normpath(rest))
    elif protocol not in _LITERAL:
        host = host.lower().removesuffix(_PORTS.get(protocol, ":"))
        path, _, query = path.partition("#")[0].partition("?") if protocol in WEB else (path, "", "")
        path = posixpath.normpath("/" + (unquote(path) if protocol in WEB else path))[1:]
        path += f"?{query}" if query else ""
        if protocol == "memory":
            # memory://a/b and memory:///a/b
            return "memory:///" + posixpath.normpath(f"/{rest}").lstrip("/")
    return f"{protocol}://{host}{slash}{path}".rstrip("/")
