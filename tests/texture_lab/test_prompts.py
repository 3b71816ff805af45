# SPDX-License-Identifier: GPL-3.0-or-later
"""The labelled prompts keep their shape: they were written before the grammar."""

from __future__ import annotations

import json
from pathlib import Path

PROMPTS = json.loads(Path(__file__).with_name("prompts.json").read_text())


def test_the_prompts_are_whole() -> None:
    prompts = [row["prompt"] for row in PROMPTS["prompts"]]
    assert len(set(prompts)) == 200
    assert len(set(PROMPTS["impossible"])) == 40
    assert not set(prompts) & set(PROMPTS["impossible"])
    assert all(row["families"] for row in PROMPTS["prompts"])
