/* `souk config check | print | doc`: the configuration as the roles see it. */
#include <stdio.h>

#include "souk/args.h"

static int check(int argc, char **argv)
{
	struct args a;
	struct settings s = { 0 };
	int r = args_parse(&a, &command_config_check, argc, argv, NULL, 0);

	if (r)
		return r - 1;
	r = args_settings(&a, &command_config_check, NULL, 0, &s);
	if (r)
		return r;
	settings_unload(&s);
	puts(a.json ? "{\"ok\":true}" : "ok");
	return EXIT_DONE;
}

static int print(int argc, char **argv)
{
	struct args a;
	struct settings s = { 0 };
	struct config_section sections[SETTINGS_SECTIONS];
	int r = args_parse(&a, &command_config_print, argc, argv, NULL, 0);

	if (r)
		return r - 1;
	r = args_settings(&a, &command_config_print, NULL, 0, &s);
	if (r)
		return r;
	settings_sections(&s, sections);
	config_print(sections, SETTINGS_SECTIONS, stdout);
	settings_unload(&s);
	return EXIT_DONE;
}

static int doc(int argc, char **argv)
{
	struct args a;
	struct settings s = { 0 };
	struct config_section sections[SETTINGS_SECTIONS];
	int r = args_parse(&a, &command_config_doc, argc, argv, NULL, 0);

	if (r)
		return r - 1;
	settings_sections(&s, sections);
	puts("# Configuration\n\nOne YAML file can serve every role: each reads its own section "
	     "and the shared ones. Environment variables beat the file, `--set section.key=value`\n"
	     "beats both. `souk config check` says whether it is right, `souk config print` what "
	     "is in force and why. This page is printed by `souk config doc`.\n");
	config_doc(sections, SETTINGS_SECTIONS, stdout);
	return EXIT_DONE;
}

const struct command command_config_check = { "config check", "is the configuration right?",
	"[--config FILE] [--set key=value]… [--json]", check, false };
const struct command command_config_print = { "config print",
	"every value in force and where it comes from", "[--config FILE] [--set key=value]…", print,
	false };
const struct command command_config_doc = { "config doc", "the reference of all keys, as Markdown",
	"", doc, false };
