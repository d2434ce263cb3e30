#pragma once

/*
 * Flags that most commands share: --config FILE, --set key=value (again and again), --json, --help;
 * and a command's own.
 */
#include <stdbool.h>
#include <stddef.h>

#include "common/base/config.h"
#include "souk/command.h"
#include "souk/settings.h"

#define ARGS_SETS_MAX 64
#define ARGS_OWN_MAX  20

/* A flag of the command itself: with a value, or a switch (value NULL: *given is set). */
struct own_flag {
	const char *name; /* without dashes */
	const char **value;
	bool *given;
	bool required;
};

/* What is no flag: file names, an expression. They may stand between flags; behind "--" everything
 * is one. */
struct args_words {
	const char **v;
	size_t n, least, max;
	const char *what; /* what they are, for errors: "FILE" */
};

struct args {
	const char *config_file;
	const char *sets[ARGS_SETS_MAX];
	size_t n_sets;
	bool json;
};

/* 0 go on; else an exit code plus one (EXIT_DONE + 1 after --help). Messages are printed. */
int args_parse(struct args *ret, const struct command *c, int argc, char **argv,
	const struct own_flag *own, size_t n_own);

/* The same for a command that takes words: words->least to words->max of them. */
int args_parse_words(struct args *ret, const struct command *c, int argc, char **argv,
	const struct own_flag *own, size_t n_own, struct args_words *words);

/* Loads the settings as the flags say (@role and @default_admin_port as in settings_load); prints
 * the error. 0 or EXIT_USAGE. */
int args_settings(const struct args *a, const struct command *c, const char *role,
	int default_admin_port, struct settings *ret);
