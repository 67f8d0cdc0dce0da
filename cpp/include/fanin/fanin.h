/* fanin from C, and from every language that calls C: the same core, the same bits.
 *
 * Every function that can fail returns a fanin_status; fanin_last_error() then has the words, for the calling thread. No
 * exception leaves a call. Arrays are in C order; weights are (n_out, n_in). `dtype` says what a void pointer points to.
 * Handles may be used by one thread at a time (FANIN_BUSY where a network is at work elsewhere), a predictor by any number.
 * The words of laws, activations, losses and optimizers are those of Python and C++: "he_normal(gain=2)", "leaky_relu(0.2)",
 * "cross_entropy", "adam". Arguments of size 0 are allowed where they make sense, and their pointers may then be null. */
#ifndef FANIN_FANIN_H
#define FANIN_FANIN_H

#include <stddef.h>
#include <stdint.h>

#if !defined(FANIN_C_API)
#if defined(FANIN_SHARED) && defined(__GNUC__)
#define FANIN_C_API __attribute__((visibility("default")))
#else
#define FANIN_C_API
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef enum fanin_status {
    FANIN_OK = 0,
    FANIN_INVALID_ARGUMENT = 1, /* nothing was written */
    FANIN_OUT_OF_MEMORY = 2,
    FANIN_SYSTEM_ERROR = 3, /* a file that cannot be read or written */
    FANIN_BUSY = 4,         /* the network is at work in another thread */
    FANIN_INTERNAL_ERROR = 5
} fanin_status;

typedef enum fanin_dtype {
    FANIN_FLOAT32 = 0,
    FANIN_FLOAT64 = 1,
    FANIN_FLOAT16 = 2,
    FANIN_BFLOAT16 = 3,
    FANIN_DTYPE_RANGE = 0x7fffffff /* no dtype: it makes every wrong number one that can be looked at, and refused */
} fanin_dtype;

/* What went wrong in the last call of this thread that failed; never null, valid until the next one. */
FANIN_C_API const char* fanin_last_error(void);
FANIN_C_API const char* fanin_version(void); /* "0.1.0" */
FANIN_C_API int fanin_algorithm_version(void);

/* ------------------------------------------------------------------------------------------------ the process */

/* The instruction set in use, and the choice of another, by the names of isa.hpp. Bits never depend on it. */
FANIN_C_API const char* fanin_active_isa(void);
FANIN_C_API fanin_status fanin_set_isa(const char* name);
FANIN_C_API size_t fanin_num_threads(void);
FANIN_C_API fanin_status fanin_set_num_threads(size_t n); /* 1 .. 1024 */
/* Ends the threads of the library; the next large call starts new ones. */
FANIN_C_API fanin_status fanin_shutdown_threads(void);
/* Hands large calls to threads of the caller: `run` calls task(body, i) once for each i < n_tasks, on any threads, and
 * returns when all are done. Tasks do not throw. Null: the library's own threads again. */
typedef void (*fanin_task)(void* body, size_t index);
typedef void (*fanin_executor)(void* context, size_t n_tasks, fanin_task task, void* body);
FANIN_C_API fanin_status fanin_set_executor(fanin_executor run, void* context);

/* ------------------------------------------------------------------------------------------------ sampling */

/* The stream of a parameter's name. */
FANIN_C_API fanin_status fanin_stream_id(const char* name, uint64_t* stream);
/* Draws `law` into an array of that shape, (n_out, n_in, ...). dtype: any. */
FANIN_C_API fanin_status fanin_fill(fanin_dtype dtype, void* out, const size_t* shape, size_t rank, const char* law,
                                    uint64_t seed, uint64_t stream);
/* Draws a part: `shape` elements, `strides` elements apart (null: C order), that stand at `offset` in a parameter of shape
 * `whole`. The bits are those of the whole, so that shards drawn apart fit together. */
FANIN_C_API fanin_status fanin_fill_part(fanin_dtype dtype, void* out, const size_t* shape, const ptrdiff_t* strides,
                                         size_t rank, const char* law, uint64_t seed, uint64_t stream, const size_t* whole,
                                         const size_t* offset);

/* ------------------------------------------------------------------------------------------------ layers and statistics */

/* dtype of everything below: FANIN_FLOAT32 or FANIN_FLOAT64. out may be z. */
FANIN_C_API fanin_status fanin_activate(fanin_dtype dtype, const char* activation, size_t n, const void* z, void* out);
FANIN_C_API fanin_status fanin_activation_derivative(fanin_dtype dtype, const char* activation, size_t n, const void* z,
                                                     void* out);
FANIN_C_API fanin_status fanin_gain(const char* activation, double* gain);

/* z = x w^T + b, a = g(z). x (batch, n_in), w (n_out, n_in), b (n_out) or null, a and z (batch, n_out); z may be null. */
FANIN_C_API fanin_status fanin_dense_forward(fanin_dtype dtype, size_t batch, size_t n_in, size_t n_out, const void* x,
                                             const void* w, const void* b, const char* activation, void* a, void* z);
/* dz = da g'(z); dx = dz w, dw = dz^T x, db = the sum of dz. Each of dx, dw, db may be null; so may z, for "identity". */
FANIN_C_API fanin_status fanin_dense_backward(fanin_dtype dtype, size_t batch, size_t n_in, size_t n_out, const void* da,
                                              const void* x, const void* w, const void* z, const char* activation, void* dx,
                                              void* dw, void* db);

typedef struct fanin_summary {
    uint64_t count, nans, infs, zeros, subnormals;
    double mean, m2, m3, m4; /* of the finite elements: sums of (x - mean)^r */
    double min, max;
    double var, std, rms, skewness, kurtosis; /* var divides by n; the kurtosis of a normal law is 3 */
} fanin_summary;
/* Summarizes n elements. `powers`: null, or 513 counts over signed powers of two (fanin/stats.hpp). */
FANIN_C_API fanin_status fanin_summarize(fanin_dtype dtype, size_t n, const void* x, fanin_summary* summary, uint64_t* powers);

/* ------------------------------------------------------------------------------------------------ networks */

typedef struct fanin_network fanin_network;
typedef struct fanin_optimizer fanin_optimizer;
typedef struct fanin_predictor fanin_predictor;

/* A network of zeros: n_sizes widths, n_sizes - 2 activations, a loss, biases or none. */
FANIN_C_API fanin_status fanin_network_create(fanin_dtype dtype, const size_t* sizes, size_t n_sizes,
                                              const char* const* activations, const char* loss, int bias, uint64_t seed,
                                              fanin_network** network);
/* What fanin_network_save, Network.save of Python or Network::save of C++ wrote. */
FANIN_C_API fanin_status fanin_network_load(const char* path, fanin_dtype dtype, fanin_network** network);
FANIN_C_API fanin_status fanin_network_save(fanin_network* network, const char* path);
FANIN_C_API void fanin_network_free(fanin_network* network); /* null is allowed, here and below */
FANIN_C_API size_t fanin_network_layers(const fanin_network* network);
FANIN_C_API size_t fanin_network_inputs(const fanin_network* network);
FANIN_C_API size_t fanin_network_outputs(const fanin_network* network);
/* The parameters of a layer, live, in C order: w (rows, cols); b has `rows` elements, or is null without biases. */
FANIN_C_API fanin_status fanin_network_parameters(fanin_network* network, size_t layer, void** w, void** b, size_t* rows,
                                                  size_t* cols);
FANIN_C_API fanin_status fanin_network_draw(fanin_network* network, const char* law);
FANIN_C_API fanin_status fanin_network_forward(fanin_network* network, const void* x, size_t rows, void* logits);
FANIN_C_API fanin_status fanin_network_predict(fanin_network* network, const void* x, size_t rows, int64_t* labels);
/* Targets: `labels` (rows) for cross_entropy, else `values` (rows, outputs); the other one is null. */
FANIN_C_API fanin_status fanin_network_loss(fanin_network* network, const void* x, size_t rows, const int64_t* labels,
                                            const void* values, double* cost);
/* One update; `cost` (may be null) is that before it. */
FANIN_C_API fanin_status fanin_network_step(fanin_network* network, const void* x, size_t rows, const int64_t* labels,
                                            const void* values, fanin_optimizer* optimizer, double* cost);

/* "sgd", "rmsprop", "adam", "adagrad"; n hyper-parameters by name. clip_norm 0: none. */
FANIN_C_API fanin_status fanin_optimizer_create(const char* rule, double lr, const char* const* names, const double* values,
                                                size_t n, double clip_norm, fanin_optimizer** optimizer);
FANIN_C_API fanin_status fanin_optimizer_set_lr(fanin_optimizer* optimizer, double lr);
FANIN_C_API void fanin_optimizer_free(fanin_optimizer* optimizer);

/* ------------------------------------------------------------------------------------------------ predictors */

/* A network packed for rows of 1 to 64, that never changes (fanin/predictor.hpp). */
FANIN_C_API fanin_status fanin_predictor_create(const fanin_network* network, fanin_predictor** predictor);
FANIN_C_API fanin_status fanin_predictor_load(const char* path, fanin_dtype dtype, fanin_predictor** predictor);
FANIN_C_API void fanin_predictor_free(fanin_predictor* predictor);
FANIN_C_API size_t fanin_predictor_inputs(const fanin_predictor* predictor);
FANIN_C_API size_t fanin_predictor_outputs(const fanin_predictor* predictor);
/* Elements that a call of so many rows works in. */
FANIN_C_API size_t fanin_predictor_workspace(const fanin_predictor* predictor, size_t rows);
/* Writes the logits, (rows, outputs). workspace null: the stack serves. Allocates nothing, waits for nothing. */
FANIN_C_API fanin_status fanin_predictor_predict(const fanin_predictor* predictor, const void* x, size_t rows, void* logits,
                                                 void* workspace, size_t workspace_size);

#ifdef __cplusplus
}
#endif

#endif
