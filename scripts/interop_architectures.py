"""Trace public architectures with random weights, and write the list with time and verdict into docs/pytorch.md.

    python scripts/interop_architectures.py            # print the list
    python scripts/interop_architectures.py --write    # and write it between the marks of docs/pytorch.md

Needs torchvision and transformers beside PyTorch. Weights are the packages' own random ones; nothing is downloaded.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional

import fanin as fi
from fanin.interop.torch import trace

PAGE = Path(__file__).resolve().parents[1] / "docs" / "pytorch.md"
MARKS = ("<!-- architectures -->", "<!-- end of architectures -->")
VISION = {  # name: side of the images
    "alexnet": 64,
    "vgg11": 32,
    "vgg16_bn": 32,
    "resnet18": 64,
    "resnet50": 64,
    "resnext50_32x4d": 64,
    "wide_resnet50_2": 64,
    "densenet121": 64,
    "googlenet": 64,
    "inception_v3": 139,
    "squeezenet1_1": 64,
    "mobilenet_v2": 64,
    "mobilenet_v3_small": 64,
    "mobilenet_v3_large": 64,
    "efficientnet_b0": 64,
    "efficientnet_v2_s": 64,
    "mnasnet1_0": 64,
    "shufflenet_v2_x1_0": 64,
    "regnet_y_400mf": 64,
    "regnet_x_400mf": 64,
    "convnext_tiny": 64,
    "swin_t": 64,
    "swin_v2_t": 64,
    "maxvit_t": 224,
    "vit_b_16": 224,
}
TEXT = {  # configuration and model of transformers, with what makes it small
    "gpt2": ("GPT2Config", "GPT2LMHeadModel", {"n_layer": 6, "n_embd": 256, "n_head": 4}),
    "bert": (
        "BertConfig",
        "BertForMaskedLM",
        {"num_hidden_layers": 6, "hidden_size": 256, "num_attention_heads": 4, "intermediate_size": 1024},
    ),
    "roberta": (
        "RobertaConfig",
        "RobertaForMaskedLM",
        {"num_hidden_layers": 6, "hidden_size": 256, "num_attention_heads": 4, "intermediate_size": 1024},
    ),
    "distilbert": ("DistilBertConfig", "DistilBertForMaskedLM", {"n_layers": 4, "dim": 256, "n_heads": 4, "hidden_dim": 1024}),
    "llama": (
        "LlamaConfig",
        "LlamaForCausalLM",
        {
            "num_hidden_layers": 6,
            "hidden_size": 256,
            "num_attention_heads": 4,
            "num_key_value_heads": 4,
            "intermediate_size": 688,
            "vocab_size": 8000,
        },
    ),
    "qwen2": (
        "Qwen2Config",
        "Qwen2ForCausalLM",
        {
            "num_hidden_layers": 6,
            "hidden_size": 256,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "intermediate_size": 688,
            "vocab_size": 8000,
        },
    ),
    "opt": (
        "OPTConfig",
        "OPTForCausalLM",
        {
            "num_hidden_layers": 6,
            "hidden_size": 256,
            "num_attention_heads": 4,
            "ffn_dim": 1024,
            "word_embed_proj_dim": 256,
            "vocab_size": 8000,
        },
    ),
    "t5": (
        "T5Config",
        "T5ForConditionalGeneration",
        {
            "num_layers": 4,
            "d_model": 256,
            "num_heads": 4,
            "d_kv": 64,
            "d_ff": 1024,
            "vocab_size": 8000,
            "decoder_start_token_id": 0,
            "pad_token_id": 0,
        },
    ),
}


def main() -> None:
    """Trace them all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"write the list into {PAGE.name}")
    parser.add_argument("names", nargs="*", help="only these")
    arguments = parser.parse_args()
    models = vision() | text()
    rows = []
    for name, (make, batch, loss) in models.items():
        if arguments.names and name not in arguments.names:
            continue
        torch.manual_seed(0)
        rows.append(row(name, make().train(), batch(), loss))
        print(*rows[-1], sep=" | ", flush=True)
    if arguments.write:
        write(rows)


def row(name: str, module: torch.nn.Module, batch: Any, loss: Callable[..., torch.Tensor]) -> list[str]:
    """Trace one, and time it beside a forward and backward pass of its own."""
    started = time.process_time()
    inputs = batch[0] if isinstance(batch, tuple) else batch
    output = module(**inputs) if isinstance(inputs, dict) else module(inputs)
    (loss(output, *batch[1:]) if isinstance(batch, tuple) else loss(output)).backward()
    between = time.process_time()
    module.zero_grad()
    found = trace(module, batch, loss)
    ended = time.process_time()
    verdict = fi.diagnose(found)
    parameters = sum(p.numel() for p in module.parameters()) / 1e6
    weights, lines = len(found.weighted), len(found.layers)
    times = f"{between - started:.2f}", f"{ended - between:.2f}"
    ways = [f"{verdict.forward}, {change(found.forward_scales)}", f"{verdict.backward}, {change(found.backward_scales)}"]
    return [name, f"{parameters:.1f}", str(weights), str(lines), *times, verdict.verdict, *ways]


def change(scales: list[float]) -> str:
    """Say how a scale changes over the layers; below a head of zeros there are no gradients yet."""
    if not scales or scales[0] == scales[-1] == 0:
        return "0 so far"
    return f"x {scales[-1] / scales[0]:.2g}" if scales[0] else f"0 to {scales[-1]:.2g}"


def vision() -> dict[str, tuple[Callable[[], torch.nn.Module], Callable[[], Any], Callable[..., torch.Tensor]]]:
    """Return torchvision's: how to make each, its batch and its loss."""
    models = torchvision_models()

    def loss(output: Any, y: torch.Tensor) -> torch.Tensor:
        return functional.cross_entropy(getattr(output, "logits", output), y)

    def images(side: int) -> tuple[torch.Tensor, torch.Tensor]:
        return torch.randn(8 if side < 200 else 4, 3, side, side), torch.arange(8 if side < 200 else 4)

    options = {"googlenet": {"init_weights": True}, "inception_v3": {"init_weights": True, "aux_logits": False}}
    return {
        name: (
            lambda name=name: models.get_model(name, weights=None, **options.get(name, {})),
            lambda side=side: images(side),
            loss,
        )
        for name, side in VISION.items()
    }


def torchvision_models() -> Any:
    """Import torchvision's models; its compiled operators, which none of them uses, may be missing beside a CPU build."""
    try:
        from torchvision import models
    except RuntimeError as error:
        missing = re.search(r"operator (\w+::\w+) does not exist", str(error))
        if missing is None:
            raise
        torch.library.define(missing[1], "(Tensor a) -> Tensor")
        for name in [name for name in sys.modules if name.startswith("torchvision")]:
            del sys.modules[name]
        return torchvision_models()
    return models


def text() -> dict[str, tuple[Callable[[], torch.nn.Module], Callable[[], Any], Callable[..., torch.Tensor]]]:
    """Return those of transformers."""
    import transformers

    def make(config: str, model: str, options: dict[str, Any]) -> torch.nn.Module:
        return getattr(transformers, model)(getattr(transformers, config)(**options))

    def tokens() -> dict[str, torch.Tensor]:
        ids = torch.randint(10, 7000, (4, 64))
        return {"input_ids": ids, "labels": ids}

    def loss(output: Any) -> torch.Tensor:
        return output.loss

    return {name: (lambda entry=entry: make(*entry), tokens, loss) for name, entry in TEXT.items()}


def write(rows: list[list[str]]) -> None:
    """Write the list into the page."""
    heads = [
        "architecture",
        "parameters, 1e6",
        "weight layers",
        "lines",
        "one step, s",
        "trace, s",
        "verdict",
        "activations",
        "gradients",
    ]
    table = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}", *(f"| {' | '.join(row)} |" for row in rows)]
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(MARKS[0])
    _, after = rest.split(MARKS[1])
    PAGE.write_text("\n".join([before + MARKS[0], *table, MARKS[1] + after]), encoding="utf-8")


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    main()
