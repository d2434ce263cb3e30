/*
 * The binary: finds the subcommand and runs it. Data goes to stdout, messages to stderr; exit 0
 * done, 1 the check or the work failed, 2 wrong usage or configuration.
 */
#include <stdio.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "souk/command.h"

static const struct command *const commands[] = {
	&command_demo,
	&command_ws_server,
	&command_pricing,
	&command_bidding,
	&command_connectors,
	&command_wallet_bridge,
	&command_config_check,
	&command_config_print,
	&command_config_doc,
	&command_topics_create,
	&command_topics_check,
	&command_token,
	&command_recompute,
	&command_pause,
	&command_resume,
	&command_confirm,
	&command_cache_reset,
	&command_rules_check,
	&command_rules_test,
	&command_rules_eval,
	&command_rules_explain,
	&command_rules_fields,
	&command_rules,
	&command_version,
	&command_demo_part,
};

static void print_help(FILE *out)
{
	fputs("Usage: souk COMMAND [FLAGS]      (souk COMMAND --help tells more)\n\n", out);
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (!commands[i]->is_hidden)
			fprintf(out, "  %-16s %s\n", commands[i]->name, commands[i]->summary);
}

/* How many words of argv the name covers; 0: it is another command. */
static int match(const char *name, int argc, char **argv)
{
	const char *space = strchr(name, ' ');
	const size_t n = space ? (size_t)(space - name) : strlen(name);

	if (argc < 2 || strlen(argv[1]) != n || memcmp(argv[1], name, n) != 0)
		return 0;
	if (!space)
		return 1;
	return argc > 2 && strcmp(argv[2], space + 1) == 0 ? 2 : 0;
}

static const struct command *nearest(const char *word)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (!commands[i]->is_hidden && (strncmp(commands[i]->name, word, 3) == 0 ||
						       strstr(commands[i]->name, word)))
			return commands[i];
	return NULL;
}

int main(int argc, char **argv)
{
	const struct command *near;

	if (argc < 2) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
		strcmp(argv[1], "help") == 0) {
		print_help(stdout);
		return EXIT_DONE;
	}
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		const int words = match(commands[i]->name, argc, argv);

		if (words)
			return commands[i]->run(argc - words, argv + words);
	}
	near = nearest(argv[1]);
	fprintf(stderr, "souk: %s%s%s: no such command%s%s%s\n", argv[1],
		argc > 2 && argv[2][0] != '-' ? " " : "",
		argc > 2 && argv[2][0] != '-' ? argv[2] : "",
		near ? "; did you mean souk " : " (souk --help lists them)", near ? near->name : "",
		near ? "?" : "");
	return EXIT_USAGE;
}
