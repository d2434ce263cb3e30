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

int args_parse(struct args *ret, const struct command *c, int argc, char **argv,
	const struct own_flag *own, size_t n_own)
{
	int i = 1;

	*ret = (struct args){ 0 };
	while (i < argc && argv[i][0] == '-') {
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			printf("Usage: souk %s %s\n%s\n", c->name, c->usage, c->summary);
			return EXIT_DONE + 1;
		}
		int n = take_own(own, n_own, argv, i, argc);

		if (n == 0)
			n = take_common(ret, argv, i, argc);
		if (n < 0)
			return usage_error(c, "its value is missing", argv[i]);
		if (n == 0)
			return usage_error(c, "unknown flag", argv[i]);
		i += n;
	}
	if (i < argc)
		return usage_error(c, "unexpected word", argv[i]);
	for (size_t k = 0; k < n_own; k++)
		if (own[k].required && !own[k].given && !*own[k].value) {
			fprintf(stderr, "souk %s: --%s is needed (see souk %s --help)\n", c->name,
				own[k].name, c->name);
			return EXIT_USAGE + 1;
		}
	return 0;
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
