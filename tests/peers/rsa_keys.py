"""rsa_keys.py - RSA keys of stand-ins: a process makes four and begins again, since each costs a tenth of a second.

Whoever takes up to four in a row has as many different ones.
"""
# SPDX-License-Identifier: ISC
import functools
import itertools

from cryptography.hazmat.primitives.asymmetric import rsa

BITS = 2048
DIFFERENT = 4
turns = itertools.cycle(range(DIFFERENT))


@functools.lru_cache
def made(_turn):
    return rsa.generate_private_key(public_exponent=65537, key_size=BITS)


def next_key():
    return made(next(turns))
