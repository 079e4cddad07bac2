/* replay.h - a main for a fuzz target without libFuzzer: replays the files it is given, one after the other.
 *
 * Use:
 *     #ifdef FUZZ_REPLAY
 *     #include "tests/fuzz/replay.h"
 *     #endif
 *
 * Ownership:      each input is a block of its own size, so that a sanitizer sees a read past its end.
 * Thread-safety:  the main thread.
 * Errors:         the exit status is 2 when a file cannot be read.
 */
#ifndef TESTS_FUZZ_REPLAY_H
#define TESTS_FUZZ_REPLAY_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { REPLAY_SIZE_MAX = 1 << 20 };

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		uint8_t *data = malloc(REPLAY_SIZE_MAX);
		FILE *file = fopen(argv[i], "rb");
		size_t size;

		if (!file || !data) {
			perror(argv[i]);
			return 2;
		}
		size = fread(data, 1, REPLAY_SIZE_MAX, file);
		fclose(file);
		data = realloc(data, size + !size);
		LLVMFuzzerTestOneInput(data, size);
		free(data);
	}
	printf("%d inputs replayed\n", argc - 1);
	return 0;
}

#endif
