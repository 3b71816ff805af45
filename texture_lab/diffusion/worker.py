# SPDX-License-Identifier: GPL-3.0-or-later
"""The program that runs in the artist's own Python, which has torch and diffusers.

It imports nothing of the package and is started by the path of this file. Orders come as JSON
lines on standard input, as ``jobs.warm.WarmChild`` sends them; the events of each go to the file
that it names. The model of the last order stays loaded. Nothing is ever downloaded.
"""

from __future__ import annotations

import inspect
import json
import os
import queue
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

Write = Callable[[dict[str, Any]], None]

_OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
}
_HOW_TO = "Install them there: python -m pip install torch diffusers transformers accelerate peft"


class Refusal(Exception):  # noqa: N818 - it ends as an event, not as a traceback
    """What cannot be done: code, message and cure of ``jobs.errors.StagewrightError``."""

    def __init__(self, code: str, message: str, cure: str) -> None:
        super().__init__(message)
        self.code, self.message, self.cure = code, message, cure


class _Cancelled(Exception):  # noqa: N818
    """Whoever gave the order does not want it any more."""


class _Asked:
    """Whether the order that runs was cancelled."""

    now = False


class _Loaded:
    """The pipeline that is loaded, and of what."""

    key: tuple[str, str] = ("", "")
    pipeline: Any = None


def main() -> int:
    """Do orders until nobody is left to give another."""
    os.environ.update(_OFFLINE)
    orders: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    threading.Thread(target=_hear, args=(orders,), daemon=True).start()
    while True:
        order = orders.get()
        _Asked.now = False
        with open(order["events"], "w", encoding="utf-8", newline="\n") as file:

            def write(event: dict[str, Any], file: Any = file) -> None:
                line = {"time": round(time.time(), 3), **event}
                print(json.dumps(line), file=file, flush=True)

            _do(order, write)


def _hear(orders: queue.SimpleQueue[dict[str, Any]]) -> None:
    """Put orders where they wait; a line without a task cancels the one that runs."""
    for line in sys.stdin:
        order = json.loads(line)
        if "task" in order:
            orders.put(order)
        elif "parent" not in order:
            _Asked.now = True
    os._exit(1)  # Nobody is left, whatever is being made.


def _do(order: dict[str, Any], write: Write) -> None:
    """Do an order; its last event is a result or an error."""
    tasks: dict[str, Callable[..., dict[str, Any]]] = {"image": make_image, "check": check}
    try:
        value = tasks[order["task"]](write=write, **order["arguments"])
        write({"event": "result", "value": value})
    except Refusal as error:
        write(_error(error.code, error.message, error.cure))
    except _Cancelled:
        write(_error("cancelled", "The work was cancelled.", ""))
    except Exception as error:
        traceback.print_exc()
        write(_told(error))


def _told(error: Exception) -> dict[str, Any]:
    """The event of an exception of torch's or diffusers'."""
    words = " ".join(str(error).split())[:300].rstrip(".")
    if isinstance(error, MemoryError) or "out of memory" in words.lower():
        _forget()
        return _error(
            "out-of-memory",
            "The model ran out of memory.",
            "Choose a smaller size or model, or close what else uses the device.",
        )
    return _error(
        "model-failed", f"The model failed: {type(error).__name__}: {words}.", "See its log."
    )


def _error(code: str, message: str, cure: str) -> dict[str, Any]:
    return {"event": "error", "code": code, "message": message, "cure": cure, "details": {}}


def check(models: str, write: Write) -> dict[str, Any]:
    """What this Python has and what it lacks; ``found`` and ``missing``, and names of models."""
    write({"event": "progress", "step": "diffusers.check", "fraction": 0.0, "message": "Looking"})
    found = [f"Python {sys.version.split()[0]}"]
    missing = []
    for name in ("torch", "diffusers", "transformers", "accelerate", "peft"):
        try:
            found.append(f"{name} {__import__(name).__version__}")
        except ImportError as error:
            wanted = {"peft": " (for LoRAs)", "accelerate": " (for models larger than the card)"}
            missing.append(f"{name}{wanted.get(name, '')}: {error}. {_HOW_TO}")
    names = _models(Path(models))
    if not missing or "torch" not in missing[0]:
        found.append(f"Device: {_device('auto')}")
    if names:
        found.append(f"Models: {', '.join(names[:8])}")
    else:
        missing.append(
            f"No model in {models}: put folders in diffusers' layout there, each with a "
            "model_index.json"
        )
    return {"found": found, "missing": missing, "models": names}


def make_image(
    models: str,
    model: str,
    output: str,
    order: dict[str, Any],
    write: Write,
    device: str = "auto",
) -> dict[str, Any]:
    """Make an image and write it as float32 (rows, columns, 3), 0 to 1, to the file ``output``.

    ``order`` has the fields of ``image_order.ImageOrder``, ``image`` and ``mask`` as ``.npy``
    files or "".
    """
    try:
        import numpy as np
        import torch
    except ImportError as error:
        raise Refusal(
            "missing-package", f"The Python for models lacks {error.name}.", _HOW_TO
        ) from error
    folder = _folder(Path(models), model)
    place = _device(device)
    _say(write, "diffusers.load", 0.0, f"Loading {folder.name} for {place}")
    pipeline = _pipeline(folder, place, order, write)
    _with_loras(pipeline, Path(models), order["loras"])
    unet = hasattr(pipeline, "unet") and pipeline.unet is not None
    _make_circular(pipeline, order["repeats"] and unet)
    image = np.load(order["image"]) if order["image"] else None
    mask = np.load(order["mask"]) if order["mask"] else None
    last = 0.6 if order["repeats"] and not unet else 0.95
    with torch.inference_mode():
        made = _run(pipeline, order, image, mask, order["strength"], write, (0.1, last))
        if order["repeats"] and not unet:
            made = _seam_painted(pipeline, order, made, write)
    partial = Path(output).with_suffix(".part.npy")
    np.save(partial, made)
    partial.replace(output)
    return {"model": folder.name, "circular": bool(order["repeats"] and unet)}


def _run(
    pipeline: Any,
    order: dict[str, Any],
    image: Any,
    mask: Any,
    strength: float,
    write: Write,
    part: tuple[float, float],
) -> Any:
    """Let the pipeline make one image: of words, of an image, or of a part of one."""
    import numpy as np
    import torch
    from diffusers import AutoPipelineForImage2Image, AutoPipelineForInpainting

    given: dict[str, Any] = {"width": order["width"], "height": order["height"]}
    if mask is not None:
        pipeline = AutoPipelineForInpainting.from_pipe(pipeline)
        given |= {"mask_image": mask.astype(np.float32)[None]}
    elif image is not None:
        pipeline = AutoPipelineForImage2Image.from_pipe(pipeline)
        given = given if _takes(pipeline, "width") else {}
    if image is not None:
        given |= {"image": image.astype(np.float32)[None], "strength": strength}
    steps = order["steps"]
    if image is not None:
        # As many are left of what is asked for as its strength is.
        steps = max(int(steps / max(strength, 1e-3)), 1) if strength * steps < 1 else steps
    count = max(int(steps * (strength if image is not None else 1)), 1)

    def after(_: Any, step: int, timestep: Any, values: dict[str, Any]) -> dict[str, Any]:
        if _Asked.now:
            raise _Cancelled
        fraction = part[0] + (part[1] - part[0]) * min((step + 1) / count, 1.0)
        _say(write, "diffusers.step", fraction, f"Step {step + 1} of {count}")
        return values

    if order["negative"] and _takes(pipeline, "negative_prompt"):
        given["negative_prompt"] = order["negative"]
    pipeline.set_progress_bar_config(disable=True)
    made = pipeline(
        prompt=order["prompt"],
        num_inference_steps=steps,
        guidance_scale=order["guidance"],
        # On the CPU, so that equal seeds give equal noise on all devices.
        generator=torch.Generator("cpu").manual_seed(order["seed"]),
        callback_on_step_end=after,
        output_type="np",
        **given,
    ).images[0]
    if not np.isfinite(made).all():
        raise Refusal(
            "model-failed",
            "The model gave numbers that are none.",
            "Use another model, or one of full precision.",
        )
    made = np.clip(made, 0, 1).astype(np.float32)
    if mask is not None:
        made = np.where(mask[:, :, None], made, image)  # The codec changes the rest a little.
    return made


def _seam_painted(pipeline: Any, order: dict[str, Any], made: Any, write: Write) -> Any:
    """Make an image repeat that a transformer made: circular borders do not help there.

    It is moved by half, so that its seams cross in the middle, and a diamond over them is made
    anew, whose tips alone touch the border (the way of ArmorLab).
    """
    import numpy as np

    rows, columns = made.shape[:2]
    moved = np.roll(made, (rows // 2, columns // 2), (0, 1))
    y = abs(np.arange(rows) - (rows - 1) / 2) / (rows / 2)
    x = abs(np.arange(columns) - (columns - 1) / 2) / (columns / 2)
    mask = x[None, :] + y[:, None] < 1
    painted = _run(pipeline, order, moved, mask, 0.9, write, (0.6, 0.95))
    return np.roll(painted, (-(rows // 2), -(columns // 2)), (0, 1))


def _pipeline(folder: Path, device: str, order: dict[str, Any], write: Write) -> Any:
    """The pipeline of a folder on a device; the one that is loaded if it is that."""
    key = (str(folder), device)
    if _Loaded.key == key:
        return _Loaded.pipeline
    try:
        import torch
        from diffusers import DiffusionPipeline
    except ImportError as error:
        raise Refusal(
            "missing-package", f"The Python for models lacks {error.name}.", _HOW_TO
        ) from error
    _forget()
    half = {"cuda": torch.float16, "mps": torch.float16}.get(device.partition(":")[0])
    index = json.loads((folder / "model_index.json").read_text("utf-8"))
    if half is not None and "transformer" in index:
        half = torch.bfloat16
    offload = _require_room(folder, device, order, half is not None)
    chosen = {"safety_checker": None} if "safety_checker" in index else {}
    try:
        pipeline = DiffusionPipeline.from_pretrained(
            str(folder), local_files_only=True, torch_dtype=half or torch.float32, **chosen
        )
    except (OSError, ValueError, AttributeError, KeyError) as error:
        raise Refusal(
            "bad-model",
            f"{folder.name} cannot be loaded: {' '.join(str(error).split())[:200]}.",
            "It must be a whole folder in diffusers' layout; copy it again.",
        ) from error
    if offload:
        _say(write, "diffusers.load", 0.05, "It is larger than the card: parts wait in memory")
        pipeline.enable_model_cpu_offload()
    else:
        pipeline = pipeline.to(device)
    _Loaded.key, _Loaded.pipeline = key, pipeline
    return pipeline


def _forget() -> None:
    """Give the memory of the loaded pipeline back."""
    _Loaded.key, _Loaded.pipeline = ("", ""), None
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()


def memory_of(folder: Path, width: int, height: int, half: bool) -> int:
    """About how many bytes a model takes while it makes an image: its files, and its maps."""
    sizes = [path.stat().st_size for path in folder.rglob("*.safetensors")]
    sizes = sizes or [path.stat().st_size for path in folder.rglob("*.bin")]
    per_pixel = 1500 if half else 3000  # of the largest maps of the codec
    return int(sum(sizes) * 1.1) + width * height * per_pixel


def _require_room(folder: Path, device: str, order: dict[str, Any], half: bool) -> bool:
    """Refuse a model that has no room; whether parts of it have to wait in main memory."""
    needed = memory_of(folder, order["width"], order["height"], half)
    if device.startswith("cuda"):
        import torch

        there = torch.cuda.mem_get_info()[0]
        if needed > there and _has("accelerate"):
            return True
    else:
        there = _free_memory()
    if needed > there:
        raise Refusal(
            "out-of-memory",
            f"{folder.name} takes about {needed / 2**30:.1f} GB on {device}; "
            f"{there / 2**30:.1f} are free.",
            "Choose a smaller size or model, or close what else uses the device.",
        )
    return False


def _free_memory() -> float:
    try:
        for line in Path("/proc/meminfo").read_text("ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        pass  # Only Linux tells it; elsewhere torch will.
    return float("inf")


def _with_loras(pipeline: Any, models: Path, loras: list[Any]) -> None:
    """Add LoRA files to the pipeline, and take those of earlier orders off."""
    if hasattr(pipeline, "unload_lora_weights") and getattr(pipeline, "_ours", None):
        pipeline.unload_lora_weights()
        pipeline._ours = False
    if not loras:
        return
    if not _has("peft"):
        raise Refusal("missing-package", "The Python for models lacks peft, for LoRAs.", _HOW_TO)
    for number, (name, _) in enumerate(loras):
        files = [p for p in sorted(models.rglob("*.safetensors")) if p.stem.lower() == name.lower()]
        if not files:
            raise Refusal(
                "missing-model",
                f"There is no LoRA called {name} in {models}.",
                f"Put {name}.safetensors there, or into a folder in it.",
            )
        pipeline.load_lora_weights(
            str(files[0].parent), weight_name=files[0].name, adapter_name=f"lora{number}",
            local_files_only=True,
        )  # fmt: skip
    pipeline._ours = True
    pipeline.set_adapters([f"lora{n}" for n in range(len(loras))], [w for _, w in loras])


def _make_circular(pipeline: Any, circular: bool) -> None:
    """Let all convolutions look across the border, as those of a torus, or no more."""
    import torch

    for part in ("unet", "vae"):
        module = getattr(pipeline, part, None)
        for layer in module.modules() if module is not None else ():
            if isinstance(layer, torch.nn.Conv2d):
                layer.padding_mode = "circular" if circular else "zeros"


def _models(models: Path) -> list[str]:
    """Names of the models in a folder: of diffusers' layout, at most two folders deep."""
    found = [*models.glob("*/model_index.json"), *models.glob("*/*/model_index.json")]
    return sorted(path.parent.relative_to(models).as_posix() for path in found)


def _folder(models: Path, wanted: str) -> Path:
    """The folder of a model; the first if none is wanted."""
    if not models.is_dir():
        raise Refusal("no-models", f"The folder of models {models} is not there.", "Choose it.")
    names = _models(models)
    for name in names:
        if wanted.lower() in ("", name.lower(), name.rpartition("/")[2].lower()):
            return models / name
    single = [
        p for p in models.rglob("*.safetensors") if wanted and p.stem.lower() == wanted.lower()
    ]
    if single:
        raise Refusal(
            "bad-model",
            f"{single[0].name} is one file, not a folder in diffusers' layout.",
            "Convert it: diffusers' scripts/convert_original_stable_diffusion_to_diffusers.py; or "
            "use ComfyUI for it.",
        )
    some = f"it has {', '.join(names[:8])}" if names else "it has none"
    raise Refusal(
        "missing-model",
        f"There is no model {wanted or 'in diffusers’ layout'} in {models}; {some}.",
        "Put its folder there, with its model_index.json.",
    )


def _device(wanted: str) -> str:
    if wanted != "auto":
        return wanted
    import torch

    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _takes(pipeline: Any, argument: str) -> bool:
    return argument in inspect.signature(type(pipeline).__call__).parameters


def _has(package: str) -> bool:
    from importlib.util import find_spec

    return find_spec(package) is not None


def _say(write: Write, step: str, fraction: float, message: str) -> None:
    if _Asked.now:
        raise _Cancelled
    write({"event": "progress", "step": step, "fraction": fraction, "message": message})


if __name__ == "__main__":
    sys.exit(main())
