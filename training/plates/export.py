"""The networks as ONNX files: weights as 16-bit floats, computing in 32."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from hub.vision.layout import BOTTOM, TOP, WHOLE

OPSET = 17
NAMES = {"corners": WHOLE, "row": TOP, "province": BOTTOM}


def save(name: str, model: nn.Module, folder: Path) -> Path:
    """``folder/plate_NAME.onnx``: input ``luma`` float32 (N, 1, H, W) 0..255, output ``told``."""
    path = folder / f"plate_{name}.onnx"
    example = torch.rand(1, 1, *NAMES[name]) * 255
    torch.onnx.export(
        model.eval().to(memory_format=torch.contiguous_format), (example,), str(path), input_names=["luma"],
        output_names=["told"], dynamic_axes={"luma": {0: "n"}, "told": {0: "n"}}, opset_version=OPSET, dynamo=False,
    )  # fmt: skip
    _halve(path)
    return path


def _halve(path: Path) -> None:
    """Large weights become 16-bit, each with a cast behind it, which the runtime does once when it loads the file."""
    model = onnx.load(str(path))
    graph = model.graph
    casts = []
    for weight in list(graph.initializer):
        values = numpy_helper.to_array(weight)
        if values.dtype != np.float32 or values.size < 256:
            continue
        small = numpy_helper.from_array(values.astype(np.float16), f"{weight.name}_half")
        graph.initializer.remove(weight)
        graph.initializer.append(small)
        casts.append(helper.make_node("Cast", [small.name], [weight.name], to=TensorProto.FLOAT))
    for node in reversed(casts):
        graph.node.insert(0, node)
    model.producer_name, model.doc_string = "", "trained by training/plates of the project"
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
