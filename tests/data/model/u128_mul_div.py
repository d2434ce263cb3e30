#!/usr/bin/env python3
"""Writes u128_mul_div.txt: value * num / den under every rounding, from Python's own integers.

Run it in its own folder. The seed is fixed, so the file comes out the same.
"""
import random

LIMIT = 1 << 128
rng = random.Random(20231128)


def number(bits):
    return rng.getrandbits(bits) if bits else 0


def roundings(value, num, den):
    down, rem = divmod(value * num, den)
    up = down + (rem != 0)
    twice = 2 * rem
    half_up = down + (twice >= den)
    half_down = down + (twice > den)
    half_even = down + (twice > den or (twice == den and down % 2 == 1))
    return [down, up, half_up, half_down, half_even]


def cases():
    top = LIMIT - 1
    # The edges of the types.
    for v in (0, 1, 2, top - 1, top, 1 << 64, (1 << 64) - 1, 1 << 127):
        for n, d in ((0, 1), (1, 1), (1, 2), (1, 3), (top, top), (top, top - 1), (top - 1, top), (1 << 64, 1 << 65)):
            yield v, n, d
    # Any sizes, mostly with a result.
    for _ in range(60):
        v, n = number(rng.randint(1, 128)), number(rng.randint(1, 128))
        least = max(v.bit_length() + n.bit_length() - 128, 1)
        yield v, n, number(rng.randint(min(least, 128), 128)) | 1 << (min(least, 128) - 1)
    # Products over 128 bits by divisors with the top bit set: the remainder's carry.
    for _ in range(25):
        yield number(128), number(128), number(128) | 1 << 127
    # Exact ties: g*x * y / 2g with x and y odd.
    for _ in range(30):
        g = number(rng.randint(1, 90)) | 1
        yield g * (number(36) | 1), number(rng.randint(2, 90)) | 1, 2 * g
    # One below and one above a tie.
    for _ in range(15):
        d = number(100) & ~1 | 2
        q = number(20)
        for away in (-1, 1):
            yield q * d + d // 2 + away, 1, d
    # A result at and just past 2^128.
    for _ in range(10):
        d = number(60) | 3
        for v in (LIMIT - 1, LIMIT // d, LIMIT // d + 1):
            yield v, d, 1 if v != LIMIT - 1 else d
    yield top, 2, 2
    yield top, top, top - 1
    yield (1 << 65) - 1, (1 << 65) - 1, 4
    # 2^128 - 1 and a half: rounding alone passes the limit.
    for p in (7, 431, 9719):
        yield ((1 << 129) - 1) // p, p, 2


with open("u128_mul_div.txt", "w", encoding="ascii") as out:
    out.write("# value num den down up half-up half-down half-even; - = over 2^128 - 1. By u128_mul_div.py.\n")
    for v, n, d in cases():
        results = [str(r) if r < LIMIT else "-" for r in roundings(v, n, d)]
        out.write(" ".join([str(v), str(n), str(d)] + results) + "\n")
