"""What is left out of every message: what a URL has in it that opens a door."""

import re

_URL = re.compile(
    r"(?<![A-Za-z0-9+.-])([A-Za-z][A-Za-z0-9+.-]{1,30})://([^\s'\"<>|`]*[^\s'\"<>|`.,:;)\]}](?:(?<=\?)\.\.\.)?)"
)
_USER = re.compile(r"^([^/?#@]*)@")
_HARMLESS = re.compile(
    r"\?(?:(?:versionId|generation|download|raw|ref|rev|revision)=[\w.:/-]*(?:&|$))+$", re.IGNORECASE
)
"""Queries that say which object it is, and nothing else."""
_WEB = ("http", "https")


def told(text: str) -> str:
    """``text`` without users and passwords, and without queries, in the URLs in it: ``https://***@host/name?...``.

    A user is left where it is no secret: the container in ``abfss://container@account...``, the name in
    ``sftp://name@host``. What has passed once passes unchanged.
    """
    return _URL.sub(_cut, text) if "://" in text else text


def _cut(found: "re.Match[str]") -> str:
    protocol, rest = found[1], found[2]
    web = protocol.lower() in _WEB
    if (user := _USER.match(rest)) and (web or ":" in user[1]):
        rest = "***@" + rest[user.end() :]
    if web:
        rest = rest.partition("#")[0]
    at = rest.find("?")
    # Elsewhere than on the web, a question mark may be part of a name or a pattern.
    if at >= 0 and (web or "=" in rest[at:]) and not _HARMLESS.match(rest[at:]):
        rest = rest[:at] + "?..."
    return f"{protocol}://{rest}"
