# SPDX-License-Identifier: GPL-3.0-or-later
"""The one table of the inputs of Blender's Principled BSDF and of MaterialX's surfaces.

After the specifications of OpenPBR Surface 1.1, Autodesk Standard Surface 1.0.1 and
glTF 2.0 with its extensions, and the UsdPreviewSurface proposal 2.6. Blender's shader
was made after OpenPBR from release 4.0 on, so that most inputs mean the same;
``factor`` is what the number is multiplied by on its way.
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
        standard: name in ``ND_standard_surface_surfaceshader``, or "".
        gltf: name in ``ND_gltf_pbr_surfaceshader``, or "".
        default: the value that OpenPBR has without one; None for vectors.
        factor: OpenPBR's number for a 1 of Blender's.
        others_factor: the same of standard_surface and glTF.
    """

    principled: str
    openpbr: str = ""
    preview: str = ""
    standard: str = ""
    gltf: str = ""
    default: tuple[float, ...] | None = None
    factor: float = 1.0
    others_factor: float = 1.0


_WHITE = (1.0, 1.0, 1.0)
TABLE = (
    InputRow(
        "Base Color",
        "base_color",
        "diffuseColor",
        "base_color",
        "base_color",
        default=(0.8, 0.8, 0.8),
    ),
    InputRow("Metallic", "base_metalness", "metallic", "metalness", "metallic", default=(0.0,)),
    InputRow(
        "Roughness",
        "specular_roughness",
        "roughness",
        "specular_roughness",
        "roughness",
        default=(0.3,),
    ),
    InputRow("IOR", "specular_ior", "ior", "specular_IOR", "ior", default=(1.5,)),
    InputRow("Alpha", "geometry_opacity", "opacity", "opacity", "alpha", default=(1.0,)),
    InputRow("Thin Wall", "geometry_thin_walled", "", "thin_walled", default=(0.0,)),
    InputRow("Normal", "geometry_normal", "normal", "normal", "normal"),
    InputRow(
        "Diffuse Roughness", "base_diffuse_roughness", "", "diffuse_roughness", default=(0.0,)
    ),
    InputRow("Subsurface Weight", "subsurface_weight", "", "subsurface", default=(0.0,)),
    InputRow(
        "Subsurface Radius",
        "subsurface_radius_scale",
        "",
        "subsurface_radius",
        default=(1.0, 0.5, 0.25),
    ),
    InputRow("Subsurface Scale", "subsurface_radius", "", "subsurface_scale", default=(1.0,)),
    InputRow("Subsurface IOR"),
    InputRow(
        "Subsurface Anisotropy",
        "subsurface_scatter_anisotropy",
        "",
        "subsurface_anisotropy",
        default=(0.0,),
    ),
    InputRow(
        "Specular IOR Level",
        "specular_weight",
        "",
        "specular",
        "specular",
        default=(1.0,),
        factor=2.0,
        others_factor=2.0,
    ),
    InputRow(
        "Specular Tint", "specular_color", "", "specular_color", "specular_color", default=_WHITE
    ),
    InputRow(
        "Anisotropic",
        "specular_roughness_anisotropy",
        "",
        "specular_anisotropy",
        "anisotropy_strength",
        default=(0.0,),
    ),
    InputRow("Anisotropic Rotation", "", "", "specular_rotation"),
    InputRow("Tangent"),
    InputRow(
        "Transmission Weight",
        "transmission_weight",
        "",
        "transmission",
        "transmission",
        default=(0.0,),
    ),
    InputRow("Coat Weight", "coat_weight", "clearcoat", "coat", "clearcoat", default=(0.0,)),
    InputRow(
        "Coat Roughness",
        "coat_roughness",
        "clearcoatRoughness",
        "coat_roughness",
        "clearcoat_roughness",
        default=(0.0,),
    ),
    InputRow("Coat IOR", "coat_ior", "", "coat_IOR", default=(1.6,)),
    InputRow("Coat Tint", "coat_color", "", "coat_color", default=_WHITE),
    InputRow("Coat Normal", "geometry_coat_normal", "", "coat_normal", "clearcoat_normal"),
    InputRow("Sheen Weight", "fuzz_weight", "", "sheen", default=(0.0,)),
    InputRow(
        "Sheen Roughness",
        "fuzz_roughness",
        "",
        "sheen_roughness",
        "sheen_roughness",
        default=(0.5,),
    ),
    InputRow("Sheen Tint", "fuzz_color", "", "sheen_color", "sheen_color", default=_WHITE),
    InputRow("Emission Color", "emission_color", "", "emission_color", "emissive", default=_WHITE),
    InputRow(
        "Emission Strength",
        "emission_luminance",
        "",
        "emission",
        "emissive_strength",
        default=(0.0,),
    ),
    # OpenPBR has micrometres, the others nanometres.
    InputRow(
        "Thin Film Thickness",
        "thin_film_thickness",
        "",
        "thin_film_thickness",
        "iridescence_thickness",
        default=(0.5,),
        factor=0.001,
    ),
    InputRow(
        "Thin Film IOR", "thin_film_ior", "", "thin_film_IOR", "iridescence_ior", default=(1.4,)
    ),
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
