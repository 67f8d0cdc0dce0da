/* Scores rows of standard input with a saved network: score FILE. A row is a line of numbers; the answer is a line of logits.
 */
#include <fanin/fanin.h>
#include <stdio.h>
#include <stdlib.h>

static int complain(void) {
    fprintf(stderr, "%s\n", fanin_last_error());
    return 1;
}

int main(int argc, char** argv) {
    fanin_predictor* predictor = NULL;
    if (fanin_predictor_load(argc > 1 ? argv[1] : "spirals.safetensors", FANIN_FLOAT32, &predictor) != FANIN_OK)
        return complain();
    const size_t inputs = fanin_predictor_inputs(predictor), outputs = fanin_predictor_outputs(predictor);
    const size_t needed = fanin_predictor_workspace(predictor, 1);
    float* memory = malloc((inputs + outputs + needed) * sizeof *memory);
    if (memory == NULL) return 1;
    float *x = memory, *logits = x + inputs, *workspace = logits + outputs;
    int status = 0;
    for (size_t column = 0; status == 0 && scanf("%f", x + column) == 1;) {
        if (++column != inputs) continue;
        column = 0;
        if (fanin_predictor_predict(predictor, x, 1, logits, workspace, needed) != FANIN_OK) status = complain();
        for (size_t i = 0; status == 0 && i < outputs; ++i) printf(i + 1 == outputs ? "%.9g\n" : "%.9g ", (double)logits[i]);
    }
    free(memory);
    fanin_predictor_free(predictor);
    return status;
}
