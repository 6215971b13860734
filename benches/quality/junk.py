"""Junk as real pools have it, to be injected: what a method should not pick."""

import base64
import random

KINDS = ("base64", "shuffled", "repeated", "mojibake")


def junk(samples: list[bytes], share: float, copies: int, seed: int) -> list[tuple[str, bytes]]:
    """Junk and its kind, for ``share`` of the bytes of ``samples``, of all kinds alike, each item ``copies`` times.

    Its lengths are those of samples, and so is the text that it is made of.
    """
    rng = random.Random(seed)
    wanted = share * sum(map(len, samples))
    items: list[tuple[str, bytes]] = []
    size = 0
    while size < wanted:
        text = rng.choice(samples).decode(errors="replace")
        kind = KINDS[len(items) // copies % len(KINDS)]
        item = _spoil(text, kind, rng)
        if item:
            items.extend([(kind, item)] * copies)
            size += len(item) * copies
    return items


def _spoil(text: str, kind: str, rng: random.Random) -> bytes:
    if kind == "base64":
        return base64.b64encode(rng.randbytes(len(text) * 3 // 4))
    if kind == "shuffled":
        return "".join(rng.sample(text, len(text))).encode()
    if kind == "repeated":
        word = rng.choice(text.split() or ["x"])
        return " ".join([word] * (len(text) // (len(word) + 1))).encode()
    # UTF-16 read as Latin-1, then written as UTF-8: what a wrong guess makes of any text.
    return text[: len(text) // 2].encode("utf-16-be", errors="replace").decode("latin-1").encode()
