"""The one exception that callers need to know, and how it says what is wrong with JSON."""

from typing import TYPE_CHECKING

from entropylaw.display import display
from entropylaw.untold import told

if TYPE_CHECKING:
    from json import JSONDecodeError


class EntropyLawError(ValueError):
    """Input, parameters or files that a user can mend; the message says where, what was found and what to do.

    It is one line that is safe to print and to keep, whatever the data and the URLs are that it quotes.
    """

    def __init__(self, message: str = "") -> None:
        super().__init__(told(message))

    def __str__(self) -> str:
        return display(super().__str__())


def clause(sentence: str) -> str:
    """What another library says, to follow a colon: in lower case, unless a name such as ``CRC`` begins it."""
    return sentence if sentence[1:2].isupper() else sentence[:1].lower() + sentence[1:]


def json_reason(error: "JSONDecodeError", column: int, whole: str) -> str:
    """Why a text is not JSON, where and what is there; ``whole`` is what the text is, should it end there."""
    # Some of Python's messages end in "at", to be followed by the place.
    reason = error.msg.lower().removesuffix(" at")
    found = repr(error.doc[error.pos : error.pos + 40]) if error.pos < len(error.doc) else f"the end of the {whole}"
    return f"{reason} at column {column}, found {found}"
