/*
 * The main() of a fuzz target that is run as a test: the empty input, then each file of the folder
 * of kept cases, in the order of their names, one line of TAP each. A case that is still wrong ends
 * the process in its middle, and its name is the last one printed.
 *
 *	replay_cel_parse tests/fuzz/regression/cel_parse
 */
#include <dirent.h>
#include <stdbool.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "tests/fuzz/fuzz.h"

#define CASE_BYTES_MAX (1 << 20)

static void free_names(struct dirent **names, int n)
{
	for (int i = 0; i < n; i++)
		free(names[i]);
	free(names);
}

static int is_case(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

/* In a block of exactly its size, so that a sanitizer sees a byte too far. */
static bool replay(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data = malloc(CASE_BYTES_MAX);
	uint8_t *exact = NULL;
	size_t n = 0;
	bool ok = f && data;

	if (ok) {
		n = fread(data, 1, CASE_BYTES_MAX, f);
		ok = !ferror(f) && feof(f);
	}
	exact = ok ? malloc(n ? n : 1) : NULL;
	ok = exact != NULL;
	if (ok) {
		memcpy(exact, data, n);
		LLVMFuzzerTestOneInput(exact, n);
	}
	free(exact);
	free(data);
	if (f)
		fclose(f);
	return ok;
}

int main(int argc, char **argv)
{
	struct dirent **names = NULL;
	int n, n_bad = 0;

	if (argc != 2) {
		fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
		return 2;
	}
	n = scandir(argv[1], &names, is_case, alphasort);
	if (n < 0) {
		perror(argv[1]);
		return 2;
	}
	printf("1..%d\n", n + 1);
	LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
	printf("ok 1 - nothing at all\n");
	for (int i = 0; i < n; i++) {
		char path[4096];
		bool ok;

		snprintf(path, sizeof(path), "%s/%s", argv[1], names[i]->d_name);
		printf("# %s\n", names[i]->d_name);
		fflush(stdout);
		ok = replay(path);
		n_bad += !ok;
		printf("%s %d - %s\n", ok ? "ok" : "not ok", i + 2, names[i]->d_name);
	}
	free_names(names, n);
	return n_bad != 0;
}
