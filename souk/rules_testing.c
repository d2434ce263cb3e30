/* `souk rules test`: the tests inside rulesets, as TAP. A failed one says under it what it expected
 * and what came. */
#include <errno.h>
#include <stdio.h>

#include "pricing/rules_test.h"
#include "souk/args.h"
#include "souk/rules_file.h"

#define FILES_MAX  256
#define REPORT_MAX (16 * 1024 * 1024)

struct testing {
	const char *file;
	size_t number; /* over all files */
	struct json_out *json;
};

static void print_tap(const struct testing *t, const struct rules_test_outcome *o)
{
	printf("%sok %zu - %s: " STR_FMT "\n", o->is_passed ? "" : "not ", t->number, t->file,
		STR_ARG(o->id));
	if (o->is_passed)
		return;
	printf("# ");
	for (size_t i = 0; i < o->what.n; i++) {
		putchar(o->what.p[i]);
		if (o->what.p[i] == '\n')
			printf("# ");
	}
	putchar('\n');
}

static void each(void *ctx, const struct rules_test_outcome *o)
{
	struct testing *t = ctx;

	t->number++;
	if (!t->json) {
		print_tap(t, o);
		return;
	}
	json_begin(t->json, NULL);
	json_str(t->json, "id", o->id);
	json_bool(t->json, "passed", o->is_passed);
	if (!o->is_passed)
		json_str(t->json, "what", o->what);
	json_end(t->json);
}

/* No test of it can run: that is one failure, so that nobody takes none for all. */
static int refused(struct testing *t, const struct findings *findings, size_t *n_failed)
{
	CLEANUP(buf_fini) struct buf out = BUF_INIT(REPORT_MAX);
	struct json_out j = JSON_OUT(&out);

	t->number++;
	++*n_failed;
	if (t->json) {
		json_begin(&j, NULL);
		json_strz(&j, "file", t->file);
		json_bool(&j, "refused", true);
		findings_json(&j, "findings", findings);
		json_end(&j);
		printf(STR_FMT "\n", STR_ARG(buf_str(&out)));
		return EXIT_FAILED;
	}
	printf("not ok %zu - %s: the document is refused\n", t->number, t->file);
	findings_print(&out, findings, t->file);
	rules_print(&out, stderr);
	return EXIT_FAILED;
}

static int run_tests(struct testing *t, const struct ruleset *r, struct json_out *j,
	size_t *ret_passed, size_t *ret_failed)
{
	int code;

	if (!j)
		return rules_test_run(r, NULL, each, t, ret_passed, ret_failed);
	json_begin(j, NULL);
	json_strz(j, "file", t->file);
	json_begin_array(j, "tests");
	code = rules_test_run(r, NULL, each, t, ret_passed, ret_failed);
	json_end_array(j);
	json_u64(j, "passed", *ret_passed);
	json_u64(j, "failed", *ret_failed);
	json_end(j);
	return code;
}

static int test_file(struct testing *t, size_t *n_failed)
{
	CLEANUP(findings_fini) struct findings findings = FINDINGS_INIT;
	CLEANUP(ruleset_free) struct ruleset *r = NULL;
	CLEANUP(buf_fini) struct buf out = BUF_INIT(REPORT_MAX);
	struct json_out j = JSON_OUT(&out);
	struct fault f = { 0 };
	size_t passed = 0, failed = 0;
	int code = rules_file_load(&r, t->file, &findings, &f);

	if (code == -EINVAL)
		return refused(t, &findings, n_failed);
	if (!code) {
		const bool is_json = t->json;

		t->json = is_json ? &j : NULL;
		code = run_tests(t, r, t->json, &passed, &failed);
		if (is_json && !code)
			printf(STR_FMT "\n", STR_ARG(buf_str(&out)));
		if (code)
			fault_set(&f, FAULT_FATAL, code, "out of memory");
	}
	if (code) {
		fprintf(stderr, "souk rules test: %s\n", f.text);
		return EXIT_USAGE;
	}
	*n_failed += failed;
	return failed ? EXIT_FAILED : EXIT_DONE;
}

static int run(int argc, char **argv)
{
	const char *files[FILES_MAX];
	struct args_words words = { .v = files, .least = 1, .max = FILES_MAX, .what = "FILE" };
	struct json_out is_json = { 0 };
	struct testing t = { 0 };
	struct args a;
	size_t n_failed = 0;
	int r = args_parse_words(&a, &command_rules_test, argc, argv, NULL, 0, &words);
	int ret = EXIT_DONE;

	if (r)
		return r - 1;
	for (size_t i = 0; i < words.n; i++) {
		t.file = files[i];
		t.json = a.json ? &is_json : NULL;
		r = test_file(&t, &n_failed);
		ret = r > ret ? r : ret;
	}
	if (a.json)
		return ret;
	printf("1..%zu\n# %zu passed, %zu failed\n", t.number, t.number - n_failed, n_failed);
	return ret;
}

const struct command command_rules_test = { "rules test", "the tests inside rulesets",
	"FILE… [--json]", run, false };
