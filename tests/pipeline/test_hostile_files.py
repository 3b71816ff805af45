# SPDX-License-Identifier: GPL-3.0-or-later
"""Files made to do harm: the commands refuse them by name, and change nothing around them."""

from __future__ import annotations

import io
import json
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest

from stagewright.jobs import text_files
from stagewright.jobs.drive import drain
from stagewright.jobs.errors import StagewrightError
from stagewright.pipeline import cli
from stagewright.texture_lab.texture_set import REQUEST_KEY

MAX_TEXT = 1 << 20  # of these tests; else they would write gigabytes
DEEP = b"[" * 200_000
LINK = {"basecolor": "../../victim.txt", "normal": "/etc/hostname"}


def png(columns: int, rows: int, data: bytes, *more: tuple[bytes, bytes]) -> bytes:
    header = struct.pack(">IIBBBBB", columns, rows, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), *more, (b"IDAT", zlib.compress(data, 9)), (b"IEND", b"")]
    parts = [b"\x89PNG\r\n\x1a\n"]
    for kind, body in chunks:
        crc = zlib.crc32(body, zlib.crc32(kind))
        parts.append(struct.pack(">I", len(body)) + kind + body + struct.pack(">I", crc))
    return b"".join(parts)


def archive(**members: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name.replace("__", "."), content)
    return stream.getvalue()


def npy(descr: str, shape: str) -> bytes:
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    header += b" " * (118 - len(header) - 1) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header


def fields(values: bytes) -> bytes:
    """A field's archive whose values are ``values``."""
    stored = {}
    for key, value in {
        "voxel_size": np.float64(1),
        "origin": np.zeros(3),
        "level_set": np.True_,
        "name": np.str_("x"),
    }.items():
        stream = io.BytesIO()
        np.save(stream, value)
        stored[f"{key}__npy"] = stream.getvalue()
    return archive(**stored, values__npy=values)


TEXTS: dict[str, bytes] = {
    "nothing": b"",
    "bytes": bytes(range(256)) * 9,
    "deep": DEEP,
    "deep object": b'{"nodes":' * 100_000,
    "number": b'{"nodes": ' + b"9" * 10_000 + b"}",
    "infinite": b'{"nodes": [], "tile_size_m": [1e999, NaN], "maps": {}}',
    "other kinds": b'{"nodes": {"id": 3}, "maps": 7, "request": [], "generator": {}}',
    "paths": json.dumps({"maps": LINK, "request": {"prompt": "brick"}}).encode(),
    "huge": b" " * (MAX_TEXT + 1),
}
PICTURES: dict[str, bytes] = {
    **{name: TEXTS[name] for name in ("nothing", "bytes", "deep")},
    "bomb": png(8, 8, bytes(50_000_000)),
    "promise": png(2**31 - 1, 2**31 - 1, b""),
    "wide": png(2**31 - 1, 1, bytes(99)),
    "none": png(0, 0, b""),
}
WORDS = {
    f"words: {name}": png(1, 1, bytes(4), (b"tEXt", REQUEST_KEY.encode() + b"\0" + text))
    for name, text in TEXTS.items()
}
ARCHIVES: dict[str, bytes] = {
    **{name: TEXTS[name] for name in ("nothing", "bytes", "deep")},
    "promise": fields(npy("<f8", "(99999, 99999, 99999)")),
    "pickle": fields(npy("|O", "(1,)") + b"cos\nsystem\n(S'touch victim'\ntR."),
    "negative": fields(npy("<f8", "(-4, 2, 2)")),
    "foreign": archive(a__txt=b"a"),
}
STAGES: dict[str, bytes] = {
    **{name: TEXTS[name] for name in ("nothing", "bytes", "deep")},
    "deep": b"#usda 1.0\n" + b'def "A" {' * 3000,
    "deep value": b"#usda 1.0\ncustom int a = " + b"[" * 50_000,
    "entities": b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "b">]><materialx>&b;</materialx>',
}
JOBS: list[tuple[str, str, dict[str, bytes]]] = [
    ("texture graph {} -o {out}", "a.json", TEXTS),
    ("texture batch {} -o {out}", "a.txt", {k: v for k, v in TEXTS.items() if v}),
    ("texture look {} -o {out}/a.usda", "a.json", TEXTS),
    ("texture pack {}", "a.json", TEXTS),
    ("texture rerun {} -o {out}", "a.png", PICTURES | WORDS),
    ("texture maps {} -o {out}", "a.png", PICTURES),
    ("texture tile {} -o {out}", "a.png", PICTURES),
    ("texture upscale {} -o {out}", "a.png", PICTURES),
    ("texture vary {} -o {out}", "a.png", PICTURES),
    ("usd compare-render {} {}", "a.png", PICTURES),
    ("field info {}", "a.npz", ARCHIVES),
    ("field renormalize {} -o b.npz", "a.npz", ARCHIVES),
    ("field offset {} --distance 0.1 -o b.npz", "a.obj", TEXTS),
    ("field offset {} --distance 0.1 -o b.npz", "a.ply", TEXTS),
    ("usd mtlx validate {}", "a.mtlx", STAGES | TEXTS),
    ("usd mtlx list {}", "a.mtlx", STAGES | TEXTS),
    ("usd schema generate {} -o {out}", "schema.usda", STAGES),
    ("usd schema register {folder}", "plugInfo.json", TEXTS),
    ("usd replace sound.usda --remap {}", "a.json", TEXTS),
]
CASES = [
    pytest.param(words, name, content, id=f"{words.split(' {')[0]} {kind}")
    for words, name, contents in JOBS
    for kind, content in contents.items()
]

PARSER = cli._parser()  # made for each case, it would take most of the time


@pytest.mark.parametrize(("words", "name", "content"), CASES)
def test_what_is_made_to_do_harm_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str, name: str, content: bytes
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setattr(text_files, "MAX_TEXT", MAX_TEXT)
    monkeypatch.setattr(cli, "_parser", lambda: PARSER)
    (folder / name).write_bytes(content)
    (folder / "sound.usda").write_text("#usda 1.0\n")
    before = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*")}
    told = words.format(folder / name, folder / name, out=tmp_path / "out", folder=folder)
    with pytest.raises(StagewrightError) as caught:
        drain(cli.command(told.split()), lambda event: None)
    said = str(caught.value)
    assert name in said and caught.value.cure and len(said) < 1000
    assert {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*")} == before
