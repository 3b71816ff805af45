# SPDX-License-Identifier: GPL-3.0-or-later
"""Tiny models of random weights, in diffusers' layout, built on the spot.

Run by a Python that has torch and diffusers: ``python tiny_models.py FOLDER``. They make noise,
but by the very code that large ones do.
"""

from __future__ import annotations

import json
import string
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    FlowMatchEulerDiscreteScheduler,
    FluxPipeline,
    FluxTransformer2DModel,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from tokenizers import Tokenizer, models
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTokenizer,
    PreTrainedTokenizerFast,
    T5Config,
    T5EncoderModel,
)


def tokenizer(folder: str) -> CLIPTokenizer:
    """One of single letters."""
    letters = list(string.printable[:94])
    words = [*letters, *(f"{letter}</w>" for letter in letters)]
    vocabulary = {w: n for n, w in enumerate([*words, "<|startoftext|>", "<|endoftext|>"])}
    Path(folder, "vocab.json").write_text(json.dumps(vocabulary))
    Path(folder, "merges.txt").write_text("#version: 0.2\n")
    return CLIPTokenizer(
        str(Path(folder, "vocab.json")), str(Path(folder, "merges.txt")), model_max_length=77
    )


def text_encoder(size: int, tokens: int) -> CLIPTextModel:
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=tokens, hidden_size=size, intermediate_size=2 * size, num_hidden_layers=1,
            num_attention_heads=2, projection_dim=size,
            bos_token_id=tokens - 2, eos_token_id=tokens - 1, pad_token_id=tokens - 1,
        )
    )  # fmt: skip


def codec(channels: int, **more: Any) -> AutoencoderKL:
    return AutoencoderKL(
        block_out_channels=(8, 8, 8, 8), down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4, latent_channels=channels, norm_num_groups=4,
        **more,
    )  # fmt: skip


def stable_diffusion(folder: Path, scratch: str) -> None:
    """One with a UNet, and a LoRA for it beside."""
    torch.manual_seed(1)
    unet = UNet2DConditionModel(
        sample_size=8, block_out_channels=(8, 16), layers_per_block=1, norm_num_groups=4,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=16, attention_head_dim=4,
    )  # fmt: skip
    words = tokenizer(scratch)
    pipeline = StableDiffusionPipeline(
        vae=codec(4), text_encoder=text_encoder(16, len(words)), tokenizer=words, unet=unet,
        scheduler=DDIMScheduler(clip_sample=False, set_alpha_to_one=False, steps_offset=1),
        safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    )  # fmt: skip
    pipeline.save_pretrained(folder / "tiny-sd")
    unet.add_adapter(LoraConfig(r=2, target_modules=["to_q", "to_v"], init_lora_weights=False))
    StableDiffusionPipeline.save_lora_weights(
        str(folder / "loras"), get_peft_model_state_dict(unet), weight_name="moss.safetensors"
    )


def flux(folder: Path, scratch: str) -> None:
    """One with a transformer."""
    torch.manual_seed(2)
    transformer = FluxTransformer2DModel(
        patch_size=1, in_channels=16, num_layers=1, num_single_layers=1, attention_head_dim=16,
        num_attention_heads=2, joint_attention_dim=16, pooled_projection_dim=16,
        axes_dims_rope=(4, 6, 6), guidance_embeds=True,
    )  # fmt: skip
    words = tokenizer(scratch)
    letters = {w: n for n, w in enumerate(["<pad>", "</s>", "<unk>", *string.printable[:94]])}
    second = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(models.WordLevel(letters, unk_token="<unk>")),
        pad_token="<pad>", eos_token="</s>", unk_token="<unk>", model_max_length=64,
    )  # fmt: skip
    config = T5Config(
        vocab_size=len(letters), d_model=16, d_kv=8, d_ff=16, num_layers=1, num_heads=2
    )
    pipeline = FluxPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(), vae=codec(4, shift_factor=0.0),
        text_encoder=text_encoder(16, len(words)), tokenizer=words,
        text_encoder_2=T5EncoderModel(config), tokenizer_2=second, transformer=transformer,
    )  # fmt: skip
    pipeline.save_pretrained(folder / "dit" / "tiny-flux")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        stable_diffusion(Path(sys.argv[1]), scratch)
        if "--flux" in sys.argv:
            flux(Path(sys.argv[1]), scratch)
