"""Encodings that are not UTF-8: which one a text may be in, so that a message can say how to convert it."""

import re
from collections.abc import Iterable

_MARKS = (
    (b"\xff\xfe\x00\x00", "UTF-32"),
    (b"\x00\x00\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)
_HIGH = re.compile(rb"[\x80-\xff]+")
# Halves of characters, and NUL, as Java and some databases write them.
_ALMOST = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]|\xc0\x80")
_LOOKED_AT = 1 << 16
"""Bytes of a text that are looked at."""


def wide(head: bytes) -> str | None:
    """Which encoding of two or four bytes a character a text that begins with ``head`` is in; None if in none."""
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    first, second = head[:32:2], head[1:32:2]
    if len(head) >= 4 and any(first) != any(second):
        return "UTF-16LE" if any(first) else "UTF-16BE"
    return None


def likely(text: bytes) -> str:
    """The encoding that a text which is not UTF-8 is most likely in; UTF-8 itself if only some of its bytes are wrong.

    Chinese characters take two bytes above 127, mostly; Japanese ones two, of which the second may be one of ASCII;
    Cyrillic words are made of such bytes; in the languages of Western Europe they are few between letters of ASCII.
    """
    text = text[:_LOOKED_AT]
    if _is_damaged(text):
        return "UTF-8"
    runs = _HIGH.findall(text)
    high = sum(map(len, runs))
    if high >= 4 and all(len(run) % 2 == 0 for run in runs) and _decodes(text, "gb18030"):
        return "GB18030"
    if 2 * high < 5 * len(runs):
        return "WINDOWS-1252"
    return "SHIFT_JIS" if _decodes(text, "shift_jis") else "WINDOWS-1251"


def _is_damaged(text: bytes) -> bool:
    """Whether it is UTF-8 for the most part, as text is that was cut inside a character: few of its bytes are wrong."""
    read = _ALMOST.sub(b"", text).decode(errors="surrogateescape")
    wrong = sum("\udc80" <= character <= "\udcff" for character in read)
    return not wrong or sum(character > "\x7f" for character in read) > 2 * wrong


def _decodes(text: bytes, encoding: str) -> bool:
    try:
        text.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def remedy(encoding: str) -> str:
    """How to make UTF-8 of a file."""
    if encoding == "UTF-8":
        return "some of its bytes are damaged: mend them, or drop them: iconv -c -f UTF-8 -t UTF-8 FILE > OUT"
    return f"convert the file: iconv -f {encoding} -t UTF-8 FILE > OUT"


def first_error(chunks: Iterable[bytes]) -> tuple[int, int, str] | None:
    """The line, the byte and the likely encoding where a text stops being UTF-8; None if it is UTF-8."""
    line, rest = 1, b""
    for chunk in chunks:
        content = rest + chunk
        try:
            content.decode()
            rest = b""
        except UnicodeDecodeError as error:
            # A character that the chunk's end cuts may go on in the next.
            if error.end < len(content) or error.reason != "unexpected end of data":
                return _found(content, error.start, line)
            rest = content[error.start :]
        line += content.count(b"\n", 0, len(content) - len(rest))
    return _found(rest, 0, line) if rest else None


def _found(content: bytes, at: int, line: int) -> tuple[int, int, str]:
    end = content.find(b"\n", at)
    text = content[content.rfind(b"\n", 0, at) + 1 : end if end >= 0 else len(content)]
    return line + content.count(b"\n", 0, at), content[at], likely(text)
