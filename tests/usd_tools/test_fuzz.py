# SPDX-License-Identifier: GPL-3.0-or-later
"""Damaged files: each is told by name or read rightly, and never hangs or takes us along.

2,000 in plain Python; 250 with the USD of each Blender, or as many as ``STAGEWRIGHT_FUZZ`` says.
"""

from __future__ import annotations

import os
import queue
import random
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from json import loads
from pathlib import Path
from typing import Any

import pytest
from pxr import Sdf, Usd

IN_BLENDER = "bpy" in sys.modules
NUMBER = int(os.environ.get("STAGEWRIGHT_FUZZ", "250" if IN_BLENDER else "2000"))
PATIENCE = 30.0  # seconds for one file of a few kilobytes; ours ends itself before (fuzz_child)

SOURCE = """#usda 1.0
(
    defaultPrim = "A"
    metersPerUnit = 1
    upAxis = "Z"
    subLayers = [@./under.usda@ (offset = 2; scale = 3)]
    customLayerData = {
        dictionary deep = { string note = "ü\\n"; double[] numbers = [1, 2.5, inf] }
    }
)
class "Shape" (
    customData = { bool yes = 1 }
)
{
    def Mesh "Mesh" (
        prepend apiSchemas = ["MaterialBindingAPI"]
    )
    {
        float3[] extent = [(0, 0, 0), (1, 1, 0)]
        int[] faceVertexCounts = [4]
        int[] faceVertexIndices = [0, 1, 2, 3]
        point3f[] points = [(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0)]
        point3f[] points.timeSamples = {
            1: [(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0)],
            2.5: [(0, 0, 1), (1, 0, 1), (1, 1, 1), (0, 1, 1)],
        }
        texCoord2f[] primvars:st = [(0, 0), (1, 1)] ( interpolation = "faceVarying" )
        int[] primvars:st:indices = [0, 1, 0, 1]
        rel material:binding = </A/Looks/Red>
    }
}
def Xform "A" (
    kind = "component"
    prepend inherits = </Shape>
    prepend references = [@./part.usda@</Part>, </Shape>]
    payload = @./heavy.usda@
    variants = { string lod = "high" }
    prepend variantSets = "lod"
    assetInfo = { asset identifier = @./a.usda@; string name = "A" }
)
{
    double3 xformOp:translate = (0, 0, 1)
    uniform token[] xformOpOrder = ["xformOp:translate"]
    asset picture = @./tex/wood.<UDIM>.png@
    string note = "a"
    timecode when = 3
    matrix4d frame = ( (1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1) )
    quatf turn = (1, 0, 0, 0)
    def Xform "I1" ( instanceable = true
        inherits = </Shape> ) {
    }
    def Xform "I2" ( instanceable = true
        inherits = </Shape> ) {
    }
    def PointInstancer "Copies"
    {
        int[] protoIndices = [0, 0]
        point3f[] positions = [(0, 0, 0), (1, 0, 0)]
        rel prototypes = </A/I1>
    }
    def Scope "Looks"
    {
        def Material "Red"
        {
            token outputs:surface.connect = </A/Looks/Red/S.outputs:surface>
            def Shader "S"
            {
                uniform token info:id = "UsdPreviewSurface"
                color3f inputs:diffuseColor = (1, 0, 0)
                token outputs:surface
            }
        }
    }
    variantSet "lod" = {
        "high" {
            def Sphere "Fine" {
                double radius = 2
            }
        }
        "low" {
            over "Mesh" ( active = false ) {
            }
        }
    }
}
"""
OTHERS = {
    "under.usda": '#usda 1.0\nover "A"\n{\n    custom int under = 1\n}\n',
    "part.usda": '#usda 1.0\ndef Xform "Part"\n{\n    def Cube "Box"\n    {\n    }\n}\n',
    "heavy.usda": '#usda 1.0\n(\n    defaultPrim = "H"\n)\ndef Xform "H"\n{\n}\n',
}
WORDS = (
    *(
        "def",
        "over",
        "class",
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        "@",
        '"',
        "'",
        '"""',
        "=",
        "</A>",
        "</",
        "#",
    ),
    *(
        "None",
        "nan",
        "-1",
        "1e999",
        "99999999999999999999",
        "\0",
        "variantSet",
        "timeSamples",
        "\x80",
    ),
    *(
        "prepend",
        "delete",
        "references",
        "subLayers",
        "@./a.usda@",
        "</Shape/Mesh>",
        "token[]",
        ".",
        "",
    ),
)
NUMBERS = (
    b"\xff" * 8,
    b"\0" * 8,
    b"\xff\xff\xff\x7f",
    b"\x80",
    b"\x01\0\0\0\0\0\0\x80",
    b"\x40\x42\x0f\0",
)


@pytest.fixture(scope="module", name="sources")
def sources_fixture(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What small sound files hold, by their endings."""
    folder = tmp_path_factory.mktemp("sound")
    for name, text in OTHERS.items():
        (folder / name).write_text(text)
    (folder / "a.usda").write_text(SOURCE)
    layer = Sdf.Layer.FindOrOpen(str(folder / "a.usda"))
    layer.Export(str(folder / "a.usdc"))
    writer_type = getattr(Sdf, "ZipFileWriter", None) or Usd.ZipFileWriter
    writer = writer_type.CreateNew(str(folder / "a.usdz"))
    for name in ("a.usdc", *OTHERS):
        writer.AddFile(str(folder / name), name)
    writer.Save()
    return {end: (folder / f"a{end}").read_bytes() for end in (".usda", ".usdc", ".usdz")}


def mutated(content: bytes, ending: str, chance: random.Random) -> bytes:
    """``content`` with one to four faults."""
    data = bytearray(content)
    for _ in range(chance.choice((1, 1, 1, 1, 3))):
        place = chance.randrange(len(data)) if data else 0
        kind = chance.randrange(8 if ending != ".usda" else 10)
        if kind == 0:  # cut short
            del data[place:]
        elif kind == 1:  # a hole
            del data[place : place + chance.choice((1, 8, 100))]
        elif kind == 2:  # a wiped block
            end = min(len(data), place + chance.choice((8, 64, 512)))
            data[place:end] = bytes(end - place)
        elif kind == 3:  # a block twice
            data[place:place] = data[place : place + chance.choice((1, 30, 300))]
        elif kind == 4:  # a block from elsewhere
            other = chance.randrange(len(data)) if data else 0
            data[place : place + 16] = data[other : other + 16]
        elif kind in (5, 6):  # another number
            number = chance.choice(NUMBERS)
            data[place : place + len(number)] = number
        elif kind == 7 and data:  # a bit
            data[place] ^= 1 << chance.randrange(8)
        elif kind >= 8:  # another word
            words = data.split(b" ")
            words[chance.randrange(len(words))] = chance.choice(WORDS).encode("latin-1")
            data = bytearray(b" ".join(words))
    return bytes(data)


class Child:
    """The process that looks at files; another one takes over where one ended."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._answers: queue.Queue[str] = queue.Queue()

    def ask(self, path: Path) -> dict[str, Any]:
        """What came of a file: the child's answer, ``crash`` or ``hang``."""
        if self._process is None:
            self._start()
        process = self._process
        assert process is not None and process.stdin is not None
        process.stdin.write(f"{path}\n")
        process.stdin.flush()
        try:
            line = self._answers.get(timeout=PATIENCE)
        except queue.Empty:
            process.kill()
            line = ""
        if line:
            answer: dict[str, Any] = loads(line)
            return answer
        self.close()
        return {"hang" if process.returncode == -9 else "crash": process.returncode}

    def _start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("fuzz_child.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        self._answers = queue.Queue()
        threading.Thread(
            target=self._read, args=(self._process, self._answers), daemon=True
        ).start()

    @staticmethod
    def _read(process: subprocess.Popen[str], answers: queue.Queue[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            answers.put(line)
        answers.put("")  # it has ended

    def close(self) -> None:
        if self._process is not None:
            assert self._process.stdin is not None
            self._process.stdin.close()
            self._process.wait()
            self._process = None


@pytest.fixture(name="child")
def child_fixture() -> Iterator[Child]:
    child = Child()
    yield child
    child.close()


def is_of_two_minds(child: Child, file: Path) -> bool:
    """Whether USD reads the file at one time and not at another: it looks at stray memory."""
    minds = set()
    for attempt in range(30):
        other = file.with_name(f"again{attempt}_{file.name}")
        other.write_bytes(file.read_bytes())
        answer = child.ask(other)
        minds.add((next(iter(answer)), answer.get("there", {}).get("whole")))
        other.unlink()
        if len(minds) > 1:
            return True
    return False


def test_damaged_files_are_told_by_name_or_read_as_they_are(
    sources: dict[str, bytes], child: Child, tmp_path: Path
) -> None:
    for name, text in OTHERS.items():
        (tmp_path / name).write_text(text)
    endings = list(sources)
    came: Counter[tuple[str, str]] = Counter()
    for number in range(NUMBER):
        ending = endings[number % 3]
        file = tmp_path / f"f{number}{ending}"
        file.write_bytes(mutated(sources[ending], ending, random.Random(number)))
        answer = child.ask(file)
        kind = next(iter(answer))
        there = answer.get("there", {})
        if kind == "error":
            # Unreadable by name, and only what USD by itself cannot read as a whole, either.
            assert answer["error"] == "asset-unreadable", (file, answer)
            assert not there["whole"] or is_of_two_minds(child, file), (file, answer)
        elif kind == "rows":
            assert answer["rows"] == there["types"], (file, answer)
            assert answer["paths"] == there["paths"], (file, answer)
        else:
            # USD dies of a damaged crate or waits forever, by stray memory; we never do.
            assert kind in ("crash", "hang"), (file, answer)
            kind = "crash"
        came[ending, kind] += 1
        file.unlink()
    for ending in endings:  # some were read, some were not: the faults were neither idle nor blunt
        assert came[ending, "rows"] and came[ending, "error"], came
    # USD itself dies of a damaged crate now and then; whoever asked another process is told.
    assert sum(came[ending, "crash"] for ending in endings) <= max(5, NUMBER // 50), came
    assert not came[".usda", "crash"]


def test_what_ends_the_other_process_or_holds_it_up_is_told(
    child: Child, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sources: dict[str, bytes]
) -> None:
    sound = tmp_path / "sound.usda"
    sound.write_text(OTHERS["part.usda"])
    expected = {"Cube": 1, "Xform": 1}
    assert child.ask(sound)["rows"] == expected
    assert child._process is not None
    child._process.kill()
    assert set(child.ask(sound)) & {"crash", "hang"}
    assert child.ask(sound)["rows"] == expected
    if hasattr(os, "mkfifo"):  # a file that never gives anything
        os.mkfifo(tmp_path / "pipe.usda")
        (tmp_path / "stuck.usda").write_text("#usda 1.0\n(\n    subLayers = [@pipe.usda@]\n)\n")
        monkeypatch.setattr(sys.modules[__name__], "PATIENCE", 1.0)
        assert child.ask(tmp_path / "stuck.usda") == {"hang": -9}
