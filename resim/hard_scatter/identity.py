"""Identity of a hard scatter: its particles, not the file that holds it."""

import hashlib
import struct
from dataclasses import fields
from operator import attrgetter

import pylhe

_numbers_of = attrgetter(*(field.name for field in fields(pylhe.LHEParticle)))


def identity_of(event: pylhe.LHEEvent) -> int:
    """Which hard scatter an event is, as a number in 0 … 2⁶⁴ - 1.

    It is the 64-bit BLAKE2b hash of the 13 numbers of every particle but the beams, in the order of the file: PDG id,
    status, mothers, colours, momentum, energy, mass, lifetime, spin, each as float64. So it is the same in an
    extract, under another header, in another notation, and with another weight: joined files are normed anew.
    """
    numbers = [value + 0.0 for particle in event.particles for value in _numbers_of(particle)]  # -0.0 is 0.0
    packed = struct.pack(f"<{len(numbers)}d", *numbers)
    return int.from_bytes(hashlib.blake2b(packed, digest_size=8, person=b"resim event").digest(), "little")
