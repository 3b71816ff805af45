# SPDX-License-Identifier: GPL-3.0-or-later
"""USD's own validators, and what Stagewright makes of their verdicts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from pxr import Sdf, Usd, UsdValidation

from .findings import Finding, Severity
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
    findings = [
        _finding(stage, error, folder)
        for error in UsdValidation.ValidationContext(validators).Validate(stage)
        if error.GetType() in _SEVERITIES and not _is_false_positive(stage, error)
    ]
    yield from sorted(findings, key=lambda f: (f.check, f.prim, f.message))
    short = ", ".join(name.split(":")[-1] for name in names)
    yield Finding("validators", "info", f"USD's own validators ran: {short}.")


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
    message = error.GetMessage().replace(f"{folder}/", "").strip()
    return Finding(
        check=check,
        severity=_SEVERITIES[error.GetType()],
        message=message if prim in message else f"{prim}: {message}",
        cure="Export again; if it stays so, change the object or material that it names.",
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
    if error.GetName() != "MissingShaderIdInRegistry":
        return False
    for site in error.GetSites():
        path = _path(site)
        if path is not None:
            identifier = stage.GetPrimAtPath(path.GetPrimPath()).GetAttribute("info:id").Get()
            if str(identifier).startswith(_MATERIALX_NODE):
                return True
    return False
