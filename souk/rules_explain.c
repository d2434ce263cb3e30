/*
 * `souk rules explain`: one decision, rule by rule. From a recorded decision or its inputs, or from
 * a few fields around which everything is as good as it can be (pricing/rules_test.h).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "common/base/config.h"
#include "pricing/explain.h"
#include "pricing/rules_test.h"
#include "souk/args.h"
#include "souk/rules_file.h"
#include "souk/rules_typed.h"

#define FILE_MAX_BYTES (1024 * 1024)
#define ARENA_BYTES    (8 * 1024 * 1024)
#define REPORT_MAX     (16 * 1024 * 1024)

struct flags {
	const char *rules, *inputs, *decision, *at;
};

static int say(const char *what, const char *why)
{
	fprintf(stderr, "souk rules explain: %s%s%s\n", what, why[0] ? ": " : "", why);
	return EXIT_USAGE;
}

static int set_field(json_t *given, const char *name, const char *text)
{
	const struct schema *schema = price_schema();
	int slot = schema ? cel_env_find(schema->env, str_of(name)) : CEL_SLOT_NONE;

	return json_object_set_new(given, name,
		rules_plain(text, slot < 0 ? NULL : cel_env_var(schema->env, slot)->type));
}

static int inputs_of_fields(
	struct price_inputs *in, const struct args *a, const char *at, struct arena *arena)
{
	json_auto_t *given = json_object();
	struct fault f = { 0 };

	for (size_t i = 0; i < a->n_sets; i++) {
		const char *equals = strchr(a->sets[i], '=');
		char name[CEL_VAR_NAME_MAX + 1];

		if (!equals || str_copy(name, sizeof(name),
				       (struct str){ a->sets[i], (size_t)(equals - a->sets[i]) }))
			return say(a->sets[i], "--set field=value is wanted");
		if (set_field(given, name, equals + 1))
			return say(a->sets[i], "not UTF-8");
	}
	if (rules_test_inputs(in, given, str_of(at), &rules_test_guards, arena, &f))
		return say("--set or --at", f.text);
	return EXIT_DONE;
}

/* The decision's inputs, as text of their own; @ret_id: its ruleset. */
static char *inputs_of_decision(const char *json, size_t n, struct str *ret_id, struct arena *arena)
{
	json_auto_t *decision = json_loadb(json, n, 0, NULL);
	const json_t *id = json_object_get(decision, "ruleset");

	*ret_id = arena_copy(arena, str_of(json_string_value(id)));
	return json_dumps(json_object_get(decision, "inputs"), JSON_COMPACT | JSON_PRESERVE_ORDER);
}

static int inputs_of_file(struct price_inputs *in, const struct flags *fl,
	const struct ruleset *rules, struct arena *arena)
{
	const char *file = fl->decision ? fl->decision : fl->inputs;
	struct str id = STR_NONE;
	struct fault f = { 0 };
	char *json = NULL;
	size_t n;

	if (file_read(file, FILE_MAX_BYTES, &json, &n, &f))
		return say(f.text, "");
	if (fl->decision) {
		char *inputs = inputs_of_decision(json, n, &id, arena);

		free(json);
		json = inputs;
		if (!json)
			return say(file, "no decision record: it has no inputs");
		n = strlen(json);
	}
	/* what is decoded borrows from its text */
	const struct str text = arena_copy(arena, (struct str){ json, n });

	free(json);
	if (!text.p || inputs_decode(in, text, arena, &f))
		return say(file, text.p ? f.text : "too long");
	in->personalization = inputs_consent(in) ? TRI_TRUE : TRI_FALSE;
	if (str_is_set(id) && !str_eq(id, ruleset_id(rules)))
		fprintf(stderr,
			"souk rules explain: %s was made with the ruleset " STR_FMT
			", this is " STR_FMT ": what follows is what this one does\n",
			file, STR_ARG(id), STR_ARG(ruleset_id(rules)));
	return EXIT_DONE;
}

static int explain_inputs(const struct ruleset *rules, const struct price_inputs *in, bool json)
{
	CLEANUP(explain_free) struct explain *e = NULL;
	CLEANUP(buf_fini) struct buf out = BUF_INIT(REPORT_MAX);
	struct json_out j = JSON_OUT(&out);

	if (explain_new(&e, rules, in)) {
		say("out of memory", "");
		return EXIT_FAILED;
	}
	if (json) {
		explain_json(&j, NULL, e);
		buf_putc(&out, '\n');
	} else {
		explain_print(&out, e);
	}
	rules_print(&out, stdout);
	return EXIT_DONE;
}

static int load_rules(struct ruleset **ret, const char *file)
{
	CLEANUP(findings_fini) struct findings findings = FINDINGS_INIT;
	CLEANUP(buf_fini) struct buf out = BUF_INIT(REPORT_MAX);
	struct fault f = { 0 };
	const int r = rules_file_load(ret, file, &findings, &f);

	if (!r)
		return EXIT_DONE;
	if (r != -EINVAL)
		return say(f.text, "");
	findings_print(&out, &findings, file);
	rules_print(&out, stderr);
	say(file, "the document is refused");
	return EXIT_FAILED;
}

static int check_flags(const struct flags *fl, const struct args *a)
{
	if ((fl->inputs != NULL) + (fl->decision != NULL) + (a->n_sets > 0) != 1)
		return say("one of --inputs FILE, --decision FILE and --set field=value",
			"see souk rules explain --help");
	if (fl->at && a->n_sets == 0)
		return say("--at", "recorded inputs have their moment; it goes with --set");
	return EXIT_DONE;
}

static int run(int argc, char **argv)
{
	struct flags fl = { 0 };
	const struct own_flag own[] = {
		{ .name = "rules", .value = &fl.rules, .required = true },
		{ .name = "inputs", .value = &fl.inputs },
		{ .name = "decision", .value = &fl.decision },
		{ .name = "at", .value = &fl.at },
	};
	CLEANUP(arena_free) struct arena *arena = NULL;
	CLEANUP(ruleset_free) struct ruleset *rules = NULL;
	struct price_inputs in;
	struct args a;
	int r = args_parse(&a, &command_rules_explain, argc, argv, own, ARRAY_LEN(own));

	if (r)
		return r - 1;
	r = check_flags(&fl, &a);
	if (r)
		return r;
	if (arena_new(&arena, ARENA_BYTES)) {
		say("out of memory", "");
		return EXIT_FAILED;
	}
	r = load_rules(&rules, fl.rules);
	if (!r)
		r = a.n_sets > 0 ? inputs_of_fields(&in, &a, fl.at, arena)
				 : inputs_of_file(&in, &fl, rules, arena);
	return r ? r : explain_inputs(rules, &in, a.json);
}

const struct command command_rules_explain = { "rules explain",
	"a decision, rule by rule: what fired, what did not, and what would have changed that",
	"--rules FILE (--inputs FILE | --decision FILE | --set field=value… [--at TIME]) [--json]",
	run, false };
