# SPDX-License-Identifier: GPL-3.0-or-later
"""Maps of a material from one photo: estimated by a network, or by classical means.

A photo does not tell how deep or how rough a surface is. The network (:mod:`.maps_network`) was
trained on synthetic materials and says how far off it expects to be. The classical maps are
guesses to be steered by their controls, not measurements: light is taken out by a wide blur of the
brightness (the Retinex idea of E. Land and J. McCann, 1971); darker counts as deeper, band by band
of sizes.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from ..jobs.compose import part
from ..jobs.errors import StagewrightError
from ..jobs.events import Job, Progress
from ..jobs.memory import require_memory
from ..jobs.text_files import parse_json
from .images import Image, encoded, image_size, linear, read_image
from .maps_network import estimate, weights_id
from .picture import shown
from .request import Normals
from .surface import normals, occlusion
from .texture_set import TextureSet, is_done, require_free, write_set
from .tiling import SMALLEST, Method, make_tile

Field = NDArray[np.float32]
Backend = Literal["network", "classical"]

# Raised whenever the same request would make other pixels.
GENERATOR = 3
_CLASSICAL_RELIEF = 0.01  # metres
_BYTES, _NETWORK_BYTES = 200, 32 << 20
"""Memory that a pixel of the photo takes at the peak, and the network by itself, measured."""
_LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)  # Rec. 709


@dataclass(frozen=True)
class PhotoRequest:
    """How maps are made of a photo.

    Args:
        photo: its file's name.
        sha256: of its bytes.
        tile: ``auto``, ``cut`` or ``blend`` makes it repeat; "" leaves it.
        tile_size_m: what the photo shows from top to bottom, metres.
        relief: metres from the lowest to the highest point; None leaves it to the network, and
            is a centimetre by classical means.
        backend: what makes the maps.
        weights: which network, of those that there have been; "" by classical means.
        delight: classical, 0 to 1, how much of the light is taken out.
        detail: classical, -1 to 1, whether large (-1) or small (1) shapes count more.
        roughness: classical, 0 to 1, in the middle.
        contrast: classical, 0 to 1, how much roughness follows the brightness.
        normals: the direction of the normal map's green.
        generator: the version of these means.

    Raises:
        StagewrightError: ``bad-request``.
    """

    photo: str
    sha256: str
    tile: str = ""
    tile_size_m: float = 1.0
    relief: float | None = None
    backend: Backend = "classical"
    weights: str = ""
    delight: float = 0.7
    detail: float = 0.0
    roughness: float = 0.7
    contrast: float = 0.3
    normals: Normals = "opengl"
    generator: int = GENERATOR

    def __post_init__(self) -> None:
        """Refuse values beyond their ranges."""
        ranges = {
            "tile_size_m": (1e-4, 1e4),
            "delight": (0.0, 1.0),
            "relief": (0.0, 1e3),
            "detail": (-1.0, 1.0),
            "roughness": (0.0, 1.0),
            "contrast": (0.0, 1.0),
        }
        for name, (low, high) in ranges.items():
            value = getattr(self, name)
            if value is None and name == "relief":
                continue
            if not (math.isfinite(value) and low <= value <= high):
                raise StagewrightError(
                    "bad-request",
                    f"A photo's {name.removesuffix('_m').replace('_', ' ')} is not {value!r}.",
                    f"Give {low:g} to {high:g}.",
                )

    def to_json(self) -> str:
        """ASCII JSON with sorted keys: equal requests are equal texts."""
        return json.dumps(asdict(self), sort_keys=True, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> PhotoRequest:
        """The request of :meth:`to_json`.

        Raises:
            StagewrightError: ``bad-request``: not JSON, or of other keys or values.
        """
        try:
            request = cls(**parse_json(text))
            is_plain = Path(request.photo).name == request.photo != ""
        except (ValueError, TypeError):
            raise _refusal("it is not what Stagewright writes") from None
        if request.generator != GENERATOR:
            raise _refusal("another version of Stagewright made it")
        if request.weights != (weights_id() if request.backend == "network" else ""):
            raise _refusal("another network made it")
        choices = (
            (request.tile, ("", *get_args(Method))),
            (request.normals, get_args(Normals)),
            (request.backend, get_args(Backend)),
        )
        if any(value not in known for value, known in choices):
            raise _refusal("it asks for what there is not")
        if not is_plain:
            raise _refusal("its photo has no plain name")
        return request


def _refusal(why: str) -> StagewrightError:
    return StagewrightError(
        "bad-request",
        f"The request of the photo's set cannot be used: {why}.",
        "Make new maps of the photo: stagewright texture maps.",
    )


def request_of(photo: Path, **chosen: Any) -> PhotoRequest:
    """The request to make maps of a photo.

    Raises:
        StagewrightError: ``no-file``, ``bad-request``, ``no-weights``.
    """
    if chosen.get("backend") == "network":
        chosen = {**chosen, "weights": weights_id()}
    return PhotoRequest(photo.name, sha256_of(photo), **chosen)


def sha256_of(photo: Path) -> str:
    """The hash of a file's bytes, in hexadecimal digits.

    Raises:
        StagewrightError: ``no-file``.
    """
    try:
        with photo.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise StagewrightError(
            "no-file", f"{photo.name} cannot be read ({error.strerror}).", "Check its path."
        ) from None


def memory_of(size: tuple[int, int], request: PhotoRequest) -> int:
    """About how many bytes the maps of a photo of so many rows and columns take."""
    network = _NETWORK_BYTES if request.backend == "network" else 0
    return network + _BYTES * size[0] * size[1]


def make_maps(
    photo: Path,
    request: PhotoRequest,
    folder: Path,
    name: str = "",
    preview: Path | None = None,
    *,
    force: bool = False,
) -> Job[Mapping[str, Any]]:
    """Make the six maps of a photo and write them, unless they are there already.

    Args:
        photo: the image.
        request: of that image.
        folder: created if need be.
        name: what the files' names begin with; the photo's if empty.
        preview: see :func:`.picture.shown`.
        force: replace files of that name that another request has made.

    Returns:
        ``files``, ``done`` (whether they were there), of a tile how well it repeats, and of a
        network's maps their ``expected_errors``.

    Raises:
        StagewrightError: what the image or the tile are refused for, ``out-of-memory``,
            ``bad-name``, ``file-exists``, ``write-failed``.
    """
    stem = name or photo.stem
    if not force:
        require_free(request, folder, stem)
    if is_done(request, folder, stem):
        return {"photo": str(photo), "done": True, "files": []}
    require_memory(memory_of(image_size(photo), request), f"A set of {photo.name}")
    yield Progress("photo.read", 0.0, f"Reading {photo.name}")
    image = read_image(photo)
    yield Progress("photo.maps", 0.1, f"Making the maps of {photo.name}")
    colour = image if image.shape[2] == 3 else np.repeat(image, 3, 2)
    if request.backend == "classical":
        colour = delighted(colour, request.delight)
    about: dict[str, Any] = {}
    if request.tile:
        method: Method = "cut" if request.tile == "cut" else "auto"
        method = "blend" if request.tile == "blend" else method
        tile = make_tile({"basecolor": colour}, method)
        colour = tile.maps["basecolor"]
        about["tiling"] = {"methods": list(tile.methods), **asdict(tile.report)}
    elif min(colour.shape[:2]) < SMALLEST // 4:
        raise StagewrightError(
            "image-too-small", f"{photo.name} has too few pixels.", "Give a larger photo."
        )
    if request.backend == "classical":
        textures = maps_of(colour, request, len(image))
    else:
        textures, about["expected_errors"] = yield from part(
            estimated_maps(colour, request, len(image)), 0.2, 0.8
        )
    yield from shown(textures, preview)
    yield Progress("photo.write", 0.8, f"Writing to {folder}")
    files = write_set(textures, folder, stem, request, about)
    return {"photo": str(photo), "done": False, "files": [str(f) for f in files], **about}


def estimated_maps(
    colour: Image, request: PhotoRequest, rows: int = 0
) -> Job[tuple[TextureSet, Mapping[str, float]]]:
    """The maps that the network estimates, and the mean errors that it expects of them.

    The height is as deep as the network says, unless the request's relief says otherwise;
    normals are the height's own slopes.

    Args:
        colour: (rows, columns, 3), sRGB.
        request: what of.
        rows: those of the whole photo, where ``colour`` is a part of it.
    """
    found = yield from estimate(colour, wraps=bool(request.tile))
    size = request.tile_size_m * len(colour) / (rows or len(colour))
    low, high = float(np.min(found.height)), float(np.max(found.height))
    depth = max((high - low) * size / len(colour), 1e-6)
    height = (found.height - np.float32(low)) / np.float32(max(high - low, 1e-6))
    relief = depth if request.relief is None else request.relief
    deep = height * np.float32(relief)
    if request.tile:
        normal = normals(deep, size)
    else:  # nothing lies beyond the borders: not the other side
        wide = np.pad(deep, 1, mode="edge")
        normal = normals(wide, size * len(wide) / len(deep))[1:-1, 1:-1]
    textures = TextureSet(
        basecolor=found.basecolor,
        normal=normal,
        roughness=found.roughness,
        metallic=found.metallic,
        height=height,
        ao=found.ao,
        tile_size_m=size,
        height_range_m=max(relief, 1e-6),
    )
    return textures, found.expected


def maps_of(colour: Image, request: PhotoRequest, rows: int = 0) -> TextureSet:
    """The six maps by classical means of a colour (rows, columns, 3), sRGB.

    They are made as if it repeated. ``rows`` are those of the whole photo, where ``colour`` is a
    part of it.
    """
    brightness = linear(colour) @ _LUMINANCE
    size = request.tile_size_m * len(colour) / (rows or len(colour))
    height = height_of(brightness, request.detail)
    relief = _CLASSICAL_RELIEF if request.relief is None else request.relief
    deep = height * np.float32(relief)
    spread = brightness - blurred(brightness, len(brightness) / 32)
    reach = max(float(np.abs(spread).max()), 1e-6)
    rough = request.roughness - request.contrast * 0.5 * spread / np.float32(reach)
    return TextureSet(
        basecolor=colour,
        normal=normals(deep, size),
        roughness=np.clip(rough, 0.0, 1.0).astype(np.float32),
        metallic=np.zeros_like(height),
        height=height,
        ao=occlusion(deep, size),
        tile_size_m=size,
        height_range_m=max(relief, 1e-6),
    )


def delighted(colour: Image, strength: float) -> Image:
    """Colours without the light that changes slowly over the photo, its mean kept."""
    light = linear(colour)
    brightness = np.maximum(light @ _LUMINANCE, 1e-4)
    slow = np.exp(blurred(np.log(brightness), len(colour) / 8, wraps=False))
    factor = (float(np.exp(np.log(brightness).mean())) / slow) ** np.float32(strength)
    return encoded(np.clip(light * factor[:, :, None], 0.0, 1.0))


def height_of(brightness: Field, detail: float) -> Field:
    """A relief, 0 to 1: the sum of bands of sizes from two pixels to a quarter of the image."""
    level = np.log(np.maximum(brightness, 1e-3)).astype(np.float32)
    total = np.zeros_like(level)
    finer, width = level, 1.0
    bands = max(1, int(math.log2(max(len(level) / 4, 2))))
    for band in range(bands):
        coarser = blurred(level, width)
        total += np.float32(2.0 ** (-detail * (band - bands / 2))) * (finer - coarser)
        finer, width = coarser, 2 * width
    low, high = np.percentile(total, (0.5, 99.5))
    scaled: Field = np.clip((total - low) / max(high - low, 1e-6), 0.0, 1.0).astype(np.float32)
    return scaled


def blurred(field: Field, width: float, *, wraps: bool = True) -> Field:
    """A Gaussian blur of that standard deviation in pixels, by Fourier transform."""
    if not wraps:  # mirrored, so that nothing comes in from the other side
        rows, columns = field.shape
        field = np.concatenate([field, field[::-1]], axis=0)
        field = np.concatenate([field, field[:, ::-1]], axis=1)
        return blurred(field, width)[:rows, :columns]
    down = np.fft.fftfreq(field.shape[0])[:, None]
    across = np.fft.rfftfreq(field.shape[1])[None, :]
    kept = np.exp(-2 * (np.pi * width) ** 2 * (down**2 + across**2))
    return np.fft.irfft2(np.fft.rfft2(field) * kept, field.shape).astype(np.float32)
