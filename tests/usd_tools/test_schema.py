# SPDX-License-Identifier: GPL-3.0-or-later
"""Schemas without code: made as usdGenSchema makes them, and registered."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pxr
import pytest
from pxr import Sdf, Usd

from stagewright.jobs.errors import StagewrightError
from stagewright.usd_tools.identity import Identity, stamp_identity
from stagewright.usd_tools.schema import generate
from stagewright.usd_tools.schema_plugins import PUBLISH, apply_publish_schema
from stagewright.usd_tools.schemas import OWN

SCHEMA = """#usda 1.0
(
    subLayers = [
        @usdGeom/schema.usda@,
        @usd/schema.usda@
    ]
)
over "GLOBAL" (
    customData = {
        string libraryName = "studio"
        bool skipCodeGeneration = true
    }
)
{
}
"""
CLASSES = """
class "ShotAPI" (
    inherits = </APISchemaBase>
    customData = {
        token[] apiSchemaCanOnlyApplyTo = ["Xform"]
        token apiSchemaType = "singleApply"
        dictionary extraPlugInfo = {
            bool isOurs = 1
        }
    }
    doc = '''What a "shot" is. A second sentence.'''
)
{
    reorder properties = ["shot:name", "shot:status"]
    uniform string shot:name = "" (
        doc = "Name of the shot"
    )
    uniform token shot:status = "draft" (
        allowedTokens = ["draft", "final"]
    )
    rel shot:camera (
        customData = {
            string userDocBrief = " The camera. "
        }
    )
}
class "TagAPI" (
    inherits = </APISchemaBase>
    customData = {
        token apiSchemaType = "multipleApply"
        token propertyNamespacePrefix = "tag"
        token[] apiSchemaAllowedInstanceNames = ["a", "b"]
        dictionary apiSchemaInstances = {
            dictionary a = {
                token[] apiSchemaCanOnlyApplyTo = ["Mesh"]
            }
        }
    }
)
{
    float amount = 0.5 (
        doc = "How much of it. More."
    )
    string __INSTANCE_NAME__ = "x"
}
class "HelpAPI" (
    inherits = </APISchemaBase>
    customData = {
        token apiSchemaType = "nonApplied"
    }
)
{
}
class "Base" (
    inherits = </Typed>
)
{
    float size = 1 (
        doc = "A \\\\em size of \\\\ref Foo thing."
    )
}
class Thing "Thing" (
    inherits = </Base>
    prepend apiSchemas = ["ShotAPI"]
    customData = {
        token[] fallbackTypes = ["Scope"]
        string className = "SomeThing"
    }
    doc = "A thing."
)
{
    double[] sizes = [1, 2]
    uniform token shot:status = "final" (
        customData = {
            bool apiSchemaOverride = true
        }
    )
}
class Ball "Ball" (
    inherits = </Gprim>
)
{
    double radius = 1
}
"""


def written(tmp_path: Path, classes: str = CLASSES) -> Path:
    source = tmp_path / "schema.usda"
    source.write_text(SCHEMA + classes, "utf-8")
    return source


def plugin(folder: Path) -> Any:
    lines = (folder / "plugInfo.json").read_text("utf-8").splitlines()
    return json.loads("\n".join(line for line in lines if not line.startswith("#")))["Plugins"][0]


@pytest.mark.parametrize("source", ["studio", "own"])
def test_what_is_made_is_what_usdgenschema_makes(tmp_path: Path, source: str) -> None:
    script = Path(Usd.__file__).with_name("usdGenSchema.py")
    pytest.importorskip("jinja2")
    if not script.is_file():
        pytest.skip("this USD comes without usdGenSchema")
    schema = written(tmp_path) if source == "studio" else OWN / "schema.usda"
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    theirs.mkdir()
    done = subprocess.run(
        [sys.executable, str(script), "-q", str(schema), str(theirs)],
        env=os.environ | {"PYTHONPATH": str(Path(pxr.__file__).parents[1])},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    generate(schema, ours)
    name = "generatedSchema.usda"
    assert (ours / name).read_text("utf-8") == (theirs / name).read_text("utf-8")
    own, other = plugin(ours), plugin(theirs)
    assert own["Info"] == other["Info"]
    assert (own["Name"], own["Type"]) == (other["Name"], other["Type"])


def test_the_plugin_that_comes_along_is_made_of_its_source(tmp_path: Path) -> None:
    generate(OWN / "schema.usda", tmp_path)
    for name in ("generatedSchema.usda", "plugInfo.json"):
        assert (tmp_path / name).read_bytes() == (OWN / name).read_bytes()


ASK = """
import sys
if {blender}:
    import bpy
    bpy.utils.expose_bundled_modules()
from pathlib import Path
from pxr import Usd
if {late}:
    Usd.Stage.CreateInMemory().DefinePrim("/early", "Xform")
from stagewright.usd_tools.schema_plugins import register
rows = register(Path({folder!r}))
stage = Usd.Stage.CreateInMemory()
thing = stage.DefinePrim("/thing", "Thing")
thing.ApplyAPI("TagAPI", "a") if not {late} else None
import json
print("ANSWER", json.dumps({{
    "ready": {{row.name: row.ready for row in rows}},
    "names": sorted(thing.GetPropertyNames()),
    "status": str(thing.GetAttribute("shot:status").Get()),
}}))
"""


def asked(folder: Path, late: bool) -> Any:
    """What a fresh process says of the plugin in ``folder``, registered before or after a stage."""
    blender = "bpy" in sys.modules
    script = ASK.format(blender=blender, late=late, folder=str(folder))
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=120
    )
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("ANSWER"))
    return json.loads(line.removeprefix("ANSWER"))


def test_a_registered_schema_has_its_properties_and_fallbacks(tmp_path: Path) -> None:
    folder = tmp_path / "plugin"
    generate(written(tmp_path), folder)
    found = asked(folder, late=False)
    assert found["ready"] == dict.fromkeys(
        ("ShotAPI", "TagAPI", "HelpAPI", "Base", "Thing", "Ball"), True
    )
    assert found["status"] == "final"
    assert found["names"] == sorted(
        ["shot:name", "shot:status", "shot:camera", "size", "sizes", "tag:a", "tag:a:amount"]
    )


def test_one_registered_too_late_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "plugin"
    generate(written(tmp_path), folder)
    found = asked(folder, late=True)
    assert {name for name, ready in found["ready"].items() if not ready} >= {"ShotAPI", "Thing"}
    assert found["names"] == []


API = 'class "{name}" (\n inherits = </{base}>\n {more}\n)\n{{\n {inside}\n}}\n'


@pytest.mark.parametrize(
    ("classes", "named"),
    [
        (API.format(name="Shot", base="APISchemaBase", more="", inside=""), "Shot"),
        (API.format(name="ShotAPI", base="Nowhere", more="", inside=""), "ShotAPI"),
        (API.format(name="ShotAPI", base="Typed", more="", inside=""), "ShotAPI"),
        ('class "ShotAPI"\n{\n}\n', "ShotAPI"),
        ('class Thing "Other" (\n inherits = </Typed>\n)\n{\n}\n', "Other"),
        ('class Thing "Thing" (\n inherits = </APISchemaBase>\n)\n{\n}\n', "Thing"),
        (
            API.format(
                name="ShotAPI",
                base="APISchemaBase",
                more='customData = {token apiSchemaType = "often"}',
                inside="",
            ),
            "often",
        ),
        (
            API.format(
                name="ShotAPI",
                base="APISchemaBase",
                more='customData = {token apiSchemaType = "multipleApply"}',
                inside="float a = 1",
            ),
            "propertyNamespacePrefix",
        ),
        (
            API.format(
                name="ShotAPI",
                base="APISchemaBase",
                more='customData = {token propertyNamespacePrefix = "a"}',
                inside="float a = 1",
            ),
            "ShotAPI",
        ),
        (
            API.format(name="ShotAPI", base="APISchemaBase", more='kind = "group"', inside=""),
            "kind",
        ),
        (API.format(name="ShotAPI", base="APISchemaBase", more="", inside="rel a = </b>"), "a"),
        ("", "no class"),
        ("class (", "schema.usda"),
    ],
)
def test_what_usd_would_not_take_is_named_and_nothing_is_written(
    tmp_path: Path, classes: str, named: str
) -> None:
    with pytest.raises(StagewrightError) as caught:
        generate(written(tmp_path, classes), tmp_path / "out")
    assert caught.value.code == "bad-schema"
    assert named in f"{caught.value.message} {caught.value.cure}"
    assert caught.value.cure
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("missing", ["libraryName", "skipCodeGeneration", "schema.usda@"])
def test_a_library_says_what_it_is(tmp_path: Path, missing: str) -> None:
    source = written(tmp_path)
    lines = source.read_text("utf-8").splitlines(keepends=True)
    source.write_text("".join(line for line in lines if missing not in line), "utf-8")
    with pytest.raises(StagewrightError) as caught:
        generate(source, tmp_path / "out")
    assert caught.value.code == "bad-schema"


def test_a_folder_without_a_plugin_is_an_error(tmp_path: Path) -> None:
    from stagewright.usd_tools.schema_plugins import register

    for text in (None, "{", '{"Plugins": 3}'):
        if text is not None:
            (tmp_path / "plugInfo.json").write_text(text, "utf-8")
        with pytest.raises(StagewrightError) as caught:
            register(tmp_path)
        assert caught.value.code == "bad-plugin"


def test_the_publish_schema_repeats_what_assetinfo_says(tmp_path: Path) -> None:
    root = tmp_path / "lantern.usda"
    stage = Usd.Stage.CreateNew(str(root))
    stage.SetDefaultPrim(stage.DefinePrim("/lantern", "Xform"))
    stage.GetRootLayer().Save()
    with pytest.raises(StagewrightError) as caught:
        apply_publish_schema(root)
    assert caught.value.code == "not-published"
    identity = Identity("lantern", "v003", "lantern.usda", "Demo", "f1", "p1", "v1")
    stamp_identity(root, identity)
    stamped = Sdf.Layer.OpenAsAnonymous(str(root))
    before = dict(stamped.GetPrimAtPath("/lantern").assetInfo)
    apply_publish_schema(root)
    once = root.read_bytes()
    apply_publish_schema(root)
    assert root.read_bytes() == once
    applied = Sdf.Layer.OpenAsAnonymous(str(root))
    prim = applied.GetPrimAtPath("/lantern")
    assert dict(prim.assetInfo) == before
    assert list(prim.GetInfo("apiSchemas").GetAddedOrExplicitItems()) == [PUBLISH]
    values = {a.name.split(":")[-1]: a.default for a in prim.attributes}
    assert values == {
        "product": "lantern",
        "version": "v003",
        "project": "Demo",
        "folderId": "f1",
        "productId": "p1",
        "versionId": "v1",
    }
