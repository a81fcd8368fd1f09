#ifndef CLIBFUZZER_H
#define CLIBFUZZER_H

#include <stddef.h>
#include <stdint.h>

// libFuzzer as a library: our main chooses the target, then hands over.
typedef int (*fuzz_one_input)(const uint8_t *bytes, size_t count);
int LLVMFuzzerRunDriver(int *count, char ***arguments, fuzz_one_input one_input);

#endif
