"""Known answers of Random123's Philox4x32-10 (Salmon et al., SC'11), streams and skip-ahead.

fanin has no other generator, so the vectors of the others (Threefry, the 64-bit Philox, fewer rounds) have nothing to hold.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fanin as fi
from fanin import _core

# kat_vectors of Random123: counter words, key words, expected words.
VECTORS = [
    ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
]


def words(text: str) -> list[int]:
    return [int(word, 16) for word in text.split()]


@pytest.mark.parametrize(("counter", "key", "expected"), VECTORS)
def test_known_answers(counter: str, key: str, expected: str, everywhere: Any) -> None:
    for _ in everywhere():
        c, k = words(counter), words(key)
        out = np.empty(4, np.uint32)
        _core.philox_words(out, k[0] | k[1] << 32, c[2] | c[3] << 32, c[0] | c[1] << 32)
        assert out.tolist() == words(expected)


def philox(seed: int, stream: int, block: int) -> list[int]:
    """One block in Python integers, from the paper's constants: multipliers, and the Weyl steps of the key."""
    mask = 0xFFFFFFFF
    c, k0, k1 = [block & mask, block >> 32, stream & mask, stream >> 32], seed & mask, seed >> 32
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [p1 >> 32 ^ c[1] ^ k0, p1 & mask, p0 >> 32 ^ c[3] ^ k1, p0 & mask]
        k0, k1 = k0 + 0x9E3779B9 & mask, k1 + 0xBB67AE85 & mask
    return c


def test_a_stream_is_its_blocks_one_after_the_other() -> None:
    for seed, stream in [(0, 0), (7, 11), (2**64 - 1, 2**63 - 1)]:
        expected = [word for block in range(100) for word in philox(seed, stream, block)]
        assert fi.random.words(400, seed=seed, stream=stream).tolist() == expected
        assert fi.random.words(397, seed=seed, stream=stream).tolist() == expected[:397]


@pytest.mark.parametrize("skip", [1, 5, 2**32 - 1, 2**32, 2**40 + 3, 2**63, 2**64 - 20])
def test_skip_ahead_is_the_block_of_that_number(skip: int) -> None:
    expected = [word for block in range(skip, skip + 20) for word in philox(7, 11, block % 2**64)]
    assert fi.random.words(80, seed=7, stream=11, first_block=skip).tolist() == expected


def test_elements_are_words_of_their_blocks() -> None:
    """Element i of a draw takes word i % 4 of block i // 4, far out too: skip-ahead costs nothing."""
    rows = 2**40
    for first in (0, 2**20 + 1, rows - 3):
        block = (slice(first, first + 2), slice(0, 3))
        part = fi.init.uniform((rows, 3), low=-1, high=1, seed=7, stream=11, block=block)
        indices = range(3 * first, 3 * first + 6)
        k = [philox(7, 11, i // 4)[i % 4] >> 8 for i in indices]
        assert part.reshape(-1).tolist() == [(2 * n + 1 - 2**24) / 2**24 for n in k]
