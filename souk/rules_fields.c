/* `souk rules fields`: what a rule may look at. */
#include <stdio.h>

#include "common/base/json_out.h"
#include "pricing/rules/fields.h"
#include "souk/args.h"
#include "souk/rules_file.h"

#define TEXT_MAX (1024 * 1024)

static void print_plain(const struct schema *s)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct schema_field *f = &s->fields[i];

		printf("%-28s %-14s %-9s %s\n", f->name, f->type, field_label_names[f->label],
			f->help ? f->help : "");
	}
}

static int run(int argc, char **argv)
{
	bool is_markdown = false;
	const struct own_flag own[] = { { .name = "markdown", .given = &is_markdown } };
	CLEANUP(buf_fini) struct buf out = BUF_INIT(TEXT_MAX);
	const struct schema *s = price_schema();
	struct json_out j = JSON_OUT(&out);
	struct args a;
	int r = args_parse(&a, &command_rules_fields, argc, argv, own, ARRAY_LEN(own));

	if (r)
		return r - 1;
	if (!s) {
		fputs("souk rules fields: out of memory\n", stderr);
		return EXIT_FAILED;
	}
	if (!a.json && !is_markdown) {
		print_plain(s);
		return EXIT_DONE;
	}
	if (a.json) {
		json_begin(&j, NULL);
		schema_json(&j, "fields", s);
		json_end(&j);
		buf_putc(&out, '\n');
	} else {
		buf_puts(&out,
			STR("# Fields of rules\n\nWhat a [rule](rules.md) may look at. Labels say "
			    "who a value is about: `member` and `personal` make an offer "
			    "personalised, "
			    "`personal` needs\nthe shopper's consent, `sensitive` does not "
			    "compile. This "
			    "page is printed by `souk rules fields --markdown`.\n\n"));
		schema_markdown(&out, s);
	}
	rules_print(&out, stdout);
	return EXIT_DONE;
}

const struct command command_rules_fields = { "rules fields", "what a rule may look at",
	"[--json | --markdown]", run, false };
