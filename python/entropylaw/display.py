"""Text out of data, as people may be shown it: nothing in it commands a terminal or breaks a line."""


def display(text: str) -> str:
    """``text`` on one line, with what can't be printed written as Python escapes it: ``\\x1b``, ``\\n``, ``\\u202e``.

    That is control characters, those that turn the direction of writing, and what is no character: bytes of a file's
    name that are not UTF-8, for example. Text that has passed once passes unchanged.
    """
    if text.isprintable():
        return text
    return "".join(
        # A space of another width, as CJK text has it, is not printable to Python.
        character if character.isprintable() or character in _SPACES else repr(character)[1:-1]
        for character in text
    )


def short(text: str, most: int = 40) -> str:
    """``text`` as ``display`` writes it, or its beginning."""
    shown = display(text[: most + 1])
    return shown if len(text) <= most and len(shown) <= most else f"{shown[: most - 1]}…"


_SPACES = "\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
