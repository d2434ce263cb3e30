#include "souk/args.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* "--name=value" or "--name value"; NULL if @arg is not that flag. *used: whether the next word was
 * taken. */
static const char *flag_value(
	const char *name, char **argv, int i, int argc, bool *used, bool *missing)
{
	const size_t n = strlen(name);

	*used = *missing = false;
	if (strncmp(argv[i], "--", 2) != 0 || strncmp(argv[i] + 2, name, n) != 0)
		return NULL;
	if (argv[i][2 + n] == '=')
		return argv[i] + 3 + n;
	if (argv[i][2 + n] != '\0')
		return NULL;
	*used = i + 1 < argc;
	*missing = !*used;
	return *used ? argv[i + 1] : "";
}

static int usage_error(const struct command *c, const char *what, const char *arg)
{
	fprintf(stderr, "souk %s: %s: %s (see souk %s --help)\n", c->name, arg, what, c->name);
	return EXIT_USAGE + 1;
}

/* 0 not ours, 1 taken, 2 taken with the next word, negative: missing value. */
static int take_own(const struct own_flag *own, size_t n_own, char **argv, int i, int argc)
{
	for (size_t k = 0; k < n_own; k++) {
		bool used, missing;

		if (own[k].given) {
			if (strncmp(argv[i], "--", 2) == 0 &&
				strcmp(argv[i] + 2, own[k].name) == 0) {
				*own[k].given = true;
				return 1;
			}
			continue;
		}
		const char *v = flag_value(own[k].name, argv, i, argc, &used, &missing);

		if (v) {
			*own[k].value = v;
			return missing ? -1 : used ? 2 : 1;
		}
	}
	return 0;
}

static int take_common(struct args *a, char **argv, int i, int argc)
{
	bool used, missing;
	const char *v;

	if (strcmp(argv[i], "--json") == 0) {
		a->json = true;
		return 1;
	}
	v = flag_value("config", argv, i, argc, &used, &missing);
	if (v) {
		a->config_file = v;
		return missing ? -1 : used ? 2 : 1;
	}
	v = flag_value("set", argv, i, argc, &used, &missing);
	if (v && a->n_sets < ARGS_SETS_MAX) {
		a->sets[a->n_sets++] = v;
		return missing ? -1 : used ? 2 : 1;
	}
	return 0;
}

static int take_word(const struct command *c, struct args_words *words, const char *word)
{
	if (!words)
		return usage_error(c, "unexpected word", word);
	if (words->n == words->max)
		return usage_error(c, "one word too many", word);
	words->v[words->n++] = word;
	return 0;
}

static int take_flag(struct args *ret, const struct command *c, int argc, char **argv, int i,
	const struct own_flag *own, size_t n_own, int *ret_n)
{
	*ret_n = take_own(own, n_own, argv, i, argc);
	if (*ret_n == 0)
		*ret_n = take_common(ret, argv, i, argc);
	if (*ret_n < 0)
		return usage_error(c, "its value is missing", argv[i]);
	return *ret_n == 0 ? usage_error(c, "unknown flag", argv[i]) : 0;
}

static int missing(const struct command *c, const char *dashes, const char *what)
{
	fprintf(stderr, "souk %s: %s%s is needed (see souk %s --help)\n", c->name, dashes, what,
		c->name);
	return EXIT_USAGE + 1;
}

static int parse(struct args *ret, const struct command *c, int argc, char **argv,
	const struct own_flag *own, size_t n_own, struct args_words *words)
{
	bool has_ended = false;

	*ret = (struct args){ 0 };
	for (int i = 1, n = 1, r = 0; i < argc; i += n) {
		n = 1;
		if (!has_ended && (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)) {
			printf("Usage: souk %s %s\n%s\n", c->name, c->usage, c->summary);
			return EXIT_DONE + 1;
		}
		if (!has_ended && words && strcmp(argv[i], "--") == 0)
			has_ended = true;
		else if (has_ended || argv[i][0] != '-' || argv[i][1] == '\0')
			r = take_word(c, words, argv[i]);
		else
			r = take_flag(ret, c, argc, argv, i, own, n_own, &n);
		if (r)
			return r;
	}
	for (size_t k = 0; k < n_own; k++)
		if (own[k].required && !own[k].given && !*own[k].value)
			return missing(c, "--", own[k].name);
	return 0;
}

int args_parse(struct args *ret, const struct command *c, int argc, char **argv,
	const struct own_flag *own, size_t n_own)
{
	return parse(ret, c, argc, argv, own, n_own, NULL);
}

int args_parse_words(struct args *ret, const struct command *c, int argc, char **argv,
	const struct own_flag *own, size_t n_own, struct args_words *words)
{
	const int r = parse(ret, c, argc, argv, own, n_own, words);

	return !r && words->n < words->least ? missing(c, "", words->what) : r;
}

int args_settings(const struct args *a, const struct command *c, const char *role,
	int default_admin_port, struct settings *ret)
{
	struct fault f = { 0 };
	int r = settings_load(ret,
		&(struct config_source){ a->config_file, a->sets, a->n_sets, environ }, role,
		default_admin_port, &f);

	if (!r)
		return 0;
	fprintf(stderr, "souk %s: %s\n", c->name, f.text);
	return EXIT_USAGE;
}
