"""What samples leave out of their records, so that nobody has to guess."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple


class Unread(NamedTuple):
    """A member of records that is not in their samples."""

    member: str
    """Where it is: ``id``, ``messages[].name``."""
    records: int
    """How many records have it, not null."""
    bytes: int
    """Bytes of text in it, in all records; what is no text, such as numbers, counts 0."""


def unread_of(found: Mapping[str, Sequence[int]], known: Iterable[str]) -> tuple[Unread, ...]:
    """The members that were found, most text first, without those that are ``known``: fields that were asked for."""
    outermost = {name for field in known for name in (field, field.partition(".")[0])}
    members = (Unread(path, *counts) for path, counts in found.items() if path not in outermost)
    return tuple(sorted(members, key=lambda unread: (-unread.bytes, -unread.records, unread.member)))


def unread_share(unread: Iterable[Unread], sampled: int) -> list[tuple[Unread, float]]:
    """Each member with its share of all text: of the ``sampled`` bytes, and of what is unread."""
    listed = list(unread)
    total = sampled + sum(member.bytes for member in listed)
    return [(member, member.bytes / total if total else 0.0) for member in listed]
