# SPDX-License-Identifier: GPL-3.0-or-later
"""Values on their way into a crate file."""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ....jobs.errors import StagewrightError
from ..arrays import ROLES
from .compression import coded_integers, compressed_by_usd, packed

# Bits of a value's representation; below them are its type and where it is, or what it is.
_ARRAY, _INLINED, _COMPRESSED = 1 << 63, 1 << 62, 1 << 61
_TYPE = 48

_TOKEN, _TOKEN_VECTOR = 11, 41
_SPECIFIER, _VARIABILITY = 42, 44
_ASSET_PATH, _STRING, _BOOL = 12, 10, 1
_TOKEN_LIST, _PATH_LIST, _REFERENCE_LIST = 32, 34, 35
_TIME_SAMPLES, _DOUBLES = 46, 48
# Types by name: the number that crate files have for them, and their numbers in memory.
_TYPES: dict[str, tuple[int, DTypeLike]] = {
    "bool": (_BOOL, np.bool_),
    "uchar": (2, np.uint8),
    "int": (3, np.int32),
    "int64": (5, np.int64),
    "float": (8, np.float32),
    "double": (9, np.float64),
    "matrix4d": (15, np.float64),
    "quatf": (17, np.float32),
    "quath": (18, np.float16),
    "double2": (19, np.float64),
    "float2": (20, np.float32),
    "int2": (22, np.int32),
    "double3": (23, np.float64),
    "float3": (24, np.float32),
    "half3": (25, np.float16),
    "int3": (26, np.int32),
    "float4": (28, np.float32),
}
# Those that stand in their representations.
_NUMBERS = {"uchar": "<B", "int": "<i", "float": "<f"}
# Numbers by themselves, of which many may be compressed.
_PLAIN = ("int", "int64", "float", "double")
_FEW, _MANY = 16, 1 << 14
# So many bytes are their own digest; of so many it is worth while to do without.
_SHORT, _LONG = 64, 1 << 22
_LIST_IS_EXPLICIT, _LIST_HAS_EXPLICIT, _LIST_HAS_PREPENDED = 1, 2, 32


@dataclass(slots=True)
class _Long:
    """A long array in the file.

    Attributes:
        place: its representation.
        start: where its body begins.
        digest: SHA-256 of the numbers, once there was one like it.
    """

    place: int
    start: int
    digest: bytes


class CrateValues:
    """Writes values to a file, equal ones once; what is kept is an integer, where they are.

    Attributes:
        tokens: all tokens to their numbers.
        strings: all strings to theirs.
        paths: all paths that values name to theirs.
    """

    def __init__(self, file: Path) -> None:
        """Start the file ``file``.

        Raises:
            StagewrightError: ``target-unwritable``.
        """
        self._name = file.name
        try:
            self._file = file.open("w+b", buffering=1 << 20)
        except OSError as error:
            raise self._unwritable(error) from error
        self._at = 0
        self._places: dict[object, int] = {}
        self._alike: dict[tuple[int, int, bytes], list[_Long]] = {}
        # Properties are marked by a negative number, which there is none of for 0.
        self.tokens: dict[str, int] = {";-)": 0}
        self.strings: dict[str, int] = {}
        self.paths: dict[str, int] = {}
        self._ways: dict[str, Callable[[Any], int]] = {
            "bool": truth,
            "token": self.token,
            "asset": self._asset,
            "string": self._string,
            "token[]": partial(self._words, _TOKEN, self.token_number),
            "string[]": partial(self._words, _STRING, self._string_number),
        }
        for name, (number, dtype) in _TYPES.items():
            turned = name.startswith("quat")
            if name in _NUMBERS:
                write = struct.Struct(_NUMBERS[name]).pack
                self._ways[name] = partial(self._number, number, write, dtype)
            elif name != "bool":
                self._ways[name] = partial(self._scalar, number, dtype, turned)
            self._ways[f"{name}[]"] = partial(self._array, name, number, dtype, turned)
        for role, name in ROLES.items():
            self._ways[role] = self._ways[name]
            self._ways[role.removesuffix("[]")] = self._ways[name.removesuffix("[]")]
        self.write(bytes(88))  # what a file begins with is known at its end

    def kept(self, value: Any, type_name: str) -> int:
        """The representation of ``value``, see :class:`..layer_writer.Values`."""
        return self._ways[type_name](value)

    def tell(self) -> int:
        """How many bytes have been written."""
        return self._at

    def write(self, content: Any) -> None:
        """Write bytes at the end; raises StagewrightError ``target-unwritable``."""
        try:
            self._file.write(content)
        except OSError as error:
            raise self._unwritable(error) from error
        self._at += _size(content)

    def finish(self, opening: bytes) -> None:
        """Put ``opening`` at the beginning and close the file."""
        try:
            self._file.seek(0)
            self._file.write(opening)
            self._file.close()
        except OSError as error:
            raise self._unwritable(error) from error

    def close(self) -> None:
        """Close the file as it is, if it still is open."""
        try:
            self._file.close()
        except OSError as error:
            raise self._unwritable(error) from error

    def token_number(self, text: str) -> int:
        """The number of a token."""
        return self.tokens.setdefault(text, len(self.tokens))

    def token(self, text: str) -> int:
        """The representation of a token."""
        return _inlined(_TOKEN, self.tokens.setdefault(text, len(self.tokens)))

    def token_vector(self, numbers: Sequence[int]) -> int:
        """The representation of names, by their numbers."""
        content = struct.pack(f"<Q{len(numbers)}I", len(numbers), *numbers)
        return self._once(_TOKEN_VECTOR, content)

    def token_list(self, names: Iterable[str]) -> int:
        """The representation of a list operation that prepends tokens."""
        return self._once(_TOKEN_LIST, self._list(_LIST_HAS_PREPENDED, names, self.token_number))

    def path_list(self, paths: Sequence[str], *, prepended: bool = False) -> int:
        """The representation of paths, alone or put before those of weaker layers."""
        explicit = _LIST_IS_EXPLICIT | (_LIST_HAS_EXPLICIT if paths else 0)
        header = _LIST_HAS_PREPENDED if prepended else explicit
        return self._once(_PATH_LIST, self._list(header, paths, self._path_number))

    def reference(self, asset: str) -> int:
        """The representation of a list operation that prepends a reference to an asset."""
        numbers = self._string_number(asset), self._path_number("")
        item = struct.pack("<BQIIddQ", _LIST_HAS_PREPENDED, 1, *numbers, 0.0, 1.0, 0)
        return self._once(_REFERENCE_LIST, item)

    def samples(self, samples: Mapping[float, int]) -> int:
        """The representation of values, by their own, over time."""
        frames = struct.pack(f"<Q{len(samples)}d", len(samples), *samples)
        times = self._once(_DOUBLES, frames)
        content = struct.pack(f"<qQqQ{len(samples)}Q", 8, times, 8, len(samples), *samples.values())
        return self._once(_TIME_SAMPLES, content)

    def _list(self, header: int, items: Iterable[str], number: Callable[[str], int]) -> bytes:
        numbers = [number(item) for item in items]
        if not numbers:
            return bytes((header,))
        return struct.pack(f"<BQ{len(numbers)}I", header, len(numbers), *numbers)

    def _string_number(self, text: str) -> int:
        self.token_number(text)
        return self.strings.setdefault(text, len(self.strings))

    def _path_number(self, path: str) -> int:
        return self.paths.setdefault(path, len(self.paths))

    def _string(self, text: str) -> int:
        return _inlined(_STRING, self._string_number(text))

    def _asset(self, text: str) -> int:
        return _inlined(_ASSET_PATH, self.token_number(text))

    def _number(
        self, number: int, write: Callable[[Any], bytes], dtype: DTypeLike, value: Any
    ) -> int:
        try:
            content = write(value)
        except OverflowError:  # of a float, which is infinite then
            content = np.array(value, np.float64).astype(dtype).tobytes()
        return _inlined(number, int.from_bytes(content, "little"))

    def _scalar(self, number: int, dtype: DTypeLike, turned: bool, value: Any) -> int:
        content = np.asarray(value, dtype)
        if turned:
            content = np.roll(content, -1)  # Gf keeps the real part last in memory
        return self._once(number, content.tobytes())

    def _once(self, number: int, content: bytes) -> int:
        """The representation of what is not an array, written if it is new."""
        key = (number, content)
        place = self._places.get(key)
        if place is None:
            place = self._places[key] = number << _TYPE | self._at
            self.write(content)
        return place

    def _words(self, number: int, numbered: Callable[[str], int], words: Sequence[str]) -> int:
        numbers = np.array([numbered(word) for word in words], np.uint32)
        return self._written("", number, numbers, len(numbers))

    def _array(
        self, name: str, number: int, dtype: DTypeLike, turned: bool, values: NDArray[Any]
    ) -> int:
        if turned:
            values = np.roll(values, -1, axis=-1)
        content = np.ascontiguousarray(values, dtype)
        return self._written(name, number, content, len(content))

    def _written(self, name: str, number: int, content: NDArray[Any], count: int) -> int:
        """The representation of an array, written if it is new."""
        if not count:
            return _ARRAY | number << _TYPE
        content = content.reshape(-1)
        if content.nbytes <= _SHORT:
            key: object = (number, count, content.tobytes())
        elif content.nbytes < _LONG:
            key = (number, count, hashlib.sha256(content.view(np.uint8)).digest())
        else:
            return self._long(name, number, content, count)
        place = self._places.get(key)
        if place is None:
            place = self._places[key] = self._write_array(number, *_body(name, content, count))
        return place

    def _long(self, name: str, number: int, content: NDArray[Any], count: int) -> int:
        """The representation of a long array, which is digested only where one is like it."""
        octets = content.view(np.uint8)
        sample = np.concatenate([octets[:_SHORT], octets[:: len(octets) // 1024]])
        alike = self._alike.setdefault((number, count, sample.tobytes()), [])
        digest = hashlib.sha256(octets).digest() if alike else b""
        for other in alike:
            if other.digest == digest:
                return other.place
        body, is_compressed = _body(name, content, count)
        for other in alike:
            if not other.digest and self._is_at(other.start, body):
                other.digest = digest
                return other.place
        place = self._write_array(number, body, is_compressed)
        alike.append(_Long(place, self._at - sum(map(_size, body)), digest))
        return place

    def _write_array(self, number: int, body: Sequence[Any], is_compressed: bool) -> int:
        self.write(bytes(-self._at % 8))
        place = _ARRAY | number << _TYPE | self._at
        for part in body:
            self.write(part)
        return place | (_COMPRESSED if is_compressed else 0)

    def _is_at(self, start: int, body: Sequence[Any]) -> bool:
        """Whether the file has ``body`` at ``start``."""
        try:
            self._file.seek(start)
            found = all(self._file.read(_size(part)) == memoryview(part).cast("B") for part in body)
            self._file.seek(0, os.SEEK_END)
        except OSError as error:
            raise self._unwritable(error) from error
        return found

    def _unwritable(self, error: OSError) -> StagewrightError:
        return StagewrightError(
            "target-unwritable",
            f"{self._name} cannot be written ({error.strerror or error}).",
            "Make room on the disk, or choose a folder you may write to.",
        )


def _body(name: str, content: NDArray[Any], count: int) -> tuple[list[Any], bool]:
    """What is written of an array, and whether it is compressed."""
    if name in _PLAIN and count >= _MANY:
        body, is_compressed = compressed_by_usd(content, f"{name}[]")
        return [body], is_compressed
    if name == "int" and count >= _FEW:
        coded = packed(coded_integers(content))
        return [struct.pack("<QQ", count, len(coded)) + coded], True
    return [struct.pack("<Q", count), content], False


def _size(content: Any) -> int:
    return memoryview(content).nbytes


def _inlined(number: int, value: int) -> int:
    return _INLINED | number << _TYPE | value


def specifier(name: str) -> int:
    """The representation of a specifier: ``def``, ``over`` or ``class``."""
    return _inlined(_SPECIFIER, ("def", "over", "class").index(name))


def truth(value: bool) -> int:
    """The representation of True or False."""
    return _inlined(_BOOL, int(value))


def variability(is_uniform: bool) -> int:
    """The representation of whether values may vary over time."""
    return _inlined(_VARIABILITY, int(is_uniform))
