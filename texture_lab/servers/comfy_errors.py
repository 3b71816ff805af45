# SPDX-License-Identifier: GPL-3.0-or-later
"""What ComfyUI refuses or fails at, told by the node and with a cure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...jobs.errors import StagewrightError
from .comfy_graphs import Workflow
from .http import said

_LOG = "See ComfyUI's log."


def refused(answer: Mapping[str, Any], workflow: Workflow) -> StagewrightError:
    """The error of a workflow that was not taken: the answer to ``POST /prompt``."""
    nodes = answer.get("node_errors")
    if isinstance(nodes, dict) and nodes:
        name, node = next(iter(nodes.items()))
        errors = node.get("errors") if isinstance(node, dict) else None
        if isinstance(errors, list) and errors and isinstance(errors[0], dict):
            return _at_node(str(name), errors[0], workflow)
    error = answer.get("error")
    told = error if isinstance(error, dict) else {"message": str(error or "")}
    kind = str(told.get("type", ""))
    if kind == "prompt_no_outputs":
        return no_image()
    if kind in ("missing_node_type", "invalid_prompt") and "does not exist" in str(told):
        return StagewrightError(
            "missing-nodes",
            f"ComfyUI lacks a node: {_plain(told.get('message'))}.",
            "Install what brings it, and start ComfyUI again.",
        )
    return StagewrightError(
        "workflow-refused",
        f"ComfyUI does not take the workflow: {_plain(said(told)) or 'it does not say why'}.",
        _LOG,
    )


def _at_node(name: str, error: Mapping[str, Any], workflow: Workflow) -> StagewrightError:
    kind, extra = str(error.get("type", "")), error.get("extra_info")
    extra = extra if isinstance(extra, dict) else {}
    where, field = node_title(name, workflow), str(extra.get("input_name", ""))
    value = extra.get("received_value")
    told = [_plain(error.get(key)) for key in ("message", "details")]
    why = ": ".join(filter(None, told)) or kind
    if kind == "value_not_in_list":
        config = extra.get("input_config")
        lists = [part for part in config if isinstance(part, list)] if config else []
        there = f"; it has {', '.join(map(str, lists[0][:8]))}" if lists and lists[0] else ""
        return StagewrightError(
            "missing-model",
            f"ComfyUI has no “{value}” for {field or 'an input'} of {where}{there}.",
            "Put the file into ComfyUI's folder models, or choose one that is there.",
        )
    cures = {
        "required_input_missing": "Connect it in ComfyUI, and export the workflow again.",
        "value_smaller_than_min": "Give a larger value.",
        "value_bigger_than_max": "Give a smaller value.",
        "return_type_mismatch": "Connect it otherwise in ComfyUI, and export the workflow again.",
        "invalid_input_type": "Put a placeholder of another kind there, such as %seed%.",
    }
    return StagewrightError(
        "workflow-refused", f"ComfyUI refuses {where}: {why}.", cures.get(kind, _LOG)
    )


def failed(data: Mapping[str, Any], workflow: Workflow) -> StagewrightError:
    """The error of a workflow that failed at a node: the message ``execution_error``."""
    where = node_title(str(data.get("node_id", "")), workflow)
    kind, why = str(data.get("exception_type", "")), _plain(data.get("exception_message"))
    if kind.endswith("OutOfMemoryError") or "allocation on device" in why.lower():
        return StagewrightError(
            "out-of-memory",
            f"ComfyUI ran out of the graphics card's memory at {where}.",
            "Choose a smaller size or model, or close what else uses the card.",
        )
    return StagewrightError(
        "workflow-failed",
        f"ComfyUI failed at {where}: {why or kind or 'it does not say why'}.",
        _LOG,
    )


def no_image() -> StagewrightError:
    """The error of a workflow that gives no image."""
    return StagewrightError(
        "no-image",
        "The workflow ends without an image.",
        "Add a node Save Image or Preview Image, and export it again.",
    )


def node_title(name: str, workflow: Workflow) -> str:
    """What the artist calls a node: ``“Upscale” (KSampler, 3)``."""
    node = workflow.get(name, {})
    kind, title = str(node.get("class_type", "a node")), node.get("_meta")
    title = title.get("title") if isinstance(title, dict) else None
    return f"“{title}” ({kind}, {name})" if title and title != kind else f"{kind} ({name})"


def _plain(text: object) -> str:
    """The first lines of a text as one, without the full stop at its end."""
    words = " ".join(str(text or "").split())[:300]
    return words.rstrip(". ")
