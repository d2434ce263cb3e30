/* `souk confirm --item I`: a person has looked at a list price that the breaker holds. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/base/json_out.h"
#include "common/model/item.h"
#include "common/model/topics.h"
#include "souk/args.h"
#include "souk/confirm.h"
#include "souk/one_shot.h"

#define JSON_MAX 2048

struct work {
	struct one_shot shot;
	struct confirm *confirm;
	struct confirm_result result;
};

static void on_result(void *ctx, const struct confirm_result *result)
{
	struct work *w = ctx;

	w->result = *result;
	one_shot_end(&w->shot);
}

static int work(struct work *w, const struct settings *s, const char *item, struct fault *f)
{
	int r = one_shot_init(&w->shot, s, "souk-confirm", f);

	if (r != 0)
		return r;
	r = confirm_new(&w->confirm, w->shot.loop, w->shot.bus, str_of(item), on_result, w);
	if (r != 0)
		return fault_set(f, FAULT_FATAL, r, "cannot read: %s", strerror(-r));
	return one_shot_run(&w->shot, s, NULL, NULL, f);
}

static void print_done(const struct confirm_result *r, const char *item, bool is_json)
{
	CLEANUP(buf_fini) struct buf b = BUF_INIT(JSON_MAX);
	struct json_out j = JSON_OUT(&b);
	char ver[VERSION_TEXT_MAX];

	version_format(ver, r->ver);
	if (!is_json) {
		printf("%s: list price of version %s confirmed (" TOPIC_INVENTORY
		       " partition %" PRId32 " offset %" PRId64 ")\n",
			item, ver, r->partition, r->offset);
		return;
	}
	json_begin(&j, NULL);
	json_strz(&j, "item", item);
	json_strz(&j, "ver", ver);
	money_json(&j, "list", r->list);
	json_i64(&j, "partition", r->partition);
	json_i64(&j, "offset", r->offset);
	json_end(&j);
	printf(STR_FMT "\n", STR_ARG(buf_str(&b)));
}

static int answer(const struct confirm_result *r, const char *item, bool is_json)
{
	switch (r->outcome) {
	case CONFIRM_DONE:
		print_done(r, item, is_json);
		return EXIT_DONE;
	case CONFIRM_NO_ITEM:
		fprintf(stderr,
			"souk confirm: %s: no such item on " TOPIC_INVENTORY
			": there is nothing to confirm\n",
			item);
		return EXIT_FAILED;
	case CONFIRM_CHANGED:
		fprintf(stderr,
			"souk confirm: %s: its row changed meanwhile: look at it, and confirm "
			"again\n",
			item);
		return EXIT_FAILED;
	default:
		fprintf(stderr, "souk confirm: %s: not written: %s\n", item, strerror(-r->err));
		return EXIT_FAILED;
	}
}

static int run(int argc, char **argv)
{
	const char *item = NULL;
	const struct own_flag own[] = { { .name = "item", .value = &item, .required = true } };
	struct work w = { 0 };
	struct args a;
	struct settings s = { 0 };
	struct fault f = { 0 };
	int r = args_parse(&a, &command_confirm, argc, argv, own, ARRAY_LEN(own));

	if (r)
		return r - 1;
	if (!item_is_valid(str_of(item))) {
		fprintf(stderr,
			"souk confirm: --item %s: not an item id (CAIP-19 in lower case, like "
			"eip155:1/erc721:0x3b3e…5405/77)\n",
			item);
		return EXIT_USAGE;
	}
	r = args_settings(&a, &command_confirm, NULL, 0, &s);
	if (r)
		return r;
	r = work(&w, &s, item, &f);
	if (r)
		fprintf(stderr, "souk confirm: %s\n", f.text);
	r = r ? EXIT_FAILED : answer(&w.result, item, a.json);
	confirm_free(w.confirm);
	one_shot_fini(&w.shot);
	settings_unload(&s);
	return r;
}

const struct command command_confirm = { "confirm",
	"let a list price pass that the breaker holds (CIRCUIT_OPEN)",
	"--item ITEM [--config FILE] [--set key=value]… [--json]", run, false };
