# SPDX-License-Identifier: GPL-3.0-or-later
"""USD's own validators, and what Stagewright makes of their verdicts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from pxr import Gf, Sdf, Usd, UsdShade, UsdValidation

from .findings import Finding, Severity
from .look import normal_decoding
from .stages import object_at

# Rules for .usdz packages: an asset of loose files has nothing for them.
_PACKAGE_KEYWORD = "UsdzValidators"

# Judged more closely by the checks of missing files, which name them.
_COVERED = ("usdUtilsValidators:MissingReferenceValidator",)

# usd-core knows no MaterialX node (it comes without the usdMtlx plugin) and
# reports every one of them as missing; their identifiers start with this.
_MATERIALX_NODE = "ND_"

_CHECKS = {"usdValidation:CompositionErrorTest": "composition"}

_SEVERITIES: dict[UsdValidation.ValidationErrorType, Severity] = {
    UsdValidation.ValidationErrorType.Error: "error",
    UsdValidation.ValidationErrorType.Warn: "warning",
    UsdValidation.ValidationErrorType.Info: "info",
}

_TOLERANCE = 1e-5

_CURE = "Export again; if it stays so, change the object or material that it names."
_CURES = {
    "InvalidSourceColorSpace": "Set the color space of the normal map's image to Non-Color "
    "in Blender, and export again."
}


def validate(stage: Usd.Stage, folder: Path) -> Iterator[Finding]:
    """Findings of all of USD's validators that concern loose files.

    The last finding is an ``info`` that lists the validators that ran: which
    there are depends on the version of USD.

    Args:
        stage: the stage to judge.
        folder: the asset's folder, which is taken out of the messages.
    """
    registry = UsdValidation.ValidationRegistry()
    names = sorted(
        metadata.name
        for metadata in registry.GetAllValidatorMetadata()
        if not metadata.isSuite
        and _PACKAGE_KEYWORD not in metadata.GetKeywords()
        and metadata.name not in _COVERED
    )
    validators = [registry.GetOrLoadValidatorByName(name) for name in names]
    _fill_behaviour_registry(stage)
    findings = [
        _finding(stage, error, folder)
        for error in UsdValidation.ValidationContext(validators).Validate(stage)
        if error.GetType() in _SEVERITIES and not _is_false_positive(stage, error)
    ]
    yield from sorted(findings, key=lambda f: (f.check, f.prim, f.message))
    short = ", ".join(name.split(":")[-1] for name in names)
    yield Finding("validators", "info", f"USD's own validators ran: {short}.")


def _fill_behaviour_registry(stage: Usd.Stage) -> None:
    """Make UsdShade look up the behaviour of every type of prim, one after the other.

    Validators run in threads; in USD 25.2 two of them may register the behaviour
    of one type at the same moment, which ends in an error ("already registered").
    """
    for prim in stage.TraverseAll():
        UsdShade.ConnectableAPI(prim).IsContainer()


def check_name(validator: str) -> str:
    """Name of the check of a validator: ``usdShadeValidators:ShaderSdrCompliance``
    is ``shader-sdr-compliance``.
    """  # noqa: D205 - the example is the summary
    short = validator.split(":")[-1]
    return _CHECKS.get(validator) or re.sub(r"(?<=[a-z])(?=[A-Z])", "-", short).lower()


def _finding(stage: Usd.Stage, error: UsdValidation.ValidationError, folder: Path) -> Finding:
    sites = error.GetSites()
    path = next((_path(site) for site in sites if _path(site) is not None), None)
    prim = "" if path is None else str(path)
    check = check_name(error.GetValidator().GetMetadata().name)
    message = error.GetMessage()
    for prefix in (f"{folder.as_posix()}/", f"{folder}\\"):
        message = message.replace(prefix, "")
    message = message.strip()
    return Finding(
        check=check,
        severity=_SEVERITIES[error.GetType()],
        message=message if prim in message else f"{prim}: {message}",
        cure=_CURES.get(error.GetName(), _CURE),
        object="" if path is None else object_at(stage, path),
        prim=prim,
    )


def _path(site: UsdValidation.ValidationErrorSite) -> Sdf.Path | None:
    if site.IsPrim():
        return site.GetPrim().GetPath()
    if site.IsProperty():
        return site.GetProperty().GetPath()
    return None


def _is_false_positive(stage: Usd.Stage, error: UsdValidation.ValidationError) -> bool:
    judge = _FALSE_POSITIVES.get(error.GetName())
    paths = (_path(site) for site in error.GetSites())
    return judge is not None and any(
        judge(stage.GetPrimAtPath(path.GetPrimPath())) for path in paths if path is not None
    )


def _is_materialx(prim: Usd.Prim) -> bool:
    return str(prim.GetAttribute("info:id").Get()).startswith(_MATERIALX_NODE)


def _has_strength(prim: Usd.Prim) -> bool:
    """Whether the scale and bias of a normal map are those of a strength."""
    scale, bias = (prim.GetAttribute(f"inputs:{name}").Get() for name in ("scale", "bias"))
    if scale is None or bias is None:
        return False
    pairs = zip((scale, bias), normal_decoding(scale[0] / 2), strict=True)
    return all(Gf.IsClose(found, expected, _TOLERANCE) for found, expected in pairs)


_FALSE_POSITIVES: dict[str, Callable[[Usd.Prim], bool]] = {
    "MissingShaderIdInRegistry": _is_materialx,
    "NonCompliantScaleValues": _has_strength,
    "NonCompliantBiasValues": _has_strength,
}
