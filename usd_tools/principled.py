# SPDX-License-Identifier: GPL-3.0-or-later
"""The one table of the inputs of Blender's Principled BSDF, OpenPBR and UsdPreviewSurface.

After the OpenPBR Surface specification 1.1 and the UsdPreviewSurface proposal
2.6. Blender's shader was made after OpenPBR from release 4.0 on, so that most
inputs mean the same; ``factor`` is what the number is multiplied by on its way.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class InputRow:
    """One input.

    Attributes:
        principled: name of the socket in Blender.
        openpbr: name in ``ND_open_pbr_surface_surfaceshader``, or "".
        preview: name in UsdPreviewSurface, or "".
        default: the value that OpenPBR has without one; None for vectors.
        factor: OpenPBR's number for a 1 of Blender's.
    """

    principled: str
    openpbr: str = ""
    preview: str = ""
    default: tuple[float, ...] | None = None
    factor: float = 1.0


_WHITE = (1.0, 1.0, 1.0)
TABLE = (
    InputRow("Base Color", "base_color", "diffuseColor", (0.8, 0.8, 0.8)),
    InputRow("Metallic", "base_metalness", "metallic", (0.0,)),
    InputRow("Roughness", "specular_roughness", "roughness", (0.3,)),
    InputRow("IOR", "specular_ior", "ior", (1.5,)),
    InputRow("Alpha", "geometry_opacity", "opacity", (1.0,)),
    InputRow("Thin Wall", "geometry_thin_walled", "", (0.0,)),
    InputRow("Normal", "geometry_normal", "normal"),
    InputRow("Diffuse Roughness", "base_diffuse_roughness", "", (0.0,)),
    InputRow("Subsurface Weight", "subsurface_weight", "", (0.0,)),
    InputRow("Subsurface Radius", "subsurface_radius_scale", "", (1.0, 0.5, 0.25)),
    InputRow("Subsurface Scale", "subsurface_radius", "", (1.0,)),
    InputRow("Subsurface IOR"),
    InputRow("Subsurface Anisotropy", "subsurface_scatter_anisotropy", "", (0.0,)),
    InputRow("Specular IOR Level", "specular_weight", "", (1.0,), 2.0),
    InputRow("Specular Tint", "specular_color", "", _WHITE),
    InputRow("Anisotropic", "specular_roughness_anisotropy", "", (0.0,)),
    InputRow("Anisotropic Rotation"),
    InputRow("Tangent"),
    InputRow("Transmission Weight", "transmission_weight", "", (0.0,)),
    InputRow("Coat Weight", "coat_weight", "clearcoat", (0.0,)),
    InputRow("Coat Roughness", "coat_roughness", "clearcoatRoughness", (0.0,)),
    InputRow("Coat IOR", "coat_ior", "", (1.6,)),
    InputRow("Coat Tint", "coat_color", "", _WHITE),
    InputRow("Coat Normal", "geometry_coat_normal", ""),
    InputRow("Sheen Weight", "fuzz_weight", "", (0.0,)),
    InputRow("Sheen Roughness", "fuzz_roughness", "", (0.5,)),
    InputRow("Sheen Tint", "fuzz_color", "", _WHITE),
    InputRow("Emission Color", "emission_color", "", _WHITE),
    InputRow("Emission Strength", "emission_luminance", "", (0.0,)),
    # Nanometres to micrometres.
    InputRow("Thin Film Thickness", "thin_film_thickness", "", (0.5,), 0.001),
    InputRow("Thin Film IOR", "thin_film_ior", "", (1.4,)),
)
ROWS = {row.principled: row for row in TABLE}

NEUTRAL: dict[str, tuple[float, ...]] = {
    "Diffuse Roughness": (0.0,),
    "Subsurface Weight": (0.0,),
    "Specular IOR Level": (0.5,),
    "Specular Tint": _WHITE,
    "Anisotropic": (0.0,),
    "Transmission Weight": (0.0,),
    "Sheen Weight": (0.0,),
    "Thin Film Thickness": (0.0,),
    "Thin Wall": (0.0,),
}
"""Values of inputs at which a material looks as one that has no such input."""

PARTS = {
    "Subsurface Radius": "Subsurface Weight",
    "Subsurface Scale": "Subsurface Weight",
    "Subsurface IOR": "Subsurface Weight",
    "Subsurface Anisotropy": "Subsurface Weight",
    "Anisotropic Rotation": "Anisotropic",
    "Tangent": "Anisotropic",
    "Coat Roughness": "Coat Weight",
    "Coat IOR": "Coat Weight",
    "Coat Tint": "Coat Weight",
    "Coat Normal": "Coat Weight",
    "Sheen Roughness": "Sheen Weight",
    "Sheen Tint": "Sheen Weight",
    "Emission Color": "Emission Strength",
    "Thin Film IOR": "Thin Film Thickness",
}
"""Inputs that do nothing while another one is 0."""
