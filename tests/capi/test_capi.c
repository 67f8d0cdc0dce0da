/* The C API as a program in C11 sees it: each function once, the errors, and results that are known. */
#include <fanin/fanin.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures = 0;
#define CHECK(condition)                                                                    \
    do {                                                                                    \
        if (!(condition)) {                                                                 \
            printf("%s:%d: %s (%s)\n", __FILE__, __LINE__, #condition, fanin_last_error()); \
            ++failures;                                                                     \
        }                                                                                   \
    } while (0)
#define OK(call) CHECK((call) == FANIN_OK)
#define REFUSED(call, words) CHECK((call) == FANIN_INVALID_ARGUMENT && strstr(fanin_last_error(), words) != NULL)

static void process(void) {
    CHECK(strcmp(fanin_version(), "0.1.0") == 0);
    CHECK(fanin_algorithm_version() >= 1);
    CHECK(strlen(fanin_active_isa()) > 0);
    OK(fanin_set_num_threads(2));
    CHECK(fanin_num_threads() == 2);
    REFUSED(fanin_set_num_threads(0), "1 .. 1024, got 0");
    REFUSED(fanin_set_isa("avx9"), "avx9");
    REFUSED(fanin_set_isa(NULL), "name must not be null");
}

static void sampling(void) {
    enum { kRows = 30, kCols = 20 };
    const size_t shape[] = {kRows, kCols}, part[] = {10, kCols}, offset[] = {15, 0};
    float w[kRows * kCols], shard[10 * kCols], turned[kRows * kCols];
    double wide[kRows * kCols];
    uint16_t half[kRows * kCols];
    uint64_t stream = 0;
    OK(fanin_stream_id("0.weight", &stream));
    REFUSED(fanin_stream_id("fanin/own", &stream), "fanin/");
    OK(fanin_fill(FANIN_FLOAT32, w, shape, 2, "he_normal(gain=2)", 7, stream));
    OK(fanin_fill(FANIN_FLOAT64, wide, shape, 2, "he_normal", 7, stream));
    OK(fanin_fill(FANIN_FLOAT16, half, shape, 2, "he_normal", 7, stream));
    OK(fanin_fill(FANIN_BFLOAT16, half, shape, 2, "he_normal", 7, stream));
    OK(fanin_fill_part(FANIN_FLOAT32, shard, part, NULL, 2, "he_normal(gain=2)", 7, stream, shape, offset));
    CHECK(memcmp(shard, w + 15 * kCols, sizeof shard) == 0);
    const ptrdiff_t columns[] = {1, kRows};
    OK(fanin_fill_part(FANIN_FLOAT32, turned, shape, columns, 2, "he_normal(gain=2)", 7, stream, NULL, NULL));
    CHECK(turned[3 + 5 * kRows] == w[3 * kCols + 5]);
    REFUSED(fanin_fill(FANIN_FLOAT32, w, shape, 2, "he_norml", 7, stream), "he_normal");
    REFUSED(fanin_fill((fanin_dtype)9, w, shape, 2, "he_normal", 7, stream), "dtype");
    REFUSED(fanin_fill(FANIN_FLOAT32, NULL, shape, 2, "he_normal", 7, stream), "out must not be null");
    REFUSED(fanin_fill(FANIN_FLOAT32, w, shape, 2, NULL, 7, stream), "law must not be null");
    REFUSED(fanin_fill_part(FANIN_FLOAT32, shard, part, NULL, 2, "he_normal", 7, stream, shape, NULL), "offset");
}

static void layers(void) {
    const float x[] = {1, 2, 3, -1, 0, 1}, w[] = {1, 0, 0, 0, 1, 1}, b[] = {0.5f, -6};
    float a[4], z[4], dz[] = {1, 1, 1, 1}, dx[6], dw[6], db[2];
    OK(fanin_dense_forward(FANIN_FLOAT32, 2, 3, 2, x, w, b, "relu", a, z));
    CHECK(z[0] == 1.5f && z[1] == -1.0f && z[2] == -0.5f && z[3] == -5.0f);
    CHECK(a[0] == 1.5f && a[1] == 0.0f && a[2] == 0.0f && a[3] == 0.0f);
    OK(fanin_dense_backward(FANIN_FLOAT32, 2, 3, 2, dz, x, w, z, "relu", dx, dw, db));
    CHECK(db[0] == 1.0f && db[1] == 0.0f && dw[0] == 1.0f && dw[2] == 3.0f && dx[0] == 1.0f && dx[3] == 0.0f);
    REFUSED(fanin_dense_backward(FANIN_FLOAT32, 2, 3, 2, dz, x, w, NULL, "relu", dx, dw, db), "z must be given");
    REFUSED(fanin_dense_forward(FANIN_FLOAT32, 2, 3, 2, NULL, w, b, "relu", a, z), "x must not be null");
    REFUSED(fanin_dense_forward(FANIN_FLOAT32, SIZE_MAX, 3, 2, x, w, b, "relu", a, z), "2^60");
    double y[] = {0, 1, -1}, g = 0;
    OK(fanin_activate(FANIN_FLOAT64, "tanh", 3, y, y));
    CHECK(y[0] == 0 && fabs(y[1] - tanh(1)) < 1e-15 && y[2] == -y[1]);
    OK(fanin_activation_derivative(FANIN_FLOAT64, "leaky_relu(0.25)", 3, y, y));
    CHECK(y[1] == 1 && y[2] == 0.25);
    OK(fanin_gain("relu", &g));
    CHECK(fabs(g - sqrt(2.0)) < 1e-15);
    REFUSED(fanin_activate(FANIN_FLOAT16, "tanh", 3, y, y), "FANIN_FLOAT32 or FANIN_FLOAT64");
    REFUSED(fanin_gain("tahn", &g), "did you mean 'tanh'?");
    fanin_summary s;
    uint64_t powers[513];
    OK(fanin_summarize(FANIN_FLOAT32, 6, x, &s, powers));
    CHECK(s.count == 6 && s.zeros == 1 && s.mean == 1.0 && s.min == -1 && s.max == 3 && powers[256] == 1);
    OK(fanin_summarize(FANIN_FLOAT32, 0, NULL, &s, NULL));
    CHECK(s.count == 0 && s.mean != s.mean);
}

static void networks(const char* path) {
    const size_t sizes[] = {4, 8, 3};
    const char* const activations[] = {"tanh"};
    fanin_network *network = NULL, *loaded = NULL, *none = NULL;
    fanin_optimizer* adam = NULL;
    const char* const names[] = {"beta1"};
    const double values[] = {0.8};
    float x[12], logits[9], again[9];
    const int64_t labels[] = {0, 2, 1};
    int64_t predicted[3];
    for (int i = 0; i < 12; ++i) x[i] = (float)(i % 5) - 2;
    REFUSED(fanin_network_create(FANIN_FLOAT32, sizes, 3, activations, "cross_entrpy", 1, 5, &none), "cross_entropy");
    REFUSED(fanin_network_create(FANIN_FLOAT32, sizes, 1, NULL, "cross_entropy", 1, 5, &none), "sizes");
    CHECK(none == NULL);
    OK(fanin_network_create(FANIN_FLOAT32, sizes, 3, activations, "cross_entropy", 1, 5, &network));
    CHECK(fanin_network_layers(network) == 2 && fanin_network_inputs(network) == 4 && fanin_network_outputs(network) == 3);
    OK(fanin_network_draw(network, "xavier_normal"));
    OK(fanin_optimizer_create("adam", 0.05, names, values, 1, 0, &adam));
    double first = 0, last = 0;
    OK(fanin_network_step(network, x, 3, labels, NULL, adam, &first));
    for (int i = 0; i < 50; ++i) OK(fanin_network_step(network, x, 3, labels, NULL, adam, NULL));
    OK(fanin_network_loss(network, x, 3, labels, NULL, &last));
    CHECK(last < 0.5 * first);
    OK(fanin_network_predict(network, x, 3, predicted));
    CHECK(memcmp(predicted, labels, sizeof labels) == 0);
    OK(fanin_network_forward(network, x, 3, logits));
    void *w = NULL, *b = NULL;
    size_t rows = 0, cols = 0;
    OK(fanin_network_parameters(network, 0, &w, &b, &rows, &cols));
    CHECK(w != NULL && b != NULL && rows == 8 && cols == 4);
    REFUSED(fanin_network_parameters(network, 2, &w, &b, &rows, &cols), "layer");
    REFUSED(fanin_network_step(network, x, 3, NULL, x, adam, NULL), "labels must not be null");
    OK(fanin_optimizer_set_lr(adam, 0.01));
    REFUSED(fanin_optimizer_create("adam", -1, NULL, NULL, 0, 0, &adam), "lr");

    OK(fanin_network_save(network, path));
    OK(fanin_network_load(path, FANIN_FLOAT32, &loaded));
    OK(fanin_network_forward(loaded, x, 3, again));
    CHECK(memcmp(logits, again, sizeof logits) == 0);
    CHECK(fanin_network_load("no such file", FANIN_FLOAT32, &none) == FANIN_SYSTEM_ERROR);
    CHECK(fanin_network_save(network, "no such folder/file") == FANIN_SYSTEM_ERROR);

    fanin_predictor *predictor = NULL, *from_file = NULL;
    OK(fanin_predictor_create(network, &predictor));
    OK(fanin_predictor_load(path, FANIN_FLOAT32, &from_file));
    CHECK(fanin_predictor_inputs(predictor) == 4 && fanin_predictor_outputs(predictor) == 3);
    const size_t needed = fanin_predictor_workspace(predictor, 3);
    float* space = malloc(needed * sizeof *space);
    CHECK(space != NULL);
    memset(again, 0, sizeof again);
    OK(fanin_predictor_predict(predictor, x, 3, again, space, needed));
    CHECK(memcmp(logits, again, sizeof logits) == 0);
    memset(again, 0, sizeof again);
    OK(fanin_predictor_predict(from_file, x, 3, again, NULL, 0));
    CHECK(memcmp(logits, again, sizeof logits) == 0);
    REFUSED(fanin_predictor_predict(predictor, x, 0, again, NULL, 0), "rows");
    REFUSED(fanin_predictor_predict(predictor, x, 65, again, NULL, 0), "rows");
    REFUSED(fanin_predictor_predict(predictor, x, 3, again, space, needed - 1), "workspace");
    free(space);
    fanin_predictor_free(predictor);
    fanin_predictor_free(from_file);
    fanin_predictor_free(NULL);
    fanin_network_free(network);
    fanin_network_free(loaded);
    fanin_network_free(NULL);
    fanin_optimizer_free(adam);
    fanin_optimizer_free(NULL);
    remove(path);
}

static size_t executed = 0;
static void execute(void* context, size_t n_tasks, fanin_task task, void* body) {
    ++*(size_t*)context;
    for (size_t i = 0; i < n_tasks; ++i) task(body, i);
}

static void threads(void) {
    static float w[1 << 18], again[1 << 18];
    const size_t shape[] = {1 << 18};
    OK(fanin_fill(FANIN_FLOAT32, w, shape, 1, "normal(std=1)", 7, 1));
    OK(fanin_set_executor(execute, &executed));
    OK(fanin_fill(FANIN_FLOAT32, again, shape, 1, "normal(std=1)", 7, 1));
    CHECK(executed == 1 && memcmp(w, again, sizeof w) == 0);
    OK(fanin_set_executor(NULL, NULL));
    OK(fanin_shutdown_threads());
}

int main(int argc, char** argv) {
    process();
    sampling();
    layers();
    networks(argc > 1 ? argv[1] : "test_capi.safetensors");
    threads();
    printf("%d failures\n", failures);
    return failures != 0;
}
