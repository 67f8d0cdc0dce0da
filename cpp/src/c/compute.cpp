// The C API of the process, sampling, layers and statistics.
#include <algorithm>
#include <cstring>
#include <new>
#include <stdexcept>
#include <system_error>
#include <vector>

#include "c/guarded.hpp"
#include "fanin/activation.hpp"
#include "fanin/dense.hpp"
#include "fanin/float16.hpp"
#include "fanin/init.hpp"
#include "fanin/isa.hpp"
#include "fanin/random.hpp"
#include "fanin/stats.hpp"
#include "fanin/threads.hpp"
#include "fanin/version.hpp"
#include "message.hpp"

namespace fanin::c {
namespace {

constexpr std::size_t kWords = 1024;
thread_local char t_words[kWords] = "";

template <class T>
void fill_part(void* out, std::span<const std::size_t> shape, std::span<const std::ptrdiff_t> strides, const Law& law, Key key,
               const Part& part) {
    fill<T>(ArrayView<T>{static_cast<T*>(out), shape, strides}, law, key, part);
}

void fill_any(fanin_dtype dtype, void* out, const std::size_t* shape, const std::ptrdiff_t* strides, std::size_t rank,
              const char* law, Key key, const std::size_t* whole, const std::size_t* offset) {
    require(law, "law");
    require(shape, "shape", rank);
    if (rank > kMaxRank) detail::refuse({"rank must be at most ", kMaxRank, ", got ", rank});
    std::size_t n = 1;
    for (std::size_t i = 0; i < rank; ++i) n = elements(n, shape[i]);
    require(out, "out", n);
    std::ptrdiff_t in_order[kMaxRank], stride = 1;
    // Of no element, any strides will do: the other axes may multiply beyond memory.
    for (std::size_t i = rank; i-- > 0; stride *= n == 0 ? 1 : static_cast<std::ptrdiff_t>(shape[i])) in_order[i] = stride;
    const Law drawn = law_from_text(law);
    const std::span<const std::size_t> of{shape, rank};
    const std::span<const std::ptrdiff_t> steps{strides == nullptr ? in_order : strides, rank};
    Part part;
    if (whole != nullptr || offset != nullptr) {
        require(whole, "whole");
        require(offset, "offset");
        part = {{whole, rank}, {offset, rank}};
    }
    switch (dtype) {
        case FANIN_FLOAT32:
            return fill_part<float>(out, of, steps, drawn, key, part);
        case FANIN_FLOAT64:
            return fill_part<double>(out, of, steps, drawn, key, part);
        case FANIN_FLOAT16:
            return fill_part<Float16>(out, of, steps, drawn, key, part);
        case FANIN_BFLOAT16:
            return fill_part<BFloat16>(out, of, steps, drawn, key, part);
        default:
            detail::refuse({"dtype must be one of fanin_dtype, got ", static_cast<int>(dtype)});
    }
}

void keep(const char* words) noexcept {
    const std::size_t n = std::min(std::strlen(words), kWords - 1);
    std::memcpy(t_words, words, n);
    t_words[n] = '\0';
}

}  // namespace

fanin_status caught() noexcept {
    try {
        throw;
    } catch (const std::invalid_argument& error) {
        return keep(error.what()), FANIN_INVALID_ARGUMENT;
    } catch (const std::bad_alloc&) {
        return keep("out of memory"), FANIN_OUT_OF_MEMORY;
    } catch (const std::length_error& error) {
        return keep(error.what()), FANIN_OUT_OF_MEMORY;
    } catch (const std::system_error& error) {
        return keep(error.what()), FANIN_SYSTEM_ERROR;
    } catch (const std::runtime_error& error) {
        return keep(error.what()), FANIN_BUSY;
    } catch (const std::exception& error) {
        return keep(error.what()), FANIN_INTERNAL_ERROR;
    } catch (...) {
        return keep("unknown error"), FANIN_INTERNAL_ERROR;
    }
}

}  // namespace fanin::c

using namespace fanin;
using c::elements;
using c::guarded;
using c::over_float;
using c::require;

const char* fanin_last_error(void) { return c::t_words; }
const char* fanin_version(void) { return FANIN_VERSION; }
int fanin_algorithm_version(void) { return kAlgorithmVersion; }

const char* fanin_active_isa(void) {
    static thread_local char name[32];
    const fanin_status status = guarded([] {
        const std::string active = active_isa();
        name[active.copy(name, sizeof name - 1)] = '\0';
    });
    return status == FANIN_OK ? name : "";
}
fanin_status fanin_set_isa(const char* name) {
    return guarded([=] {
        require(name, "name");
        set_isa(name);
    });
}
size_t fanin_num_threads(void) {
    std::size_t n = 0;
    guarded([&] { n = num_threads(); });
    return n;
}
fanin_status fanin_set_num_threads(size_t n) {
    return guarded([=] { set_num_threads(n); });
}
fanin_status fanin_shutdown_threads(void) {
    return guarded([] { shutdown_threads(); });
}
fanin_status fanin_set_executor(fanin_executor run, void* context) {
    return guarded([=] { set_executor(run, context); });
}

fanin_status fanin_stream_id(const char* name, uint64_t* stream) {
    return guarded([=] {
        require(name, "name");
        require(stream, "stream");
        *stream = stream_id(std::string_view(name));
    });
}
fanin_status fanin_fill(fanin_dtype dtype, void* out, const size_t* shape, size_t rank, const char* law, uint64_t seed,
                        uint64_t stream) {
    return guarded([=] { c::fill_any(dtype, out, shape, nullptr, rank, law, {seed, stream}, nullptr, nullptr); });
}
fanin_status fanin_fill_part(fanin_dtype dtype, void* out, const size_t* shape, const ptrdiff_t* strides, size_t rank,
                             const char* law, uint64_t seed, uint64_t stream, const size_t* whole, const size_t* offset) {
    return guarded([=] { c::fill_any(dtype, out, shape, strides, rank, law, {seed, stream}, whole, offset); });
}

fanin_status fanin_activate(fanin_dtype dtype, const char* activation, size_t n, const void* z, void* out) {
    return guarded([=] {
        require(activation, "activation");
        require(z, "z", n);
        require(out, "out", n);
        over_float(dtype, [&]<class T>(T) {
            activate<T>(activation_from_name(activation), std::span(static_cast<const T*>(z), n), {static_cast<T*>(out), n});
        });
    });
}
fanin_status fanin_activation_derivative(fanin_dtype dtype, const char* activation, size_t n, const void* z, void* out) {
    return guarded([=] {
        require(activation, "activation");
        require(z, "z", n);
        require(out, "out", n);
        over_float(dtype, [&]<class T>(T) {
            activation_derivative<T>(activation_from_name(activation), std::span(static_cast<const T*>(z), n),
                                     {static_cast<T*>(out), n});
        });
    });
}
fanin_status fanin_gain(const char* activation, double* result) {
    return guarded([=] {
        require(activation, "activation");
        require(result, "gain");
        *result = gain(activation_from_name(activation));
    });
}

fanin_status fanin_dense_forward(fanin_dtype dtype, size_t batch, size_t n_in, size_t n_out, const void* x, const void* w,
                                 const void* b, const char* activation, void* a, void* z) {
    return guarded([=] {
        require(activation, "activation");
        require(x, "x", elements(batch, n_in));
        require(w, "w", elements(n_out, n_in));
        require(a, "a", elements(batch, n_out));
        over_float(dtype, [&]<class T>(T) {
            std::optional<VectorView<const T>> bias;
            if (b != nullptr) bias = VectorView<const T>{static_cast<const T*>(b), n_out, 1};
            std::optional<MatrixView<T>> kept;
            if (z != nullptr) kept = matrix_view(static_cast<T*>(z), batch, n_out);
            dense_forward<T>(matrix_view(static_cast<const T*>(x), batch, n_in),
                             matrix_view(static_cast<const T*>(w), n_out, n_in), bias, activation_from_name(activation),
                             matrix_view(static_cast<T*>(a), batch, n_out), kept);
        });
    });
}
fanin_status fanin_dense_backward(fanin_dtype dtype, size_t batch, size_t n_in, size_t n_out, const void* da, const void* x,
                                  const void* w, const void* z, const char* activation, void* dx, void* dw, void* db) {
    return guarded([=] {
        require(activation, "activation");
        require(da, "da", elements(batch, n_out));
        require(x, "x", elements(batch, n_in));
        require(w, "w", elements(n_out, n_in));
        over_float(dtype, [&]<class T>(T) {
            DenseGradients<T> out;
            if (dx != nullptr) out.out_dx = matrix_view(static_cast<T*>(dx), batch, n_in);
            if (dw != nullptr) out.out_dw = matrix_view(static_cast<T*>(dw), n_out, n_in);
            if (db != nullptr) out.out_db = VectorView<T>{static_cast<T*>(db), n_out, 1};
            std::optional<MatrixView<const T>> kept;
            if (z != nullptr) kept = matrix_view(static_cast<const T*>(z), batch, n_out);
            dense_backward<T>(matrix_view(static_cast<const T*>(da), batch, n_out),
                              matrix_view(static_cast<const T*>(x), batch, n_in),
                              matrix_view(static_cast<const T*>(w), n_out, n_in), kept, activation_from_name(activation), out);
        });
    });
}

fanin_status fanin_summarize(fanin_dtype dtype, size_t n, const void* x, fanin_summary* summary, uint64_t* powers) {
    return guarded([=] {
        require(x, "x", n);
        require(summary, "summary");
        over_float(dtype, [&]<class T>(T) {
            SummaryOptions options;
            options.histogram = powers == nullptr ? HistogramKind::none : HistogramKind::powers;
            const Summary s = summarize<T>(VectorView<const T>{static_cast<const T*>(x), n, 1}, options);
            *summary = {s.count, s.nans, s.infs, s.zeros, s.subnormals, s.mean,  s.m2,         s.m3,
                        s.m4,    s.min,  s.max,  s.var(), s.std(),      s.rms(), s.skewness(), s.kurtosis()};
            if (powers != nullptr) std::copy(s.histogram.counts.begin(), s.histogram.counts.end(), powers);
        });
    });
}
