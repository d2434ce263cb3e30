#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "common/base/config.h"
#include "common/base/str.h"

struct pricing {
	int64_t offer_ttl_ms;
	char *rules_file;
	bool strict;
	int64_t mode;
	int64_t age_profile_ms;
	int64_t age_market_ms;
	struct config_list urls;
	char *token;
};

struct kafka {
	char *bootstrap;
	struct config_list properties;
};

static const char *const MODES[] = { "off", "shadow", "live", NULL };

static const struct config_row PRICING_ROWS[] = {
	{ .key = "offer_ttl_ms",
		.type = CONFIG_INT,
		.def = "30000",
		.min = 1000,
		.max = 600000,
		.offset = offsetof(struct pricing, offer_ttl_ms),
		.help = "Life of an offer." },
	{ .key = "rules_file", .type = CONFIG_STR, .offset = offsetof(struct pricing, rules_file) },
	{ .key = "max_age_ms.profile",
		.type = CONFIG_INT,
		.def = "15000",
		.min = 0,
		.max = 60000,
		.offset = offsetof(struct pricing, age_profile_ms) },
	{ .key = "strict",
		.type = CONFIG_BOOL,
		.def = "true",
		.offset = offsetof(struct pricing, strict) },
	{ .key = "mode",
		.type = CONFIG_ENUM,
		.def = "live",
		.choices = MODES,
		.offset = offsetof(struct pricing, mode),
		.help = "a | b" },
	{ .key = "max_age_ms.market",
		.type = CONFIG_INT,
		.def = "15000",
		.min = 0,
		.max = 60000,
		.offset = offsetof(struct pricing, age_market_ms) },
	{ .key = "urls", .type = CONFIG_LIST, .def = "", .offset = offsetof(struct pricing, urls) },
	{ .key = "token",
		.type = CONFIG_STR,
		.flags = CONFIG_SECRET,
		.offset = offsetof(struct pricing, token) },
};

static const struct config_row KAFKA_ROWS[] = {
	{ .key = "bootstrap",
		.type = CONFIG_STR,
		.def = "127.0.0.1:9092",
		.offset = offsetof(struct kafka, bootstrap) },
	{ .key = "properties",
		.type = CONFIG_MAP,
		.def = "",
		.offset = offsetof(struct kafka, properties) },
};

static struct pricing pricing;
static struct kafka kafka;
static struct config_origin origins[ARRAY_LEN(PRICING_ROWS)];
static struct fault fault;
static char path[64];
static const struct config_section SECTIONS[] = {
	{ "pricing", PRICING_ROWS, ARRAY_LEN(PRICING_ROWS), &pricing, origins, false },
	{ "kafka", KAFKA_ROWS, ARRAY_LEN(KAFKA_ROWS), &kafka, NULL, false },
};

/* Runs each test in a folder of its own, so that errors name just `souk.yaml`. */
static void setup(void)
{
	snprintf(path, sizeof(path), "/tmp/souk-config-XXXXXX");
	cr_assert(ne(ptr, mkdtemp(path), NULL));
	cr_assert(zero(int, chdir(path)));
}

static void teardown(void)
{
	config_unload(SECTIONS, ARRAY_LEN(SECTIONS));
	unlink("souk.yaml");
	rmdir(path);
}

TestSuite(config, .init = setup, .fini = teardown);

static void put_file(const char *text, size_t n)
{
	FILE *f = fopen("souk.yaml", "w");

	cr_assert(ne(ptr, f, NULL));
	cr_assert(eq(sz, fwrite(text, 1, n, f), n));
	fclose(f);
}

static int load_yaml(const char *text)
{
	put_file(text, strlen(text));
	return config_load(SECTIONS, ARRAY_LEN(SECTIONS),
		&(struct config_source){ .file = "souk.yaml" }, &fault);
}

static int load_set(const char *set)
{
	return config_load(SECTIONS, ARRAY_LEN(SECTIONS),
		&(struct config_source){ .sets = &set, .n_sets = 1 }, &fault);
}

static int load_env(const char *variable)
{
	char *env[] = { (char *)variable, NULL };

	return config_load(
		SECTIONS, ARRAY_LEN(SECTIONS), &(struct config_source){ .env = env }, &fault);
}

static void expect_refused(int r, const char *text)
{
	cr_expect(eq(int, r, -EINVAL), "%s", text);
	cr_expect(eq(int, fault.kind, FAULT_FATAL));
	cr_expect(eq(str, fault.text, (char *)text));
	cr_expect(zero(ptr, kafka.bootstrap), "nothing is left to free");
	config_unload(SECTIONS, ARRAY_LEN(SECTIONS));
}

static void expect_yaml_refused(const char *yaml, const char *text)
{
	expect_refused(load_yaml(yaml), text);
}

Test(config, defaults_come_from_the_table)
{
	cr_assert(zero(int, config_load(SECTIONS, 2, &(struct config_source){ 0 }, &fault)));
	cr_expect(eq(i64, pricing.offer_ttl_ms, 30000));
	cr_expect(zero(ptr, pricing.rules_file));
	cr_expect(pricing.strict);
	cr_expect(eq(i64, pricing.mode, 2));
	cr_expect(zero(sz, pricing.urls.n));
	cr_expect(eq(str, kafka.bootstrap, "127.0.0.1:9092"));
	cr_expect(eq(int, origins[0].from, CONFIG_FROM_DEFAULT));
}

Test(config, file_fills_every_type)
{
	cr_assert(zero(int, load_yaml("pricing:\n"
				      "  offer_ttl_ms: 1000\n"
				      "  rules_file: \"a b\"\n"
				      "  strict: false\n"
				      "  mode: shadow\n"
				      "  max_age_ms: { profile: 1, market: 2 }\n"
				      "  urls: [ x, 'y,z', { slug: cool, n: 2 } ]\n"
				      "kafka:\n"
				      "  properties:\n"
				      "    security.protocol: ssl\n"
				      "    a: \"b=c;d\"\n")),
		"%s", fault.text);
	cr_expect(eq(i64, pricing.offer_ttl_ms, 1000));
	cr_expect(eq(str, pricing.rules_file, "a b"));
	cr_expect(not(pricing.strict));
	cr_expect(eq(i64, pricing.mode, 1));
	cr_expect(eq(i64, pricing.age_profile_ms, 1));
	cr_expect(eq(i64, pricing.age_market_ms, 2));
	cr_assert(eq(sz, pricing.urls.n, 3));
	cr_expect(eq(str, pricing.urls.items[1], "y,z"));
	cr_expect(eq(str, pricing.urls.items[2], "slug=cool;n=2"));
	cr_assert(eq(sz, kafka.properties.n, 2));
	cr_expect(eq(str, kafka.properties.items[0], "security.protocol=ssl"));
	cr_expect(eq(str, kafka.properties.items[1], "a=b=c;d"));
	cr_expect(eq(int, origins[0].from, CONFIG_FROM_FILE));
	cr_expect(eq(uint, origins[0].line, 2));
	cr_expect(eq(uint, origins[0].column, 3));
}

Test(config, flags_beat_environment_and_environment_beats_the_file)
{
	char *env[] = { "SOUK_PRICING_OFFER_TTL_MS=2000", "SOUK_PRICING_MAX_AGE_MS_PROFILE=7",
		"SOUK_PRICING_URLS= a , b", "PATH=/bin", NULL };
	const char *sets[] = { "pricing.offer_ttl_ms=3000", "kafka.properties.x.y=1" };

	put_file("pricing: { offer_ttl_ms: 1000, max_age_ms: { profile: 1, market: 2 } }\n", 71);
	cr_assert(zero(int, config_load(SECTIONS, 2,
				    &(struct config_source){ .file = "souk.yaml",
					    .env = env,
					    .sets = sets,
					    .n_sets = 2 },
				    &fault)),
		"%s", fault.text);
	cr_expect(eq(i64, pricing.offer_ttl_ms, 3000));
	cr_expect(eq(i64, pricing.age_profile_ms, 7));
	cr_expect(eq(i64, pricing.age_market_ms, 2));
	cr_assert(eq(sz, pricing.urls.n, 2));
	cr_expect(eq(str, pricing.urls.items[0], "a"));
	cr_expect(eq(str, pricing.urls.items[1], "b"));
	cr_expect(eq(str, kafka.properties.items[0], "x.y=1"));
	cr_expect(eq(int, origins[0].from, CONFIG_FROM_FLAG));
	cr_expect(eq(int, origins[2].from, CONFIG_FROM_ENV));
	cr_expect(eq(int, origins[5].from, CONFIG_FROM_FILE));
}

Test(config, single_map_entry_of_a_flag_keeps_the_others)
{
	const char *sets[] = { "kafka.properties=a=1,b=2", "kafka.properties.b=3",
		"kafka.properties.c=x,y=z" };

	cr_assert(zero(int, config_load(SECTIONS, 2,
				    &(struct config_source){ .sets = sets, .n_sets = 3 }, &fault)),
		"%s", fault.text);
	cr_assert(eq(sz, kafka.properties.n, 3));
	cr_expect(eq(str, kafka.properties.items[0], "a=1"));
	cr_expect(eq(str, kafka.properties.items[1], "b=3"));
	cr_expect(eq(str, kafka.properties.items[2], "c=x,y=z"));
}

Test(config, empty_files_and_sections_are_fine)
{
	static const char *const FINE[] = { "", "# nothing\n", "---\n", "pricing:\n  # all out\n",
		"pricing: {}\nkafka: ~\n", "pricing:\n  max_age_ms:\n" };

	for (size_t i = 0; i < ARRAY_LEN(FINE); i++) {
		cr_expect(zero(int, load_yaml(FINE[i])), "%zu: %s", i, fault.text);
		config_unload(SECTIONS, 2);
	}
}

Test(config, unknown_key_names_place_and_nearest)
{
	expect_yaml_refused("pricing:\n  offer_ttl_sm: 5\n",
		"souk.yaml:2:3: pricing.offer_ttl_sm: unknown key; did you mean "
		"pricing.offer_ttl_ms?");
	expect_yaml_refused(
		"\nprcing: {}\n", "souk.yaml:2:1: prcing: unknown key; did you mean pricing?");
	expect_yaml_refused("pricing: { max_age: { profile: 1 } }\n",
		"souk.yaml:1:12: pricing.max_age: unknown key; did you mean pricing.max_age_ms?");
	expect_yaml_refused("pricing: { max_age_ms: { profil: 1 } }\n",
		"souk.yaml:1:26: pricing.max_age_ms.profil: unknown key; did you mean "
		"pricing.max_age_ms.profile?");
	expect_yaml_refused("zzzzzzzz: 1\n", "souk.yaml:1:1: zzzzzzzz: unknown key");
	expect_yaml_refused("pricing: { <<: {} }\n", "souk.yaml:1:12: pricing.<<: unknown key");
}

Test(config, flags_and_environment_name_themselves)
{
	expect_refused(load_set("pricing.ofer_ttl_ms=1"),
		"--set pricing.ofer_ttl_ms: unknown key; did you mean pricing.offer_ttl_ms?");
	expect_refused(load_set("pricing.offer_ttl_ms=1"),
		"--set pricing.offer_ttl_ms: must be 1000 to 600000, not 1");
	expect_refused(load_set("pricing.strict"),
		"--set pricing.strict: the form is --set section.key=value");
	expect_refused(load_env("SOUK_PRICING_STRICT=yes"),
		"SOUK_PRICING_STRICT: must be true or false, not \"yes\"");
	expect_refused(load_env("SOUK_PRICING_STICT=true"),
		"SOUK_PRICING_STICT: unknown key; did you mean SOUK_PRICING_STRICT?");
}

Test(config, environment_of_others_is_ignored)
{
	cr_expect(zero(int, load_env("SOUK_TEST_DATA=/x")));
	config_unload(SECTIONS, 2);
	cr_expect(zero(int, load_env("SOUK_PRICINGX_STRICT=1")));
	config_unload(SECTIONS, 2);
	cr_expect(zero(int, load_env("XSOUK_PRICING_STRICT=1")));
}

Test(config, values_are_checked)
{
	expect_yaml_refused("pricing: { offer_ttl_ms: 12x }",
		"souk.yaml:1:12: pricing.offer_ttl_ms: must be a whole number, not \"12x\"");
	expect_yaml_refused("pricing: { offer_ttl_ms: 99999999999999999999 }",
		"souk.yaml:1:12: pricing.offer_ttl_ms: must be 1000 to 600000, not "
		"99999999999999999999");
	expect_yaml_refused("pricing: { offer_ttl_ms: 600001 }",
		"souk.yaml:1:12: pricing.offer_ttl_ms: must be 1000 to 600000, not 600001");
	expect_yaml_refused("pricing: { mode: on }",
		"souk.yaml:1:12: pricing.mode: must be one of off, shadow, live, not \"on\"");
	expect_refused(load_set("pricing.urls=a,,b"),
		"--set pricing.urls: an item between commas is empty");
	expect_refused(load_set("kafka.properties=a"),
		"--set kafka.properties: an entry must have the form name=value");
	expect_refused(
		load_set("kafka.properties=a=1,a=2"), "--set kafka.properties: a is given twice");
	expect_refused(
		load_set("pricing.rules_file=\xff"), "--set pricing.rules_file: must be UTF-8");
	expect_yaml_refused("pricing: { rules_file: \"a\\0b\" }",
		"souk.yaml:1:24: pricing.rules_file: must not hold a NUL character");
}

Test(config, node_of_the_wrong_kind_is_refused)
{
	expect_yaml_refused("pricing: { rules_file: [ a ] }",
		"souk.yaml:1:24: pricing.rules_file: the value must be a single value, not a list");
	expect_yaml_refused("pricing: { rules_file: { a: b } }",
		"souk.yaml:1:24: pricing.rules_file: the value must be a single value, not a "
		"mapping");
	expect_yaml_refused("pricing: { urls: { a: b } }",
		"souk.yaml:1:18: pricing.urls: must be a list, not a mapping");
	expect_yaml_refused("pricing: { urls: [ [ a ] ] }",
		"souk.yaml:1:20: pricing.urls: an item must be a single value, not a list");
	expect_yaml_refused("pricing: { urls: [ { a: { b: c } } ] }",
		"souk.yaml:1:25: pricing.urls: an entry must be a single value, not a mapping");
	expect_yaml_refused("kafka: { properties: [ a ] }",
		"souk.yaml:1:22: kafka.properties: must be a mapping of names to values");
	expect_yaml_refused("pricing: 5", "souk.yaml:1:10: pricing: must be a mapping of keys");
	expect_yaml_refused("pricing: { max_age_ms: 5 }",
		"souk.yaml:1:24: pricing.max_age_ms: must be a mapping of keys");
	expect_yaml_refused("[ a ]", "souk.yaml:1:1: must be a mapping of sections");
	expect_yaml_refused("text", "souk.yaml:1:1: must be a mapping of sections");
	expect_yaml_refused(
		"pricing: { [ a ]: b }", "souk.yaml:1:12: pricing: a key must be a text");
	expect_yaml_refused("pricing:\n  rules_file:\n",
		"souk.yaml:2:14: pricing.rules_file: the value is empty; leave the key out, or "
		"write \"\" for an empty text");
}

Test(config, anything_given_twice_is_refused)
{
	expect_yaml_refused("pricing:\n  mode: off\n  strict: true\n  mode: live\n",
		"souk.yaml:4:3: pricing.mode: given twice; the first is in line 2");
	expect_yaml_refused(
		"pricing: {}\nkafka: {}\npricing: {}\n", "souk.yaml:3:1: pricing: given twice");
	expect_yaml_refused("pricing:\n  max_age_ms: {}\n  max_age_ms: {}\n",
		"souk.yaml:3:3: pricing.max_age_ms: given twice");
	expect_yaml_refused("kafka: { properties: { a: 1, a: 2 } }",
		"souk.yaml:1:30: kafka.properties: a is given twice");
}

Test(config, yaml_machinery_is_refused)
{
	expect_yaml_refused("pricing: { rules_file: &x a }",
		"souk.yaml:1:24: pricing.rules_file: anchors are not allowed");
	expect_yaml_refused(
		"pricing: &x { strict: true }", "souk.yaml:1:10: pricing: anchors are not allowed");
	expect_yaml_refused("pricing: { rules_file: *x }",
		"souk.yaml:1:24: pricing.rules_file: aliases are not allowed");
	expect_yaml_refused("pricing: { rules_file: !!str a }",
		"souk.yaml:1:24: pricing.rules_file: tags are not allowed");
	expect_yaml_refused("pricing: { urls: !x [ a ] }",
		"souk.yaml:1:18: pricing.urls: tags are not allowed");
	expect_yaml_refused("%YAML 1.1\n---\npricing: {}\n",
		"souk.yaml:1:1: directives (%YAML, %TAG) are not allowed");
	expect_yaml_refused("pricing: {}\n---\nkafka: {}\n",
		"souk.yaml:2:1: a second document; the file may hold one");
}

Test(config, broken_yaml_says_where)
{
	expect_yaml_refused(
		"pricing:\n  - a\n b: [\n", "souk.yaml:2:3: pricing: must be a mapping of keys");
	cr_expect(eq(int, load_yaml("pricing:\n  mode: [ off\n"), -EINVAL));
	cr_expect(zero(int, strncmp(fault.text, "souk.yaml:2:9: ", 15)), "%s", fault.text);
	cr_expect(eq(int, load_yaml("pricing:\n\tmode: off\n"), -EINVAL));
	cr_expect(
		zero(int, strncmp(fault.text, "souk.yaml:2:1: not YAML: ", 25)), "%s", fault.text);
	cr_expect(eq(int, load_yaml("pricing: \"\x01\"\n"), -EINVAL));
	cr_expect(ne(ptr, strstr(fault.text, "control characters"), NULL), "%s", fault.text);
}

Test(config, file_that_is_missing_or_too_long_is_refused)
{
	char *text = malloc((1 << 20) + 1);

	cr_expect(eq(int,
		config_load(SECTIONS, 2, &(struct config_source){ .file = "none.yaml" }, &fault),
		-ENOENT));
	cr_expect(eq(str, fault.text, "none.yaml: No such file or directory"));
	memset(text, '#', (1 << 20) + 1);
	put_file(text, (1 << 20) + 1);
	cr_expect(eq(int,
		config_load(SECTIONS, 2, &(struct config_source){ .file = "souk.yaml" }, &fault),
		-EFBIG));
	put_file(text, 1 << 20);
	cr_expect(zero(int,
		config_load(SECTIONS, 2, &(struct config_source){ .file = "souk.yaml" }, &fault)));
	free(text);
}

Test(config, more_items_than_the_maximum_are_refused)
{
	char *text = calloc(1, 20000);
	size_t n = (size_t)sprintf(text, "pricing: { urls: [ ");

	for (int i = 0; i < 4097; i++)
		n += (size_t)sprintf(text + n, "x, ");
	sprintf(text + n, "] }\n");
	cr_expect(eq(int, load_yaml(text), -EINVAL));
	cr_expect(ne(ptr, strstr(fault.text, "more than 4096 items"), NULL), "%s", fault.text);
	free(text);
}

Test(config, required_key_must_be_given)
{
	static const struct config_row ROWS[] = {
		{ .key = "name", .type = CONFIG_STR, .flags = CONFIG_REQUIRED }
	};
	char *base = NULL;
	struct config_section section = { "wallet", ROWS, 1, &base, NULL, false };
	const char *set = "wallet.name=x";

	cr_expect(eq(int, config_load(&section, 1, &(struct config_source){ 0 }, &fault), -EINVAL));
	cr_expect(eq(str, fault.text,
		"wallet.name: must be given: in the file, as SOUK_WALLET_NAME, or with --set "
		"wallet.name=\xe2\x80\xa6"));
	cr_expect(zero(int, config_load(&section, 1,
				    &(struct config_source){ .sets = &set, .n_sets = 1 }, &fault)));
	cr_expect(eq(str, base, "x"));
	config_unload(&section, 1);
	cr_expect(zero(ptr, base));
}

Test(config, section_of_another_program_is_checked_but_not_stored)
{
	const struct config_section sections[] = {
		{ "pricing", PRICING_ROWS, ARRAY_LEN(PRICING_ROWS), NULL, NULL, false },
		{ "kafka", KAFKA_ROWS, ARRAY_LEN(KAFKA_ROWS), &kafka, NULL, false },
	};
	struct config_source source = { .file = "souk.yaml" };
	const char *text =
		"pricing: { rules_file: x, urls: [ a ], mode: off }\nkafka: { bootstrap: y }\n";

	put_file(text, strlen(text));
	cr_assert(zero(int, config_load(sections, 2, &source, &fault)), "%s", fault.text);
	cr_expect(eq(str, kafka.bootstrap, "y"));
	config_unload(sections, 2);
	put_file("pricing: { mode: x }", 20);
	cr_expect(eq(int, config_load(sections, 2, &source, &fault), -EINVAL));
}

Test(config, secret_is_neither_printed_nor_named_in_an_error)
{
	static const struct config_row ROWS[] = {
		{ .key = "pin", .type = CONFIG_INT, .max = 9, .flags = CONFIG_SECRET }
	};
	int64_t pin = 0;
	struct config_section section = { "wallet", ROWS, 1, &pin, NULL, false };
	const char *set = "wallet.pin=hunter2";

	cr_expect(eq(int,
		config_load(
			&section, 1, &(struct config_source){ .sets = &set, .n_sets = 1 }, &fault),
		-EINVAL));
	cr_expect(zero(ptr, strstr(fault.text, "hunter2")), "%s", fault.text);
}

static char *printed(void (*print)(const struct config_section *, size_t, FILE *))
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);

	print(SECTIONS, ARRAY_LEN(SECTIONS), f);
	fclose(f);
	return text;
}

Test(config, print_shows_each_value_with_its_source)
{
	char *env[] = { "SOUK_PRICING_TOKEN=hunter2", NULL };
	const char *set = "pricing.mode=off";
	const char *yaml = "pricing:\n  urls: [ \"a\\tb\\\"\" ]\n  max_age_ms:\n    market: 1\n";
	char *text;

	put_file(yaml, strlen(yaml));
	cr_assert(zero(int, config_load(SECTIONS, 2,
				    &(struct config_source){ .file = "souk.yaml",
					    .env = env,
					    .sets = &set,
					    .n_sets = 1 },
				    &fault)),
		"%s", fault.text);
	text = printed(config_print);
	cr_expect(eq(str, text,
		"pricing:\n"
		"  offer_ttl_ms: 30000  # default\n"
		"  # rules_file: not set\n"
		"  max_age_ms:\n"
		"    profile: 15000  # default\n"
		"    market: 1  # souk.yaml:4:5\n"
		"  strict: true  # default\n"
		"  mode: \"off\"  # flag\n"
		"  urls:  # souk.yaml:2:3\n"
		"    - \"a\\x09b\\\"\"\n"
		"  token: \"***\"  # env SOUK_PRICING_TOKEN\n"
		"kafka:\n"
		"  bootstrap: \"127.0.0.1:9092\"\n"
		"  properties: {}\n"));
	free(text);
}

Test(config, what_is_printed_loads_to_the_same)
{
	const char *sets[] = { "pricing.urls=x=1;y=2, # z", "kafka.properties.a: \"b\"={}",
		"pricing.rules_file=\x7f\xc2\x85 \xe2\x80\xa8 \xef\xbb\xbf\xef\xbf\xbf null",
		"pricing.mode=shadow" };
	char *first, *second;

	cr_assert(zero(int, config_load(SECTIONS, 2,
				    &(struct config_source){ .sets = sets, .n_sets = 4 }, &fault)),
		"%s", fault.text);
	memset(origins, 0, sizeof(origins));
	first = printed(config_print);
	config_unload(SECTIONS, 2);
	cr_assert(zero(int, load_yaml(first)), "%s in\n%s", fault.text, first);
	cr_expect(eq(str, pricing.rules_file,
		"\x7f\xc2\x85 \xe2\x80\xa8 \xef\xbb\xbf\xef\xbf\xbf null"));
	memset(origins, 0, sizeof(origins));
	second = printed(config_print);
	cr_expect(eq(str, first, second));
	free(first);
	free(second);
}

Test(config, doc_has_a_row_per_key)
{
	char *text = printed(config_doc);

	cr_expect(ne(ptr,
			  strstr(text,
				  "## pricing\n\n| Key | Type | Default | Environment | Meaning |\n"
				  "| --- | --- | --- | --- | --- |\n"
				  "| `pricing.offer_ttl_ms` | whole number, 1000 to 600000 | "
				  "`30000` | `SOUK_PRICING_OFFER_TTL_MS` | Life of an offer. |\n"),
			  NULL),
		"%s", text);
	cr_expect(ne(ptr,
		strstr(text, "| `pricing.mode` | one of `off`, `shadow`, `live` | `live` | "
			     "`SOUK_PRICING_MODE` | a \\| b |\n"),
		NULL));
	cr_expect(ne(ptr, strstr(text, "`SOUK_PRICING_MAX_AGE_MS_PROFILE`"), NULL));
	cr_expect(ne(ptr, strstr(text, "Secret: never printed. |\n"), NULL));
	free(text);
}

Test(config, control_bytes_of_a_key_do_not_reach_the_text)
{
	expect_refused(load_set("a\x1b[31m\n=1"), "--set a?[31m?: unknown key");
}
