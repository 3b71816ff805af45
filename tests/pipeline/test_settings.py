# SPDX-License-Identifier: GPL-3.0-or-later
"""Names and places that apply where the user gives none."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path

import pytest

from stagewright.jobs.errors import StagewrightError
from stagewright.pipeline import settings


def test_names_keep_the_letters_that_usd_does_not_take() -> None:
    assert settings.asset_name("Étiquette n° 5") in ("Etiquette_n_5", "Etiquette_ndeg_5")
    assert settings.asset_name("3d lamp!") == "_3d_lamp"


def test_names_in_other_scripts_stay_apart() -> None:
    pytest.importorskip("unidecode")
    assert settings.asset_name("椅子") == "Yi_Zi"
    assert settings.asset_name("机") == "Ji"


@pytest.mark.parametrize("label", ["", "!!!", "___"])
def test_a_name_without_a_letter_is_refused(label: str) -> None:
    with pytest.raises(StagewrightError, match="--name") as caught:
        settings.asset_name(label)
    assert caught.value.code == "bad-name"


@pytest.mark.parametrize("kind", [OSError, KeyError, ImportError])
def test_a_user_without_a_name_has_a_number(
    monkeypatch: pytest.MonkeyPatch, kind: type[Exception]
) -> None:
    def unknown() -> str:
        raise kind("no such user")

    monkeypatch.setattr(getpass, "getuser", unknown)
    assert settings.user_name()


@pytest.mark.skipif(sys.platform == "darwin", reason="knows no XDG_DATA_HOME")
def test_a_user_without_a_home_is_told_to_name_the_library(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def homeless() -> Path:
        raise RuntimeError("no home")

    monkeypatch.setattr(Path, "home", homeless)
    for name in ("STAGEWRIGHT_LIBRARY", "XDG_DATA_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(StagewrightError, match="--library"):
        settings.default_library()
    monkeypatch.setenv("STAGEWRIGHT_LIBRARY", str(tmp_path))
    assert settings.default_library() == tmp_path
