# SPDX-License-Identifier: GPL-3.0-or-later
"""``stagewright field …``: signed distances and other fields, from files to files."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ...jobs.errors import StagewrightError
from ...jobs.events import Job
from .. import summaries
from ..host import SceneHost
from ..targets import PICTURES_READ, PICTURES_WRITTEN, require_target
from .common import add_force, add_group, add_verb, in_blender_if, number, whole

_SURFACE = "a .obj, .ply or USD file"
_BOOLEANS = ("union", "difference", "intersection")
_FLUIDS = {"spheres": "SPHERES", "smooth": "SMOOTH", "anisotropic": "ANISOTROPIC"}
_LENGTH, _LENGTH_OR_0 = number(above=0), number(0)
_OWN = (
    "angle", "blend", "distance", "exact", "height", "picture", "radius", "thickness", "width"
)  # fmt: skip
"""Options of some verbs alone, called as those of the work."""
_SIGNS = ("auto", "columns", "majority", "winding", "unsigned")

OPERATORS = (
    "gradient",
    "divergence",
    "curl",
    "laplacian",
    "normalize",
    "mean-curvature",
    "gaussian-curvature",
    "diffuse",
)

# numpy and the kernels are imported when a verb runs: --help must not wait for them.


def add(verbs: Any) -> None:
    """Add the group."""
    group = add_group(
        verbs, "field", "Make, change and look at signed distance fields and other fields."
    )
    _add_solids(group)
    _add_fields(group)
    _add_looks(group)


def _verb(group: Any, name: str, text: str, handler: Callable[..., Any]) -> Any:
    def checked(options: argparse.Namespace, host: SceneHost | None) -> Job[dict[str, Any]]:
        sources = options.sources if hasattr(options, "sources") else [options.source]
        require_target(options.output, sources, force=options.force)
        return (yield from handler(options, host))

    return add_verb(group, name, text, handler=checked, summary=summaries.fielded)


def _add_solids(group: Any) -> None:
    """Verbs that make a solid of surfaces, points and fields."""
    verb = _solid(group, "mesh-to-sdf", "Measure signed distances to a surface.", "CONVERT")
    _add_source(verb, _SURFACE)
    verb.add_argument(
        "--exact", action="store_true", help="prove every closest triangle; slower by far"
    )
    verb = _solid(
        group, "remesh", "Make a surface anew, with its UVs, colours and materials.", "REMESH"
    )
    _add_source(verb, "a surface or a field")
    verb.add_argument(
        "--angle",
        type=number(0, 180),
        default=40.0,
        help="degrees, with --sharp: edges that turn by more are kept (default: %(default)s)",
    )
    verb = _solid(group, "boolean", "Join, subtract or intersect solids.", "BOOLEAN")
    verb.add_argument("boolean", choices=_BOOLEANS, help="what is done")
    verb.add_argument(
        "sources",
        nargs="+",
        type=Path,
        action=_FILES,
        metavar="FILE",
        help="surfaces and fields, two or more",
    )
    verb.add_argument(
        "--blend", type=_LENGTH_OR_0, default=0.0, help="radius of the blend, world units"
    )
    verb = _solid(group, "offset", "Move a solid's surface outwards, or inwards.", "OFFSET")
    _add_source(verb, "a surface or a field")
    verb.add_argument(
        "--distance", type=number(), required=True, help="world units, negative inwards"
    )
    verb = _solid(group, "shell", "Make a wall along a solid's surface.", "SHELL")
    _add_source(verb, "a surface or a field")
    verb.add_argument("--thickness", type=_LENGTH, required=True, help="of the wall, world units")
    verb = _solid(group, "smooth", "Smooth a solid, its volume kept.", "SMOOTH")
    _add_source(verb, "a surface or a field")
    verb.add_argument("--width", type=_LENGTH, required=True, help="of what is smoothed away")
    verb = _solid(
        group, "displace", "Move a solid's surface by the heights of an image.", "DISPLACE"
    )
    _add_source(verb, "a surface or a field")
    verb.add_argument(
        "--picture",
        type=Path,
        action=_FILES,
        required=True,
        help="the image, stretched over the solid's box",
    )
    verb.add_argument(
        "--height", type=number(), required=True, help="from black to white, world units"
    )
    verb.add_argument(
        "--axis", choices=("x", "y", "z"), default="z", help="seen along (default: %(default)s)"
    )
    verb = _solid(group, "points-to-surface", "Make a surface of particles.", "CONVERT")
    _add_source(verb, f"points: {_SURFACE}")
    verb.add_argument("--radius", type=_LENGTH, required=True, help="of a particle, world units")
    verb.add_argument(
        "--fluid",
        choices=_FLUIDS,
        default="smooth",
        help="spheres as they are; smooth as of Zhu and Bridson; anisotropic as of Yu and Turk "
        "(default: %(default)s)",
    )
    verb.set_defaults(points=True)


def _solid(group: Any, name: str, text: str, operation: str) -> Any:
    verb = _verb(group, name, text, _make_solid)
    verb.set_defaults(operation=operation, points=False)
    size = verb.add_mutually_exclusive_group()
    size.add_argument("--voxel-size", type=_LENGTH, help="side of a voxel, world units")
    size.add_argument(
        "--voxels",
        type=whole(4, 100_000),
        default=128,
        help="along the longest side of all files together; fields alone keep their own voxels "
        "(default: %(default)s)",
    )
    verb.add_argument(
        "--sign", choices=_SIGNS, default="auto", help="how inside is told (default: %(default)s)"
    )
    verb.add_argument("--sharp", action="store_true", help="keep edges and corners of a surface")
    verb.add_argument(
        "--threshold", type=number(), default=0.0, help="density on the surface of a fog volume"
    )
    _add_half_width(verb)
    _add_output(verb, "OUT", "the .vdb, .npz, .obj, .ply or USD file to write")
    return verb


def _add_half_width(verb: Any) -> None:
    verb.add_argument(
        "--half-width",
        type=number(1, 1000),
        default=3.0,
        help="voxels of distances on each side of the surface, in a field (default: %(default)s)",
    )


def _add_fields(group: Any) -> None:
    """Verbs from a field to a field."""
    verb = _verb(group, "renormalize", "Make a field distances again.", _renormalize)
    _add_field(verb)
    _add_half_width(verb)
    verb.add_argument("--level", type=number(), default=0.0, help="value on the surface")
    _add_output(verb, "OUT", "the .vdb or .npz file to write")
    verb = _verb(group, "operators", "Apply a differential operator.", _operate)
    _add_field(verb)
    verb.add_argument("operator", choices=OPERATORS, help="what is applied")
    verb.add_argument(
        "--amount", type=_LENGTH_OR_0, default=0.0, help="of diffuse: time times diffusivity"
    )
    _add_output(verb, "OUT", "the .vdb or .npz file to write")
    verb = _verb(group, "convert", "Write a field as another file, or as a surface.", _convert)
    _add_field(verb)
    verb.add_argument("--level", type=number(), default=0.0, help="value on the surface")
    _add_output(verb, "OUT", "the .vdb, .npz, .obj, .ply or USD file to write")


def _add_looks(group: Any) -> None:
    """Verbs that show a field."""
    verb = _verb(group, "streamlines", "Follow a field's vectors, or a gradient.", _streamlines)
    _add_field(verb)
    verb.add_argument(
        "--seeds", type=whole(1, 1_000_000), default=200, help="lines (default: %(default)s)"
    )
    verb.add_argument("--length", type=_LENGTH, required=True, help="of a line, world units")
    verb.add_argument(
        "--steps", type=whole(1, 100_000), default=64, help="of a line (default: %(default)s)"
    )
    verb.add_argument(
        "--seed", type=whole(0, 2**32 - 1), default=0, help="which lines (default: %(default)s)"
    )
    _add_output(verb, "OUT.obj", "the file to write")
    verb = _verb(group, "slice", "Draw a slice of a field, with iso-lines.", _slice)
    _add_field(verb)
    verb.add_argument("--axis", choices=("x", "y", "z"), default="z", help="across the slice")
    verb.add_argument("--position", type=number(), help="along the axis (default: the middle)")
    verb.add_argument(
        "--values",
        action="store_true",
        help="write the values on it, a pixel for a voxel, as an image or a field",
    )
    verb.add_argument(
        "--lines", type=whole(0, 1000), default=8, help="iso-lines (default: %(default)s)"
    )
    verb.add_argument(
        "--size",
        type=whole(2, 8192),
        default=768,
        help="of its longer side in pixels (default: %(default)s)",
    )
    _add_output(verb, "OUT.png", "the picture to write; with --values .npz, .vdb or .exr, too")
    verb = add_verb(
        group, "info", "Tell what a file holds.", handler=_info, summary=summaries.field_info
    )
    verb.add_argument(
        "source", type=Path, action=_FILES, metavar="FILE", help="a field or a surface"
    )
    verb.add_argument("--grid", default="", help="name of the grid in a .vdb")


def _read_by_blender(file: Path) -> bool:
    """Whether only Blender brings the module that reads it."""
    suffix = file.suffix.lower()
    if suffix in PICTURES_READ and suffix != ".png":
        return find_spec("OpenImageIO") is None
    return suffix == ".vdb" and not _has_openvdb()


def _written_by_blender(file: Path) -> bool:
    """The same for files that are to be written."""
    suffix = file.suffix.lower()
    return suffix in (".vdb", *PICTURES_WRITTEN) and _read_by_blender(file)


def _has_openvdb() -> bool:
    return any(find_spec(name) is not None for name in ("openvdb", "pyopenvdb"))


_FILES = in_blender_if(_read_by_blender)


def _add_source(verb: Any, what: str) -> None:
    verb.add_argument("sources", nargs=1, type=Path, action=_FILES, metavar="FILE", help=what)


def _add_field(verb: Any) -> None:
    verb.add_argument(
        "source", type=Path, action=_FILES, metavar="FIELD", help="a .vdb or .npz file, or an image"
    )
    verb.add_argument("--grid", default="", help="name of the grid in a .vdb")


def _add_output(verb: Any, name: str, what: str) -> None:
    verb.add_argument(
        "-o",
        "--output",
        type=Path,
        action=in_blender_if(_written_by_blender),
        required=True,
        metavar=name,
        help=what,
    )
    add_force(verb)


def _make_solid(options: argparse.Namespace, host: SceneHost | None) -> Job[dict[str, Any]]:
    from ..fields import solid

    chosen = {
        "operation": options.operation,
        "sign": options.sign,
        "sharp": options.sharp,
        "threshold": options.threshold,
        "half_width": options.half_width,
        "points": options.points,
        "detail": "VOXELS" if options.voxel_size is None else "SIZE",
        "voxels": options.voxels,
        "voxel_size": options.voxel_size or 0.0,
    }
    for name in _OWN:
        if hasattr(options, name):
            chosen[name] = getattr(options, name)
    if hasattr(options, "axis"):
        chosen["axis"] = options.axis.upper()
    if hasattr(options, "fluid"):
        chosen["fluid"] = _FLUIDS[options.fluid]
    if hasattr(options, "boolean"):
        chosen["boolean"] = options.boolean.upper()
        if len(options.sources) < 2:
            raise StagewrightError(
                "bad-arguments", "A boolean takes two files or more.", "Name another one."
            )
    return (yield from solid(options.sources, options.output, **chosen))


def _renormalize(options: argparse.Namespace, host: SceneHost | None) -> Job[dict[str, Any]]:
    from ..fields import distances

    arguments = (options.source, options.output, options.grid, options.half_width, options.level)
    return (yield from distances(*arguments))


def _operate(options: argparse.Namespace, host: SceneHost | None) -> Job[dict[str, Any]]:
    from ..fields import operate

    arguments = (options.source, options.output, options.grid, options.operator, options.amount)
    return (yield from operate(*arguments))


def _convert(options: argparse.Namespace, host: SceneHost | None) -> Job[dict[str, Any]]:
    from ..fields import convert

    return (yield from convert(options.source, options.output, options.grid, options.level))


def _streamlines(options: argparse.Namespace, host: SceneHost | None) -> Job[dict[str, Any]]:
    from ..fields import lines_through

    how = (options.seeds, options.length, options.steps, options.seed)
    return (yield from lines_through(options.source, options.output, options.grid, *how))


def _slice(options: argparse.Namespace, host: SceneHost | None) -> Job[dict[str, Any]]:
    from ..fields import picture_of, values_of_slice

    if options.values:
        where = (options.axis, options.position)
        return (yield from values_of_slice(options.source, options.output, options.grid, *where))
    how = (options.axis, options.position, options.lines, options.size)
    return (yield from picture_of(options.source, options.output, options.grid, *how))


def _info(options: argparse.Namespace, host: SceneHost | None) -> Job[dict[str, Any]]:
    from ..fields import tell

    return (yield from tell(options.source, options.grid))
