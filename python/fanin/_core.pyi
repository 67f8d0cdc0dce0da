"""
The compiled core of fanin. Everything here is reached through the modules above it.
"""
from __future__ import annotations
import collections.abc
import numpy
import numpy.typing
import typing
@typing.final
class ActivationTraits:
    @property
    def bounds(self) -> tuple[float, float] | None:
        ...
    @property
    def kinks(self) -> tuple[typing.Any, ...]:
        ...
    @property
    def limits(self) -> tuple[float, float] | None:
        ...
    @property
    def name(self) -> str:
        ...
    @property
    def parameter(self) -> str | None:
        ...
    @property
    def period(self) -> float | None:
        ...
    @property
    def text(self) -> str:
        ...
    @property
    def value(self) -> float | None:
        ...
    @property
    def value_range(self) -> tuple[float, float] | None:
        ...
@typing.final
class Law:
    def __init__(self, name: str, parameters: dict[str, typing.Any]) -> None:
        ...
    def text(self) -> str:
        ...
    @property
    def identity(self) -> tuple[typing.Any, ...]:
        ...
    @property
    def name(self) -> str:
        ...
    @property
    def needs_fans(self) -> bool:
        ...
    @property
    def parameters(self) -> dict[str, typing.Any]:
        ...
@typing.final
class LawTraits:
    @property
    def example(self) -> str:
        ...
    @property
    def needs_fans(self) -> bool:
        ...
    @property
    def needs_shape(self) -> bool:
        ...
    @property
    def whole(self) -> bool:
        ...
class SummaryOptions:
    """
    What to measure; checked when it is made.
    """
    def __init__(self, *, moments_only: bool = False, histogram: str = 'powers', bins: typing.SupportsInt | typing.SupportsIndex = 0, low: typing.SupportsFloat | typing.SupportsIndex = 0.0, high: typing.SupportsFloat | typing.SupportsIndex = 0.0, saturation: tuple[typing.SupportsFloat | typing.SupportsIndex, typing.SupportsFloat | typing.SupportsIndex] | None = None) -> None:
        ...
class Quantile:
    """
    A quantile as far as a histogram tells it: that of the elements lies in [low, high].
    """
    def __float__(self) -> float:
        ...
    def __repr__(self) -> str:
        ...
    @property
    def high(self) -> float:
        ...
    @property
    def low(self) -> float:
        ...
    @property
    def value(self) -> float:
        """
        The guess that elements are spread evenly inside their bins.
        """
class Histogram:
    """
    Where the finite elements lie. Infinities and NaNs are in no bin.
    """
    def __eq__(self, arg0: typing.Any) -> typing.Any:
        ...
    def __hash__(self) -> int:
        ...
    def __repr__(self) -> str:
        ...
    @property
    def above(self) -> int:
        """
        Finite elements above the range.
        """
    @property
    def below(self) -> int:
        """
        Finite elements below the range.
        """
    @property
    def counts(self) -> numpy.typing.NDArray[numpy.int64]:
        """
        Elements a bin, int64. linear: #{edges[i] <= x < edges[i + 1]}, the last bin with its upper edge. powers: 513 bins;
        bin 256 holds the zeros, bins 257 + i the x with 2^(i - 128) <= x < 2^(i - 127), bins 255 - i their negatives; smaller
        magnitudes are in bins 255 and 257, larger ones in bins 0 and 512.
        """
    @property
    def edges(self) -> numpy.typing.NDArray[numpy.float64]:
        """
        One more than bins, float64. powers: -inf, -2^127, ..., -2^-127, 0, 0, 2^-127, ..., 2^127, inf.
        """
    @property
    def kind(self) -> str:
        """
        "linear" or "powers".
        """
    @property
    def range(self) -> tuple[float, float] | None:
        """
        (low, high) of a linear histogram, else None.
        """
class Summary:
    """
    What was measured of an array. Moments, min, max and histogram are those of its finite elements.
    
    `a + b` is the summary of the elements of both: counts, min, max and histogram exactly. `a == b` compares bits; a NaN
    equals a NaN.
    """
    @staticmethod
    def from_dict(data: dict[str, typing.Any]) -> Summary:
        """
        The Summary that to_dict() was called on.
        """
    def __add__(self, arg0: Summary) -> Summary:
        ...
    def __eq__(self, arg0: typing.Any) -> typing.Any:
        ...
    def __getstate__(self) -> dict[str, typing.Any]:
        ...
    def __hash__(self) -> int:
        ...
    def __radd__(self, arg0: typing.SupportsInt | typing.SupportsIndex) -> Summary:
        ...
    def __repr__(self) -> str:
        ...
    def __setstate__(self, arg0: dict[str, typing.Any]) -> None:
        ...
    def quantile(self, q: typing.SupportsFloat | typing.SupportsIndex) -> Quantile:
        """
        The q-quantile of the finite elements, from the histogram, with the bounds that it proves.
        
        0 <= q <= 1, as numpy.quantile takes it by default; 0 and 1 are exact. ValueError without a histogram.
        """
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Numbers, strings and lists alone: what json and pickle take.
        """
    @property
    def count(self) -> int:
        """
        All elements.
        """
    @property
    def finite(self) -> int:
        """
        Elements that are neither NaN nor infinite.
        """
    @property
    def histogram(self) -> Histogram | None:
        """
        A Histogram, or None.
        """
    @property
    def infs(self) -> int:
        """
        Infinities of either sign.
        """
    @property
    def kurtosis(self) -> float:
        """
        3 for a normal law; NaN where var is 0.
        """
    @property
    def m2(self) -> float:
        """
        Sum of (x - mean)^2.
        """
    @property
    def m3(self) -> float:
        """
        Sum of (x - mean)^3; NaN under moments="two".
        """
    @property
    def m4(self) -> float:
        """
        Sum of (x - mean)^4; NaN under moments="two".
        """
    @property
    def max(self) -> float:
        """
        NaN where no element is finite; -0 is less than +0.
        """
    @property
    def mean(self) -> float:
        """
        NaN where no element is finite.
        """
    @property
    def min(self) -> float:
        """
        NaN where no element is finite; -0 is less than +0.
        """
    @property
    def moments(self) -> str:
        """
        "all", or "two" where m3 and m4 were not measured.
        """
    @property
    def nans(self) -> int:
        ...
    @property
    def rms(self) -> float:
        """
        The square root of the mean square.
        """
    @property
    def saturated(self) -> int:
        """
        Elements outside the saturation bounds, infinities too; 0 where none were given.
        """
    @property
    def saturation(self) -> tuple[float, float] | None:
        """
        The bounds that were given, or None.
        """
    @property
    def skewness(self) -> float:
        """
        0 for a symmetric law; NaN where var is 0.
        """
    @property
    def std(self) -> float:
        """
        The square root of var.
        """
    @property
    def subnormals(self) -> int:
        """
        Subnormal numbers of the array's own dtype; zero is none.
        """
    @property
    def var(self) -> float:
        """
        m2 / finite: divides by n.
        """
    @property
    def zeros(self) -> int:
        """
        Zeros of either sign.
        """
class Summarizer:
    """
    Summarizes what comes piece by piece: data larger than memory, a stream.
    
    The same pieces in the same order give the same bits; other pieces of the same elements give counts,
    extremes and histogram exactly, and moments up to rounding.
    """
    def __init__(self, options: SummaryOptions) -> None:
        ...
    def __repr__(self) -> str:
        ...
    @typing.overload
    def merge(self, other: Summary) -> None:
        """
        Adds what a summary of the same options has measured.
        """
    @typing.overload
    def merge(self, other: Summarizer) -> None:
        ...
    def update(self, x: numpy.ndarray) -> None:
        """
        Adds the elements of an array of real numbers, of any dtype that `summarize` takes.
        """
    @property
    def summary(self) -> Summary:
        """
        Of everything so far.
        """
class PackedWeight32:
    """
    Weights that pack_weight() has put into the order of the kernels; immutable.
    """
    def __repr__(self) -> str:
        ...
    @property
    def dtype(self) -> numpy.dtype[typing.Any]:
        """
        That of the weights.
        """
    @property
    def shape(self) -> tuple[int, int]:
        """
        (n_out, n_in), that of the weights.
        """
class PackedWeight64:
    """
    Weights that pack_weight() has put into the order of the kernels; immutable.
    """
    def __repr__(self) -> str:
        ...
    @property
    def dtype(self) -> numpy.dtype[typing.Any]:
        """
        That of the weights.
        """
    @property
    def shape(self) -> tuple[int, int]:
        """
        (n_out, n_in), that of the weights.
        """
class Optimizer:
    def __init__(self, rule: str, lr: collections.abc.Sequence[typing.SupportsFloat | typing.SupportsIndex], clip_norm: typing.SupportsFloat | typing.SupportsIndex, options: collections.abc.Mapping[str, typing.SupportsFloat | typing.SupportsIndex]) -> None:
        ...
    def copy(self) -> Optimizer:
        ...
    def reset(self) -> None:
        ...
    @property
    def bound(self) -> bool:
        ...
    @property
    def gradient_norm(self) -> float:
        ...
    @property
    def lr(self) -> list[float]:
        ...
    @lr.setter
    def lr(self, arg1: collections.abc.Sequence[typing.SupportsFloat | typing.SupportsIndex]) -> None:
        ...
    @property
    def steps(self) -> int:
        ...
class SafeTensors:
    def __init__(self, path: str) -> None:
        ...
    @property
    def dtypes(self) -> dict[str, str]:
        ...
    @property
    def metadata(self) -> dict[str, str]:
        ...
    @property
    def shapes(self) -> dict[str, list[int]]:
        ...
class FitState:
    def __init__(self) -> None:
        ...
    def words(self, layers: typing.SupportsInt | typing.SupportsIndex, cost: typing.SupportsFloat | typing.SupportsIndex) -> str:
        ...
    @property
    def epochs(self) -> int:
        ...
    @property
    def step(self) -> int:
        ...
    @property
    def steps(self) -> int:
        ...
    @property
    def stopped(self) -> bool:
        ...
class NetworkF32:
    @staticmethod
    def steps_per_epoch(rows: typing.SupportsInt | typing.SupportsIndex, batch_size: typing.SupportsInt | typing.SupportsIndex) -> int:
        ...
    def __init__(self, sizes: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex], activations: collections.abc.Sequence[str], loss: str, bias: bool, seed: typing.SupportsInt | typing.SupportsIndex, weight_of: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex]) -> None:
        ...
    def bias(self, layer: typing.SupportsInt | typing.SupportsIndex) -> numpy.ndarray:
        ...
    def copy(self) -> NetworkF32:
        ...
    def draw(self, weights: collections.abc.Sequence[Law | None], biases: collections.abc.Sequence[Law | None]) -> None:
        ...
    def fit(self, x: numpy.ndarray, y: numpy.ndarray, epochs: typing.SupportsInt | typing.SupportsIndex, batch_size: typing.SupportsInt | typing.SupportsIndex, shuffle: bool, stop: bool, optimizer: Optimizer, costs: numpy.typing.NDArray[numpy.float64], epoch_costs: numpy.typing.NDArray[numpy.float64], state: FitState, max_steps: typing.SupportsInt | typing.SupportsIndex, every: typing.SupportsInt | typing.SupportsIndex, options: SummaryOptions, activations: collections.abc.Sequence[SummaryOptions], see: typing.Any, w: typing.Any = None) -> None:
        ...
    def forward(self, x: numpy.ndarray, first_row: typing.SupportsInt | typing.SupportsIndex = 0) -> numpy.typing.NDArray[numpy.float32]:
        ...
    def gradients(self, x: numpy.ndarray, y: numpy.ndarray, w: typing.Any = None) -> tuple[typing.Any, ...]:
        ...
    def load(self, file: SafeTensors) -> None:
        ...
    def load_optimizer(self, file: SafeTensors, optimizer: Optimizer) -> None:
        ...
    def loss(self, x: numpy.ndarray, y: numpy.ndarray, w: typing.Any = None) -> float:
        ...
    def predict(self, x: numpy.ndarray, first_row: typing.SupportsInt | typing.SupportsIndex = 0) -> numpy.typing.NDArray[numpy.int64]:
        ...
    def save(self, path: str, optimizer: Optimizer, torch_names: bool, more: collections.abc.Mapping[str, str]) -> None:
        ...
    def step(self, x: numpy.ndarray, y: numpy.ndarray, optimizer: Optimizer, w: typing.Any = None) -> float:
        ...
    def trust(self, x: numpy.ndarray) -> None:
        ...
    def weight(self, layer: typing.SupportsInt | typing.SupportsIndex) -> numpy.ndarray:
        ...
    @property
    def activations(self) -> tuple[typing.Any, ...]:
        ...
    @property
    def epochs(self) -> int:
        ...
    @epochs.setter
    def epochs(self, arg1: typing.SupportsInt | typing.SupportsIndex) -> None:
        ...
    @property
    def seed(self) -> int:
        ...
class NetworkF64:
    @staticmethod
    def steps_per_epoch(rows: typing.SupportsInt | typing.SupportsIndex, batch_size: typing.SupportsInt | typing.SupportsIndex) -> int:
        ...
    def __init__(self, sizes: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex], activations: collections.abc.Sequence[str], loss: str, bias: bool, seed: typing.SupportsInt | typing.SupportsIndex, weight_of: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex]) -> None:
        ...
    def bias(self, layer: typing.SupportsInt | typing.SupportsIndex) -> numpy.ndarray:
        ...
    def copy(self) -> NetworkF64:
        ...
    def draw(self, weights: collections.abc.Sequence[Law | None], biases: collections.abc.Sequence[Law | None]) -> None:
        ...
    def fit(self, x: numpy.ndarray, y: numpy.ndarray, epochs: typing.SupportsInt | typing.SupportsIndex, batch_size: typing.SupportsInt | typing.SupportsIndex, shuffle: bool, stop: bool, optimizer: Optimizer, costs: numpy.typing.NDArray[numpy.float64], epoch_costs: numpy.typing.NDArray[numpy.float64], state: FitState, max_steps: typing.SupportsInt | typing.SupportsIndex, every: typing.SupportsInt | typing.SupportsIndex, options: SummaryOptions, activations: collections.abc.Sequence[SummaryOptions], see: typing.Any, w: typing.Any = None) -> None:
        ...
    def forward(self, x: numpy.ndarray, first_row: typing.SupportsInt | typing.SupportsIndex = 0) -> numpy.typing.NDArray[numpy.float64]:
        ...
    def gradients(self, x: numpy.ndarray, y: numpy.ndarray, w: typing.Any = None) -> tuple[typing.Any, ...]:
        ...
    def load(self, file: SafeTensors) -> None:
        ...
    def load_optimizer(self, file: SafeTensors, optimizer: Optimizer) -> None:
        ...
    def loss(self, x: numpy.ndarray, y: numpy.ndarray, w: typing.Any = None) -> float:
        ...
    def predict(self, x: numpy.ndarray, first_row: typing.SupportsInt | typing.SupportsIndex = 0) -> numpy.typing.NDArray[numpy.int64]:
        ...
    def save(self, path: str, optimizer: Optimizer, torch_names: bool, more: collections.abc.Mapping[str, str]) -> None:
        ...
    def step(self, x: numpy.ndarray, y: numpy.ndarray, optimizer: Optimizer, w: typing.Any = None) -> float:
        ...
    def trust(self, x: numpy.ndarray) -> None:
        ...
    def weight(self, layer: typing.SupportsInt | typing.SupportsIndex) -> numpy.ndarray:
        ...
    @property
    def activations(self) -> tuple[typing.Any, ...]:
        ...
    @property
    def epochs(self) -> int:
        ...
    @epochs.setter
    def epochs(self, arg1: typing.SupportsInt | typing.SupportsIndex) -> None:
        ...
    @property
    def seed(self) -> int:
        ...
def activation_derivative(name: str, z: typing.Any, out: typing.Any = None) -> numpy.ndarray:
    ...
def activation_evaluate(name: str, z: typing.Any, out: typing.Any = None) -> numpy.ndarray:
    ...
def activation_gain(name: str) -> float:
    ...
def activation_names() -> list[str]:
    ...
def activation_softmax(z: typing.Any, out: typing.Any, logarithm: bool) -> numpy.ndarray:
    ...
def activation_traits(text: str) -> ActivationTraits:
    ...
def active_isa() -> str:
    ...
def array_from_dlpack(x: typing.Any, name: str) -> tuple[typing.Any, ...]:
    ...
def as_target(out: typing.Any) -> tuple[numpy.ndarray, str]:
    """
    A NumPy array over the memory of an array, a buffer or a tensor, and its format.
    """
def available_isas() -> list[str]:
    ...
def check_fill(law: Law, shape: typing.Any, array: numpy.ndarray, dtype: typing.Any, block: tuple[collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex], collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex]] | None, in_axis: typing.Any, out_axis: typing.Any, batch_axis: typing.Any) -> None:
    ...
def check_targets(loss: str, y: numpy.ndarray, rows: typing.SupportsInt | typing.SupportsIndex, outputs: typing.SupportsInt | typing.SupportsIndex) -> None:
    ...
def compute_alone(alone: bool) -> bool:
    ...
def dense_backward(da: typing.Any, x: typing.Any, w: typing.Any, z: typing.Any, activation: str, need_dx: bool, need_dw: bool, need_db: bool, need_dz: bool, out_dx: typing.Any, out_dw: typing.Any, out_db: typing.Any, out_dz: typing.Any, accumulate: bool) -> tuple[typing.Any, ...]:
    ...
def dense_forward(x: typing.Any, w: typing.Any, b: typing.Any, activation: str, keep_z: bool, out_a: typing.Any, out_z: typing.Any, stats: tuple[SummaryOptions, SummaryOptions] | None) -> tuple[typing.Any, ...]:
    ...
def describe(law: Law, shape: typing.Any, in_axis: typing.Any, out_axis: typing.Any, batch_axis: typing.Any) -> dict[str, typing.Any]:
    ...
def draw(law: Law, shape: typing.Any, seed: typing.Any, stream: typing.Any, dtype: typing.Any, out: typing.Any, block: tuple[collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex], collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex]] | None, in_axis: typing.Any, out_axis: typing.Any, batch_axis: typing.Any) -> typing.Any:
    ...
def evaluate_loss(name: str, z: numpy.ndarray, y: numpy.ndarray, dz: numpy.ndarray) -> float:
    ...
def fill_normal(out: numpy.ndarray, seed: typing.SupportsInt | typing.SupportsIndex, stream: typing.SupportsInt | typing.SupportsIndex, first_index: typing.SupportsInt | typing.SupportsIndex, mean: typing.SupportsFloat | typing.SupportsIndex, std: typing.SupportsFloat | typing.SupportsIndex) -> None:
    ...
def fill_uniform(out: numpy.ndarray, seed: typing.SupportsInt | typing.SupportsIndex, stream: typing.SupportsInt | typing.SupportsIndex, first_index: typing.SupportsInt | typing.SupportsIndex, low: typing.SupportsFloat | typing.SupportsIndex, high: typing.SupportsFloat | typing.SupportsIndex) -> None:
    ...
def fresh_seed() -> int:
    ...
def law_from_text(text: str) -> Law:
    ...
def law_names() -> list[str]:
    ...
def law_traits(name: str) -> LawTraits:
    ...
def loss_names() -> list[str]:
    ...
def num_threads() -> int:
    ...
def own_stream(name: str) -> int:
    ...
def pack_weight(w: typing.Any) -> typing.Any:
    ...
def permutation(out: numpy.ndarray, seed: typing.SupportsInt | typing.SupportsIndex, stream: typing.SupportsInt | typing.SupportsIndex, round: typing.SupportsInt | typing.SupportsIndex = 0) -> None:
    ...
def philox_words(out: numpy.ndarray, seed: typing.SupportsInt | typing.SupportsIndex, stream: typing.SupportsInt | typing.SupportsIndex, first_block: typing.SupportsInt | typing.SupportsIndex = 0) -> None:
    ...
def seed_number(seed: typing.Any) -> int:
    ...
def set_isa(name: str) -> None:
    ...
def set_num_threads(n: typing.SupportsInt | typing.SupportsIndex) -> None:
    ...
def sizes(shape: typing.Any) -> list[int]:
    ...
def stream_id(stream: typing.Any) -> int:
    ...
def summarize(x: numpy.ndarray, options: SummaryOptions, is_bfloat16: bool = False) -> Summary:
    ...
def summarize_axes(x: numpy.ndarray, axes: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex], options: SummaryOptions) -> list[Summary]:
    ...
def summarize_stored(path: bytes, offset: typing.SupportsInt | typing.SupportsIndex, dtype: str, shape: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex], options: SummaryOptions, heads: numpy.ndarray | None = None, deviations: typing.SupportsFloat | typing.SupportsIndex = 0.0) -> tuple[Summary, int]:
    ...
def unknown_law(name: str) -> str:
    ...
def with_histogram(x: numpy.ndarray, found: Summary, options: SummaryOptions) -> Summary:
    ...
ALGORITHM_VERSION: int = 2
COMPILER: str
SUM_BLOCK: int = 512
__version__: str = '0.1.0'
