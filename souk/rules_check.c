/*
 * `souk rules check`: everything that can be said of a ruleset without an event. The same parser as
 * in pricing, and then the guards: a rule that can only end at one of them is an error here though
 * pricing would load it, because here somebody can still mend it.
 */
#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "common/base/json_out.h"
#include "pricing/rules/guard_proof.h"
#include "souk/args.h"
#include "souk/rules_file.h"

#define FILES_MAX  256
#define REPORT_MAX (16 * 1024 * 1024)

static void report_json(const char *file, const struct ruleset *r, const struct findings *f)
{
	CLEANUP(buf_fini) struct buf out = BUF_INIT(REPORT_MAX);
	struct json_out j = JSON_OUT(&out);

	json_begin(&j, NULL);
	json_strz(&j, "file", file);
	json_bool(&j, "ok", f->n_errors == 0 && r);
	if (r) {
		json_str(&j, "id", ruleset_id(r));
		json_str(&j, "name", ruleset_name(r));
		json_str(&j, "version", ruleset_version(r));
		json_u64(&j, "rules", ruleset_n_rules(r));
		json_u64(&j, "cost", ruleset_cost(r));
	}
	json_u64(&j, "errors", f->n_errors);
	json_u64(&j, "warnings", f->n_warnings);
	findings_json(&j, "findings", f);
	json_end(&j);
	printf(STR_FMT "\n", STR_ARG(buf_str(&out)));
}

static void report(const char *file, const struct ruleset *r, const struct findings *f)
{
	CLEANUP(buf_fini) struct buf out = BUF_INIT(REPORT_MAX);

	findings_print(&out, f, file);
	rules_print(&out, stdout);
	if (f->n_dropped > 0)
		printf("%s: and %zu more\n", file, f->n_dropped);
	printf("%s: ", file);
	if (r)
		printf(STR_FMT " " STR_FMT ", %zu rules, cost at most %llu of %d: ",
			STR_ARG(ruleset_name(r)), STR_ARG(ruleset_version(r)), ruleset_n_rules(r),
			(unsigned long long)ruleset_cost(r), RULESET_COST_MAX);
	if (f->n_errors == 0)
		printf("ok");
	else
		printf("%zu error%s", f->n_errors, f->n_errors == 1 ? "" : "s");
	if (f->n_warnings > 0)
		printf(", %zu warning%s", f->n_warnings, f->n_warnings == 1 ? "" : "s");
	putchar('\n');
}

static int check_file(const char *file, const struct guard_numbers *guards, bool json)
{
	CLEANUP(findings_fini) struct findings findings = FINDINGS_INIT;
	CLEANUP(ruleset_free) struct ruleset *r = NULL;
	struct fault f = { 0 };
	const int code = rules_file_load(&r, file, &findings, &f);

	if (code && code != -EINVAL) {
		fprintf(stderr, "souk rules check: %s\n", f.text);
		return EXIT_USAGE;
	}
	if (r) {
		ruleset_guard_report(r, guards, &findings);
		ruleset_note_past(r, (int64_t)time(NULL) * 1000, &findings);
	}
	if (json)
		report_json(file, r, &findings);
	else
		report(file, r, &findings);
	return findings.n_errors == 0 && r ? EXIT_DONE : EXIT_FAILED;
}

static int run(int argc, char **argv)
{
	const char *files[FILES_MAX];
	struct args_words words = { .v = files, .least = 1, .max = FILES_MAX, .what = "FILE" };
	struct settings s = { 0 };
	struct args a;
	int r = args_parse_words(&a, &command_rules_check, argc, argv, NULL, 0, &words);
	int ret = EXIT_DONE;

	if (r)
		return r - 1;
	r = args_settings(&a, &command_rules_check, NULL, 0, &s);
	if (r)
		return r;
	const struct guard_numbers guards = { s.pricing.max_premium_bps,
		s.pricing.max_discount_bps };

	for (size_t i = 0; i < words.n; i++) {
		r = check_file(files[i], &guards, a.json);
		ret = r > ret ? r : ret;
	}
	settings_unload(&s);
	return ret;
}

const struct command command_rules_check = { "rules check", "is a ruleset right?",
	"FILE… [--json] [--config FILE] [--set key=value]…", run, false };
