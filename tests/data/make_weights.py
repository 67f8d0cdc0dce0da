"""Small files of weights, each written by the program whose format it is: `python tests/data/make_weights.py` makes them again.

Needs PyTorch, safetensors, Keras (KERAS_BACKEND=torch), h5py, onnx and scikit-learn. Beside the files stands expected.json: for
each a line of what it is, the options that it is read with, and either what the program itself computed from it (inputs and
logits, in float64) or the words of the error. The test reads the files without those programs, but for PyTorch's own format,
Keras' (h5py) and ONNX (onnx).
"""

from __future__ import annotations

import json
import os
import pickle
import zipfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "torch")

FOLDER = Path(__file__).with_name("weights")
CASES: dict[str, tuple[str, Callable[[Path], Any], dict[str, Any], str | None]] = {}


def case(name: str, what: str, refused: str | None = None, **options: Any) -> Callable[..., Any]:
    """Add a file: the function writes it, and returns the inputs and logits of the program, or nothing where it is refused."""

    def add(make: Callable[[Path], Any]) -> Callable[[Path], Any]:
        CASES[name] = (what, make, options, refused)
        return make

    return add


def modules() -> Any:
    """PyTorch, seeded."""
    import torch

    torch.manual_seed(0)
    return torch, torch.nn


def plain() -> Any:
    """A network of three layers, as a beginner writes it."""
    torch, nn = modules()

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc1, self.fc2, self.out = nn.Linear(6, 5), nn.Linear(5, 5), nn.Linear(5, 3)

        def forward(self, x: Any) -> Any:
            return self.out(torch.relu(self.fc2(torch.relu(self.fc1(x)))))

    return Net()


def sequential(*sizes: int, bias: bool = True) -> Any:
    """Linear layers with tanh between them."""
    _, nn = modules()
    layers = [layer for a, b in pairwise(sizes) for layer in (nn.Linear(a, b, bias=bias), nn.Tanh())]
    return nn.Sequential(*layers[:-1])


def computed(model: Any, inputs: int) -> tuple[list[Any], list[Any]]:
    """Inputs and what a model of PyTorch makes of them, in float64."""
    torch, _ = modules()
    x = torch.randn(4, inputs, dtype=torch.float64)
    with torch.no_grad():
        return x.tolist(), model.double()(x).tolist()


def stored(tensors: dict[str, Any], path: Path, **more: Any) -> None:
    """Write a safetensors file through its own library."""
    from safetensors.torch import save_file

    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path, **more)


@case("sequential.safetensors", "PyTorch's nn.Sequential: 0.weight, 2.weight")
def _(path: Path) -> Any:
    model = sequential(4, 5, 3)
    stored(model.state_dict(), path)
    return computed(model, 4)


@case("no_bias.safetensors", "the same without biases")
def _(path: Path) -> Any:
    model = sequential(4, 5, 3, bias=False)
    stored(model.state_dict(), path)
    return computed(model, 4)


@case("eleven.safetensors", "eleven layers: 10.weight after 8.weight, not after 0.weight")
def _(path: Path) -> Any:
    model = sequential(*[3] * 12)
    stored(model.state_dict(), path)
    return computed(model, 3)


@case("class.safetensors", "a class with fc1, fc2, out", activation="relu")
def _(path: Path) -> Any:
    model = plain()
    stored(model.state_dict(), path)
    return computed(model, 6)


@case("compiled.safetensors", "the same under torch.compile: _orig_mod.fc1.weight", activation="relu")
def _(path: Path) -> Any:
    torch, _ = modules()
    model = plain()
    stored(torch.compile(model).state_dict(), path)
    return computed(model, 6)


@case("parallel.safetensors", "the same under DataParallel: module.fc1.weight", activation="relu")
def _(path: Path) -> Any:
    _, nn = modules()
    model = plain()
    stored(nn.DataParallel(model).state_dict(), path)
    return computed(model, 6)


def _as(name: str, what: str) -> None:
    @case(f"{name}.safetensors", what)
    def _(path: Path) -> Any:
        torch, _ = modules()
        model = sequential(4, 5, 3).to(getattr(torch, name))
        stored(model.state_dict(), path)
        return computed(model, 4)


for _name, _what in {"float64": "F64", "float16": "F16", "bfloat16": "BF16"}.items():
    _as(_name, f"weights of {_what}")


@case("mixed.safetensors", "a first layer of F16, a last one of F32")
def _(path: Path) -> Any:
    model = sequential(4, 5, 3)
    model[0].half()
    stored(model.state_dict(), path)
    model[0].float()
    return computed(model, 4)


@case("counter.safetensors", "a tensor of whole numbers beside the weights")
def _(path: Path) -> Any:
    torch, _ = modules()
    model = sequential(4, 5, 3)
    stored({**model.state_dict(), "steps": torch.tensor([7, 8])}, path)
    return computed(model, 4)


@case("tied.safetensors", "tied weights, which save_model stores once")
def _(path: Path) -> Any:
    from safetensors.torch import save_model

    model = sequential(4, 4, 4, 2)
    model[2].weight = model[0].weight
    save_model(model, str(path))
    return computed(model, 4)


@case("shards.safetensors.index.json", "two files and their index", activation="relu")
def _(path: Path) -> Any:
    model = plain()
    state = model.state_dict()
    parts = {"shard-1.safetensors": list(state)[:3], "shard-2.safetensors": list(state)[3:]}
    for part, names in parts.items():
        stored({name: state[name] for name in names}, path.with_name(part))
    path.write_text(json.dumps({"weight_map": {name: part for part, names in parts.items() for name in names}}) + "\n")
    return computed(model, 6)


@case("batch_norm.safetensors", "a layer of batch normalization", "1.weight (norm (5,))")
def _(path: Path) -> None:
    _, nn = modules()
    stored(nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5), nn.ReLU(), nn.Linear(5, 3)).state_dict(), path)


@case("convolution.safetensors", "a convolution", "it has 0.weight (convolution (2, 1, 3, 3))")
def _(path: Path) -> None:
    _, nn = modules()
    stored(nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(8, 3)).state_dict(), path)


@case("attention.safetensors", "attention", "self_attn.in_proj_bias (attention bias (12,))")
def _(path: Path) -> None:
    _, nn = modules()
    stored(nn.TransformerEncoderLayer(4, 2, dim_feedforward=4).state_dict(), path)


@case(
    "autoencoder.safetensors",
    "decoder and encoder, in the order of their names",
    "in more than one order",
    loss="mean_squared_error",
)
def _(path: Path) -> None:
    _, nn = modules()
    stored(nn.ModuleDict({"encoder": nn.Linear(4, 2), "decoder": nn.Linear(2, 4)}).state_dict(), path)


@case(
    "autoencoder_named.safetensors",
    "the same, its layers named",
    layers=["encoder", "decoder"],
    activation="tanh",
    loss="mean_squared_error",
)
def _(path: Path) -> Any:
    _, nn = modules()
    parts = nn.ModuleDict({"encoder": nn.Linear(4, 2), "decoder": nn.Linear(2, 4)})
    stored(parts.state_dict(), path)
    return computed(nn.Sequential(parts["encoder"], nn.Tanh(), parts["decoder"]), 4)


@case("state.pt", "torch.save of a state_dict")
def _(path: Path) -> Any:
    torch, _ = modules()
    model = sequential(4, 5, 3)
    torch.save(model.state_dict(), path)
    return computed(model, 4)


@case("checkpoint.pth", "a checkpoint: model, optimizer, epoch")
def _(path: Path) -> Any:
    torch, _ = modules()
    model = sequential(4, 5, 3)
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.ones(1, 4)).sum().backward()
    optimizer.step()
    torch.save({"epoch": 3, "model_state_dict": model.state_dict(), "optimizer_state_dict": optimizer.state_dict()}, path)
    return computed(model, 4)


@case("module.pt", "torch.save of a whole module, which is code", "save model.state_dict() instead")
def _(path: Path) -> None:
    torch, _ = modules()
    torch.save(sequential(4, 5, 3), path)


@case("script.pt", "TorchScript", "is TorchScript, which is code and is not executed")
def _(path: Path) -> None:
    torch, _ = modules()
    torch.jit.script(sequential(4, 5, 3)).save(str(path))
    with zipfile.ZipFile(path) as archive:  # but for the names of files on the machine where it was made
        parts = {name: archive.read(name) for name in archive.namelist() if not name.endswith("debug_pkl")}
    with zipfile.ZipFile(path, "w") as archive:
        for name, part in parts.items():
            archive.writestr(name, part)


def dense(path: Path, save: Callable[[Any, str], Any], second: str = "tanh") -> Any:
    """A network of Keras with its activations and loss, and what it computes before the softmax."""
    import keras
    import numpy as np

    keras.utils.set_random_seed(0)
    layers = [keras.layers.Dense(5, activation="relu"), keras.layers.Dense(4, activation=second)]
    model = keras.Sequential([keras.Input((6,)), *layers, keras.layers.Dense(3, activation="softmax")])
    model.compile(loss="sparse_categorical_crossentropy", optimizer="sgd")
    save(model, str(path))
    x = np.random.default_rng(0).standard_normal((4, 6)).astype("f4")
    a = x.astype("f8")
    functions = {"relu": lambda z: np.maximum(z, 0), "tanh": np.tanh, "softmax": lambda z: z}
    for layer in model.layers:
        w, b = (np.asarray(part, "f8") for part in layer.get_weights())
        a = functions[layer.activation.__name__](a @ w + b)
    softmax = np.exp(a) / np.exp(a).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(np.asarray(model.predict(x, verbose=0)), softmax, atol=1e-5)  # the logits are Keras' own
    return x.tolist(), a.tolist()


@case("dense.keras", "Keras' own format: activations and loss are in it")
def _(path: Path) -> Any:
    return dense(path, lambda model, to: model.save(to))


@case("dense.weights.h5", "Keras' weights alone", activation="relu")
def _(path: Path) -> Any:
    return dense(path, lambda model, to: model.save_weights(to), second="relu")


@case("dense.h5", "Keras' older format")
def _(path: Path) -> Any:
    return dense(path, lambda model, to: model.save(to))


def graph(path: Path, *, gemm: bool) -> Any:
    """An ONNX model of two layers, and what onnx's own evaluator makes of it."""
    import numpy as np
    import onnx
    from onnx import TensorProto, helper, numpy_helper
    from onnx.reference import ReferenceEvaluator

    rng = np.random.default_rng(0)
    arrays = {"w0": (5, 4), "b0": (5,), "w1": (3, 5), "b1": (3,)}
    made = {name: rng.standard_normal(shape).astype("f4") for name, shape in arrays.items()}
    if gemm:
        nodes = [
            helper.make_node("Gemm", ["x", "w0", "b0"], ["z0"], transB=1),
            helper.make_node("Relu", ["z0"], ["a0"]),
            helper.make_node("Gemm", ["a0", "w1", "b1"], ["z1"], transB=1),
        ]
    else:
        made = {name: array.T.copy() if array.ndim == 2 else array for name, array in made.items()}
        nodes = [
            helper.make_node("MatMul", ["x", "w0"], ["m0"]),
            helper.make_node("Add", ["m0", "b0"], ["z0"]),
            helper.make_node("Relu", ["z0"], ["a0"]),
            helper.make_node("MatMul", ["a0", "w1"], ["m1"]),
            helper.make_node("Add", ["m1", "b1"], ["z1"]),
        ]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", size]) for name, size in (("x", 4), ("z1", 3))]
    body = helper.make_graph(
        nodes, "mlp", ends[:1], ends[1:], [numpy_helper.from_array(array, name) for name, array in made.items()]
    )
    model = helper.make_model(body, opset_imports=[helper.make_opsetid("", 17)])
    onnx.checker.check_model(model)
    onnx.save(model, path)
    x = rng.standard_normal((4, 4)).astype("f4")
    return x.tolist(), ReferenceEvaluator(model).run(None, {"x": x})[0].tolist()


@case("gemm.onnx", "ONNX with Gemm, (n_out, n_in)")
def _(path: Path) -> Any:
    return graph(path, gemm=True)


@case("matmul.onnx", "ONNX with MatMul and Add, (n_in, n_out)")
def _(path: Path) -> Any:
    return graph(path, gemm=False)


@case(
    "mlp.pkl",
    "a pickle of scikit-learn's MLPClassifier, which executes what it holds",
    "is a pickle, which executes what it holds",
)
def _(path: Path) -> None:
    import numpy as np
    from sklearn.neural_network import MLPClassifier

    rng = np.random.default_rng(0)
    mlp = MLPClassifier(hidden_layer_sizes=(3,), random_state=0).partial_fit(
        rng.normal(size=(9, 2)), list("abcabcabc"), classes=list("abc")
    )
    path.write_bytes(pickle.dumps(mlp))


@case("arrays.npz", "numpy.savez of w0, b0, w1, b1 in order", activation="tanh")
def _(path: Path) -> Any:
    import numpy as np

    model = sequential(4, 5, 3)
    np.savez(path, *(tensor.numpy() for tensor in model.state_dict().values()))
    return computed(model, 4)


@case("coefs.npz", "scikit-learn's coefs_ and intercepts_ by numpy.savez: (n_in, n_out)", activation="relu", layout="in_out")
def _(path: Path) -> Any:
    import numpy as np
    from sklearn.neural_network import MLPRegressor

    rng = np.random.default_rng(0)
    x = rng.normal(size=(9, 2))
    mlp = MLPRegressor(hidden_layer_sizes=(4,), random_state=0).partial_fit(x, rng.normal(size=(9, 3)))
    names = {f"coefs_{i}": w for i, w in enumerate(mlp.coefs_)} | {f"intercepts_{i}": b for i, b in enumerate(mlp.intercepts_)}
    np.savez(path, **names)
    return x.tolist(), mlp.predict(x).tolist()


def main() -> None:
    """Write all files, and what is expected of them."""
    FOLDER.mkdir(exist_ok=True)
    expected = {}
    for name, (what, make, options, refused) in CASES.items():
        found = make(FOLDER / name)
        expected[name] = {"what": what, "options": options}
        expected[name] |= {"refused": refused} if refused else {"x": found[0], "logits": found[1]} if found else {}
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(one)}" for name, one in expected.items())
    (FOLDER / "expected.json").write_text(f"{{\n{lines}\n}}\n")


if __name__ == "__main__":
    main()
