"""What samples leave out of their records, so that nobody has to guess."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from entropylaw.display import display


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


def shares(unread: Sequence[Unread], sampled: int) -> list[float]:
    """The share of each member in all text: of the ``sampled`` bytes, and of what is unread."""
    total = sampled + sum(member.bytes for member in unread)
    return [member.bytes / total if total else 0.0 for member in unread]


def counted(records: int) -> str:
    """So many records, in words."""
    return f"{records:,} record" + ("s" if records != 1 else "")


def described(unread: Sequence[Unread], sampled: int, characters: int) -> str:
    """The members, most text first, in words: as many as about so many characters hold, and how many are left."""
    listed: list[str] = []
    for member, share in zip(unread, shares(unread, sampled), strict=True):
        words = f"{display(member.member)} ({counted(member.records)}, {share:.1%} of the text)"
        if listed and sum(map(len, listed)) + len(words) > characters:
            break
        listed.append(words)
    more = len(unread) - len(listed)
    return ", ".join(listed) + (f", and {more:,} more; `entropylaw show` lists them" if more else "")
