"""Draw docs/datasets.png: each data set of `fanin.datasets` that needs no file. Needs ``fanin[report]``.

Run it as ``python scripts/dataset_pictures.py [PATH]``.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from fanin import datasets

COLOURS = np.array(["#D55E00", "#0072B2"])
POINTS = 400


def draw(path: Path) -> None:
    figure = Figure(figsize=(12, 6.3), facecolor="white", layout="constrained")
    panels = figure.subplots(2, 4).reshape(-1)
    plane = {name: getattr(datasets, name)(POINTS) for name in ("circle", "moon", "square", "gauss", "spirals")}
    plane["coursework_circles"] = datasets.coursework_circles().train
    for axes, (name, data) in zip(panels, plane.items(), strict=False):
        axes.scatter(*data.x.T, s=7, c=COLOURS[data.y], linewidths=0)
        axes.set_aspect("equal", "datalim")
        axes.tick_params(labelsize=8, colors="#5f6368", length=2)
        for spine in axes.spines.values():
            spine.set_color("#b0b0b0")
        axes.set_title(name, fontsize=11)
    images = np.pad(datasets.digits().x[:30].reshape(5, 6, 8, 8), [(0, 0), (0, 0), (1, 2), (1, 2)])  # rows, columns, pixels
    panels[6].imshow(images.transpose(0, 2, 1, 3).reshape(5 * 11, 6 * 11), cmap="gray_r", interpolation="nearest")
    panels[6].set_axis_off()
    panels[6].set_title("digits", fontsize=11)
    panels[7].set_axis_off()
    # 64 colours: a third of the size, and no difference to be seen.
    raw = io.BytesIO()
    figure.savefig(raw, dpi=100)
    Image.open(raw).convert("RGB").quantize(64).save(path, optimize=True)


if __name__ == "__main__":
    draw(Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[1] / "docs" / "datasets.png"))
