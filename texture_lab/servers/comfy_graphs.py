# SPDX-License-Identifier: GPL-3.0-or-later
"""Workflows for ComfyUI, in its API format: the artist's own, and ours of what a server has.

A workflow is a mapping from names of nodes to their ``class_type`` and ``inputs``; an input is a
value, or the name of a node and the place of one of its outputs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ...jobs.errors import StagewrightError
from ...jobs.text_files import parse_json
from ..image_order import ImageOrder

Workflow = dict[str, dict[str, Any]]
Info = Mapping[str, Any]
"""What ``/object_info`` tells: the kinds of nodes, and what their inputs may be."""

PLACEHOLDERS = (
    *("prompt", "negative", "seed", "steps", "guidance", "width", "height", "strength"),
    *("model", "image", "mask"),
)
"""Names that may stand in a workflow as ``%name%``."""

_SEAMLESS = ("SeamlessTile", "MakeCircularVAE")
_CURE_MODELS = "Put it into the folder models of ComfyUI, or choose one that is there."


@dataclass(frozen=True)
class Plan:
    """A workflow that is ready to be sent.

    Args:
        workflow: without placeholders.
        repeats: whether its image will repeat.
        model: the model's name, if it is known.
    """

    workflow: Workflow
    repeats: bool
    model: str


def plan(order: ImageOrder, info: Info, uploads: Mapping[str, str]) -> Plan:
    """The workflow of an order: the artist's own, else one of ours.

    Args:
        order: what to make.
        info: what the server has.
        uploads: names on the server of the order's ``image`` and ``mask``.

    Raises:
        StagewrightError: ``bad-workflow``, ``missing-nodes``, ``missing-model``.
    """
    if order.workflow:
        workflow = _filled(read_workflow(order.workflow), order, uploads)
        _refuse_missing(workflow, info)
        return Plan(workflow, False, order.model)
    return _built_in(order, info, uploads)


def read_workflow(text: str) -> Workflow:
    """A workflow of its JSON.

    Raises:
        StagewrightError: ``bad-workflow``: not JSON, or not in the API format.
    """
    try:
        value = parse_json(text)
    except ValueError:
        raise _bad_workflow("it is no JSON") from None
    if isinstance(value, dict) and isinstance(value.get("prompt"), dict):
        value = value["prompt"]  # As the server's history and some tools wrap it.
    if isinstance(value, dict) and "nodes" in value and "links" in value:
        raise _bad_workflow("it is in the format of ComfyUI's window")
    nodes = value.values() if isinstance(value, dict) else ()
    fine = all(isinstance(n, dict) and isinstance(n.get("inputs"), dict) for n in nodes)
    if not nodes or not fine or not all(isinstance(n.get("class_type"), str) for n in nodes):
        raise _bad_workflow("it holds no nodes with inputs")
    return dict(value)


def _filled(workflow: Workflow, order: ImageOrder, uploads: Mapping[str, str]) -> Workflow:
    """The workflow with values for its placeholders; others, such as ``%date%``, stay."""
    values: dict[str, Any] = {n: getattr(order, n) for n in PLACEHOLDERS[:-2]} | dict(uploads)
    used: set[str] = set()

    def fill(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: fill(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [fill(inner) for inner in value]
        if not isinstance(value, str):
            return value
        names = [n for n in re.findall(r"%(\w+)%", value) if n in PLACEHOLDERS]
        used.update(names)
        for name in names:
            if name not in values:
                raise _bad_workflow(f"%{name}% stands in it, and there is no {name}")
            if value == f"%{name}%":
                return values[name]
            value = value.replace(f"%{name}%", str(values[name]))
        return value

    filled: Workflow = {
        name: {**node, "inputs": fill(node["inputs"])} for name, node in workflow.items()
    }
    if not used:
        raise _bad_workflow("it has no placeholder such as %prompt%, so nothing would change")
    return filled


def _refuse_missing(workflow: Workflow, info: Info) -> None:
    """Refuse nodes that the server lacks, all at once."""
    missing = sorted({n["class_type"] for n in workflow.values()} - set(info))
    if missing:
        raise StagewrightError(
            "missing-nodes",
            f"ComfyUI has no nodes called {', '.join(missing)}.",
            "Install what brings them (ComfyUI Manager: Install Missing Custom Nodes) and start "
            "ComfyUI again.",
            {"missing": missing},
        )


def _built_in(order: ImageOrder, info: Info, uploads: Mapping[str, str]) -> Plan:
    checkpoints = options(info, "CheckpointLoaderSimple", "ckpt_name")
    diffusion = options(info, "UNETLoader", "unet_name")
    if not checkpoints and not diffusion:
        raise StagewrightError(
            "missing-model",
            "ComfyUI has no model to make images with.",
            "Put a checkpoint, such as sd_xl_base_1.0.safetensors, into its folder "
            "models/checkpoints.",
        )
    chosen = _match(order.model, [*checkpoints, *diffusion])
    nodes: Workflow = {}
    if chosen in checkpoints:
        nodes["model"] = _node("CheckpointLoaderSimple", ckpt_name=chosen)
        model, clip, vae = ["model", 0], ["model", 1], ["model", 2]
        negative: list[Any] = ["negative", 0]
        guidance = order.guidance
    else:
        _flux(nodes, chosen, info)
        model, clip, vae = ["model", 0], ["clip", 0], ["vae", 0]
        negative, guidance = ["negative", 0], 1.0
    for number, (name, weight) in enumerate(order.loras):
        lora = _match(name, options(info, "LoraLoader", "lora_name"), "LoRA")
        place = f"lora{number}"
        nodes[place] = _node(
            "LoraLoader", model=model, clip=clip, lora_name=lora,
            strength_model=weight, strength_clip=weight,
        )  # fmt: skip
        model, clip = [place, 0], [place, 1]
    seamless = order.repeats and chosen in checkpoints and set(_SEAMLESS) <= set(info)
    if seamless:
        nodes["seamless"] = _node(
            "SeamlessTile", model=model, tiling="enable", copy_model="Make a copy"
        )
        nodes["circular"] = _node(
            "MakeCircularVAE", vae=vae, tiling="enable", copy_vae="Make a copy"
        )
        model, vae = ["seamless", 0], ["circular", 0]
    nodes["positive"] = _node("CLIPTextEncode", text=order.prompt, clip=clip)
    nodes["negative"] = _node("CLIPTextEncode", text=order.negative, clip=clip)
    positive: list[Any] = ["positive", 0]
    if chosen not in checkpoints:
        nodes["guidance"] = _node("FluxGuidance", conditioning=positive, guidance=order.guidance)
        positive = ["guidance", 0]
    nodes["sampler"] = _node(
        "KSampler", model=model, positive=positive, negative=negative,
        latent_image=_latent(nodes, order, uploads, vae, flux=chosen not in checkpoints),
        seed=order.seed, steps=order.steps, cfg=guidance, sampler_name="euler",
        scheduler="simple" if chosen not in checkpoints else "normal",
        denoise=order.strength if "image" in uploads else 1.0,
    )  # fmt: skip
    nodes["decode"] = _node("VAEDecode", samples=["sampler", 0], vae=vae)
    nodes["save"] = _node("SaveImage", images=["decode", 0], filename_prefix="stagewright")
    _refuse_missing(nodes, info)
    return Plan(nodes, seamless, chosen)


def _flux(nodes: Workflow, chosen: str, info: Info) -> None:
    """Loaders of a model whose parts lie in files of their own, as Flux's do."""
    texts = options(info, "DualCLIPLoader", "clip_name1")
    found = {kind: [name for name in texts if kind in name.lower()] for kind in ("t5", "clip_l")}
    vaes = options(info, "VAELoader", "vae_name")
    vae = [name for name in vaes if name.lower().startswith(("ae.", "flux"))] or vaes
    lacking = [
        what
        for what, names in (
            ("a T5 text encoder (t5xxl…)", found["t5"]),
            ("a CLIP text encoder (clip_l…)", found["clip_l"]),
            ("a VAE (ae.safetensors)", vae),
        )
        if not names
    ]
    if lacking:
        raise StagewrightError(
            "missing-model",
            f"ComfyUI has {chosen}, but not {', '.join(lacking)}, which it needs.",
            "Put them into models/text_encoders and models/vae of ComfyUI.",
        )
    nodes["model"] = _node("UNETLoader", unet_name=chosen, weight_dtype="default")
    nodes["clip"] = _node(
        "DualCLIPLoader", clip_name1=found["t5"][0], clip_name2=found["clip_l"][0], type="flux"
    )
    nodes["vae"] = _node("VAELoader", vae_name=vae[0])


def _latent(
    nodes: Workflow, order: ImageOrder, uploads: Mapping[str, str], vae: list[Any], *, flux: bool
) -> list[Any]:
    """What the sampler begins with: nothing, an image, or the masked part of one."""
    if "image" not in uploads:
        kind = "EmptySD3LatentImage" if flux else "EmptyLatentImage"
        nodes["latent"] = _node(kind, width=order.width, height=order.height, batch_size=1)
        return ["latent", 0]
    nodes["image"] = _node("LoadImage", image=uploads["image"])
    nodes["latent"] = _node("VAEEncode", pixels=["image", 0], vae=vae)
    if "mask" not in uploads:
        return ["latent", 0]
    nodes["mask"] = _node("LoadImageMask", image=uploads["mask"], channel="red")
    nodes["masked"] = _node("SetLatentNoiseMask", samples=["latent", 0], mask=["mask", 0])
    return ["masked", 0]


def options(info: Info, kind: str, name: str) -> list[str]:
    """What an input of a kind of nodes may be: files' names, mostly.

    Servers of both shapes are understood: ``[[names], …]`` and ``["COMBO", {"options": …}]``.
    """
    try:
        inputs = info[kind]["input"]
        described = {**inputs.get("optional", {}), **inputs["required"]}[name]
        names = described[0] if isinstance(described[0], list) else described[1]["options"]
    except (KeyError, TypeError, IndexError, AttributeError):
        return []
    return [str(each) for each in names]


def _match(wanted: str, there: Iterable[str], what: str = "model") -> str:
    """The file that a name means: its own, without folder or ending, in any case."""
    names = list(there)
    if not wanted and names:
        return names[0]
    plain = wanted.casefold()
    for name in names:
        base = re.split(r"[\\/]", name)[-1].casefold()
        if plain in (name.casefold(), base, base.rpartition(".")[0]):
            return name
    some = f"it has {', '.join(names[:8])}" if names else "it has none"
    raise StagewrightError(
        "missing-model", f"ComfyUI has no {what} called “{wanted}”; {some}.", _CURE_MODELS
    )


def _node(kind: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": kind, "inputs": inputs}


def _bad_workflow(why: str) -> StagewrightError:
    return StagewrightError(
        "bad-workflow",
        f"The workflow cannot be used: {why}.",
        "Export it from ComfyUI with Export (API), and write %prompt%, %seed%, %width%, … where "
        "values shall go.",
    )
