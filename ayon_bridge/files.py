# SPDX-License-Identifier: GPL-3.0-or-later
"""File operations of a publish: errors a person understands, and steps between them.

The jobs here yield before every operation, so that a publish can be stopped
between any two of them.
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ..jobs.errors import StagewrightError
from ..jobs.events import Job, Progress

CHUNK = 16 * 1024 * 1024
"""Bytes between two steps of a long copy or hash."""

_FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}
_REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS}


@contextmanager
def file_errors(path: Path) -> Iterator[None]:
    """Turn an OSError of the block into a StagewrightError that names ``path``."""
    try:
        yield
    except OSError as error:
        raise _explanation(error, path) from error


def _explanation(error: OSError, path: Path) -> StagewrightError:
    if error.errno in _FULL:
        return StagewrightError(
            "disk-full",
            f'There is no space left to write "{path}".',
            "Free some space on that drive, then publish again.",
        )
    if error.errno == errno.EFBIG:
        return StagewrightError(
            "file-too-large",
            f'The drive refuses a file as large as "{path}".',
            "Use a library on a drive that takes large files.",
        )
    if error.errno in _REFUSED:
        return StagewrightError(
            "unwritable",
            f'There is no permission to use "{path}".',
            "Ask for write permission there, or choose another library.",
        )
    if error.errno == errno.ENOENT:
        return StagewrightError(
            "missing-file", f'"{path}" does not exist.', "Put it back, then publish again."
        )
    return StagewrightError(
        "file-error",
        f'"{path}" cannot be used: {error.strerror or error}.',
        "Check the drive and the path, then try again.",
    )


def make_folder(path: Path, made: list[Path]) -> Job[None]:
    """Make a folder and the missing ones above it; appends those it made to ``made``."""
    while missing := [each for each in (path, *path.parents) if not each.is_dir()]:
        outermost = missing[-1]
        yield Progress("library.folder", message=f"Making {outermost.name}")
        with file_errors(outermost):
            try:
                outermost.mkdir()
            except FileExistsError:
                if not outermost.is_dir():
                    raise
                continue  # another publish made it meanwhile, and owns it
            except FileNotFoundError:
                if outermost.parent == outermost:
                    raise
                continue  # another publish took its parent back meanwhile
        made.append(outermost)


def copy_file(source: Path, target: Path, done: int, total: int) -> Job[int]:
    """Copy a file to a path where none is yet.

    Args:
        source: the file to read.
        target: the file to make.
        done: bytes copied before this file.
        total: bytes of all files, for the fraction.

    Returns:
        Bytes copied so far, this file included.
    """
    yield Progress("library.copy", done / total, f"Copying {source.name}")
    with file_errors(source):
        reading = source.open("rb")
    with reading:
        with file_errors(target):
            writing = target.open("xb")
        with file_errors(target), writing:
            while True:
                with file_errors(source):
                    chunk = reading.read(CHUNK)
                if not chunk:
                    break
                yield Progress("library.copy", done / total, f"Copying {source.name}")
                writing.write(chunk)
                done += len(chunk)
    return done


def share_file(
    source: Path, target: Path, known: Mapping[str, Path], done: int, total: int
) -> Job[int]:
    """Copy a file, or give one that has the same bytes a second name, where the drive can.

    A hard link: whichever name is removed, the other one keeps the file.

    Args:
        source: the file to read; it is not changed afterwards, nor is ``target``.
        target: the file to make.
        known: files that are there already, by their sha256.
        done: bytes copied before this file.
        total: bytes of all files, for the fraction.

    Returns:
        Bytes copied so far, this file included.
    """
    size, digest = yield from hash_file(source, done, total)
    same = known.get(digest)
    # What it was once is not what it need be today.
    if same is not None and same.is_file() and (yield from hash_file(same)) == (size, digest):
        yield Progress("library.link", done / total, f"Linking {source.name}")
        try:
            os.link(same, target)
        except OSError:
            pass  # a drive without links, or another drive, or too many links
        else:
            return done + size
    return (yield from copy_file(source, target, done, total))


def hash_file(path: Path, done: int = 0, total: int = 0) -> Job[tuple[int, str]]:
    """Size in bytes and sha256 hexadecimal digest of a file.

    Args:
        path: the file to read.
        done: bytes hashed before this file.
        total: bytes of all files, for the fraction; 0 when unknown.
    """
    digest = hashlib.sha256()
    size = 0
    with file_errors(path), path.open("rb") as file:
        while True:
            fraction = (done + size) / total if total else None
            yield Progress("library.hash", fraction, f"Hashing {path.name}")
            chunk = file.read(CHUNK)
            if not chunk:
                return size, digest.hexdigest()
            digest.update(chunk)
            size += len(chunk)


def sync_file(path: Path) -> None:
    """Have a file's bytes on the drive before going on."""
    with file_errors(path), path.open("r+b") as file:
        os.fsync(file.fileno())


def sync_folder(path: Path) -> None:
    """Have a folder's entries on the drive before going on; Windows does so by itself."""
    if os.name == "nt":
        return
    with file_errors(path):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def remove_tree(path: Path) -> Job[None]:
    """Remove a folder with everything in it, a step at a time."""
    for folder, folders, names in os.walk(path, topdown=False):
        for name in names:
            yield Progress("library.remove", message=f"Removing {name}")
            with file_errors(Path(folder, name)):
                os.unlink(Path(folder, name))
        for name in folders:
            yield Progress("library.remove", message=f"Removing {name}")
            with file_errors(Path(folder, name)):
                os.rmdir(Path(folder, name))
    yield Progress("library.remove", message=f"Removing {path.name}")
    with file_errors(path):
        path.rmdir()


def files_below(folder: Path) -> list[str]:
    """Every file below a folder, relative, with forward slashes, sorted."""
    files = (each for each in folder.rglob("*") if each.is_file())
    return sorted(each.relative_to(folder).as_posix() for each in files)
