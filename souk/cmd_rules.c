/* `souk rules` alone or with a word that is none of its commands: names those there are. The
 * commands themselves are in rules_*.c. */
#include <stdio.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "pricing/cel/nearest.h"
#include "souk/command.h"

static const struct command *const commands[] = { &command_rules_check, &command_rules_test,
	&command_rules_eval, &command_rules_explain, &command_rules_fields };

static void print_commands(FILE *out)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		fprintf(out, "  %-16s %s\n", commands[i]->name, commands[i]->summary);
}

static int run(int argc, char **argv)
{
	static const char *const names[] = { "check", "test", "eval", "explain", "fields", NULL };
	const char *near;

	if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
		puts("Usage: souk rules COMMAND [FLAGS]");
		print_commands(stdout);
		return EXIT_DONE;
	}
	if (argc > 1) {
		near = nearest_name(argv[1], names);
		fprintf(stderr, "souk rules %s: no such command%s%s%s; there are:\n", argv[1],
			near ? "; did you mean souk rules " : "", near ? near : "",
			near ? "?" : "");
	} else {
		fputs("Usage: souk rules COMMAND [FLAGS]\n", stderr);
	}
	print_commands(stderr);
	return EXIT_USAGE;
}

const struct command command_rules = { "rules", "rulesets: check, test, eval, explain, fields",
	"COMMAND", run, true };
