"""The order in which a set is compressed. R depends on it: a window sees what is near."""

import hashlib
from collections import Counter

import numpy as np
from numpy.typing import NDArray

from entropylaw import parameters
from entropylaw.pool import Pool


def seed(shuffle: object) -> int | None:
    """The seed of an order that ``shuffle`` asks for; None for input order.

    Raises
    ------
    EntropyLawError
        If it is none: seeds have 128 bits.
    """
    return None if shuffle is None else parameters.whole("shuffle", shuffle, -(2**127), 2**127 - 1)


def described(shuffle: int | None) -> str:
    """The order, in words, in which a set is compressed with this seed."""
    return "input" if shuffle is None else f"shuffled, seed {shuffle}"


def shuffled(pool: Pool, seed: int) -> NDArray[np.int64]:
    """The samples in an order that depends on them and on ``seed``, not on the order that they are in.

    They are sorted by a hash of the seed, their bytes, and a number that tells equal ones apart. So files of the same
    samples in any order are compressed alike, and copies lie far from each other.
    """
    copies: Counter[bytes] = Counter()
    key = seed.to_bytes(16, "little", signed=True)
    keys = []
    for index in range(len(pool)):
        digest = hashlib.blake2b(pool.sample(index), digest_size=16, key=key).digest()
        number = copies[digest]
        copies[digest] += 1
        if number:
            digest = hashlib.blake2b(digest + number.to_bytes(8, "little"), digest_size=16, key=key).digest()
        keys.append(digest)
    return np.argsort(np.array(keys, dtype="S16"), kind="stable").astype(np.int64)
