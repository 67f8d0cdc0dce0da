"""ONNX models, through onnx: all initializers, and the chain of dense layers if the graph is one."""

from __future__ import annotations

import os
from typing import Any

from fanin.weights.formats.tensors import FileError, Stage, Tensor, TensorFile, in_memory, word_of

_ACTIVATIONS = {"Relu": "relu", "Tanh": "tanh", "Sigmoid": "sigmoid", "Softplus": "softplus"}
_PASS = {"Identity", "Flatten", "Cast", "Dropout", "Reshape", "Squeeze", "Unsqueeze"}
_LAST = {"Softmax", "LogSoftmax", "ArgMax", "Sigmoid"}


def read(path: str) -> TensorFile:
    """Read an ONNX model; weights outside the file lie in its folder.

    Raises
    ------
    ModuleNotFoundError
        Without onnx.
    FileError
        If it is none, or damaged.
    """
    try:
        import onnx
        from onnx import numpy_helper
    except ModuleNotFoundError:
        raise ModuleNotFoundError(f"{path} is an ONNX model: pip install onnx", name="onnx") from None
    os.stat(path)  # the system's own error
    try:
        model = onnx.load(path)
        graph = model.graph
        tensors = [_tensor(numpy_helper, onnx, proto) for proto in graph.initializer]
        tensors += [
            _tensor(numpy_helper, onnx, node.attribute[0].t, node.output[0])
            for node in graph.node
            if node.op_type == "Constant" and len(node.attribute) == 1 and node.attribute[0].HasField("t")
        ]
    except Exception as error:  # protobuf's and onnx's errors have no common class
        raise FileError(f"{path} is no ONNX model, or damaged: {' '.join(str(error).split())[:200]}") from None
    if not graph.node and not tensors:
        raise FileError(f"{path} is no ONNX model, or damaged: it has no nodes and no tensors")
    names = [tensor.name for tensor in tensors]
    words = [word for node in graph.node for word in (*node.input, *node.output, node.op_type, node.name)]
    words += [value.name for value in graph.input]
    if not all(isinstance(word, str) for word in (*names, *words)):  # protobuf gives bytes for what is no UTF-8
        raise FileError(f"{path} is damaged: it has names that are not UTF-8")
    if len(set(names)) != len(names):
        raise FileError(f"{path} is damaged: {next(n for n in names if names.count(n) > 1)!r} stands twice")
    found = TensorFile(path, "ONNX", tensors, ordered=True)
    _chain(found, graph, {tensor.name: tensor for tensor in tensors})
    return found


def _tensor(numpy_helper: Any, onnx: Any, proto: Any, name: str | None = None) -> Tensor:
    array = numpy_helper.to_array(proto)
    return in_memory(proto.name if name is None else name, array, None if array.dtype.kind in "biuf" else word_of(array.dtype))


def _chain(found: TensorFile, graph: Any, tensors: dict[str, Tensor]) -> None:
    """Follow the graph from its input; says in `no_network` what breaks the chain."""
    nodes = [node for node in graph.node if node.op_type != "Constant"]
    inputs = [value.name for value in graph.input if value.name not in tensors]
    if len(inputs) != 1:
        found.no_network = f"its graph has {len(inputs)} inputs"
        return
    readers: dict[str, list[Any]] = {}
    for node in nodes:
        for name in node.input:
            if name not in tensors:
                readers.setdefault(name, []).append(node)
    at = inputs[0]
    stages: list[Stage] = []
    after: list[str | None] = []
    last: str | None = None
    for _ in nodes:
        here = readers.get(at, [])
        if not here:
            break
        if len(here) > 1 and not all(node.op_type in _LAST | {"Cast", "ZipMap"} for node in here):
            found.no_network = f"its graph branches at {at!r}"
            return
        node = here[0]
        why = _step(node, at, tensors, stages, after)
        if last is not None and node.op_type not in _PASS | {"ZipMap"}:
            why = f"{last} stands before {node.op_type}"
        if node.op_type in _LAST and stages and node.op_type != "Sigmoid":
            last, why = node.op_type, None
        if why is not None:
            found.no_network = why
            return
        at = node.output[0]
    if not stages:
        found.no_network = "its graph has no dense layer"
        return
    found.stages = stages
    if last == "ArgMax" or last is None:
        last = None
    final = after.pop()
    if final not in (None, "sigmoid"):
        found.no_network = f"its last layer has the activation {final}"
    found.activations = [word or "identity" for word in after]
    found.loss = "cross_entropy" if last is not None else "binary_cross_entropy" if final == "sigmoid" else None


def _step(node: Any, at: str, tensors: dict[str, Tensor], stages: list[Stage], after: list[str | None]) -> str | None:
    """Add a node to the chain; returns why it is none of a dense network."""
    kind, others = node.op_type, [name for name in node.input if name != at]
    name = node.name or kind
    if kind in ("Gemm", "MatMul"):
        options = {a.name: a.f if a.type == 1 else a.i for a in node.attribute}
        if options.get("alpha", 1) != 1 or options.get("beta", 1) != 1 or options.get("transA", 0):
            return f"{name} scales or transposes its input"
        if list(node.input[:1]) != [at] or not others or any(other not in tensors for other in others):
            return f"{name} multiplies what are no weights"
        stages.append(
            Stage(others[0], others[1] if len(others) > 1 else None, "out_in" if options.get("transB", 0) else "in_out")
        )
        after.append(None)
        return None
    if kind == "Add" and stages and len(others) == 1 and others[0] in tensors:
        if stages[-1].bias is not None or after[-1] is not None:
            return f"{name} adds to what has its bias"
        stages[-1] = stages[-1]._replace(bias=others[0])
        return None
    if kind in _ACTIVATIONS and stages and after[-1] is None:
        after[-1] = _ACTIVATIONS[kind]
        return None
    return None if kind in _PASS or kind == "ZipMap" else f"it has a node {kind} ({name})"
