/* `souk pause` and `souk resume`: one record of nft.rules.v1 each (common/model/pause.h). */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/json_out.h"
#include "common/io/record_headers.h"
#include "common/model/pause.h"
#include "common/model/topics.h"
#include "souk/args.h"
#include "souk/one_shot.h"

#define VALUE_MAX 8192

struct work {
	struct one_shot shot;
	bool is_pause;
	struct str collection, note;
	struct buf key, value;
	bool is_sent;
	int err;
	int32_t partition;
	int64_t offset;
};

static void on_sent(void *ctx, int err, int32_t partition, int64_t offset)
{
	struct work *w = ctx;

	w->err = err;
	w->partition = partition;
	w->offset = offset;
	one_shot_end(&w->shot);
}

static int send_record(struct work *w)
{
	struct record_headers headers = { .n = 0 };
	int64_t now_ms = loop_now_ms(w->shot.loop);
	char id[RECORD_ID_MAX];
	int n = snprintf(id, sizeof(id), STR_FMT ":%" PRId64, STR_ARG(buf_str(&w->key)), now_ms);
	int r = record_headers_cloud_event(&headers, (struct str){ id, (size_t)n },
		STR("souk." TOPIC_RULES), w->is_pause ? "pause" : "resume", NULL, now_ms);

	if (r != 0)
		return r;
	return bus_send(w->shot.bus, &(struct bus_message){ .topic = TOPIC_RULES,
					     .partition = 0,
					     .key = buf_str(&w->key),
					     .value = w->is_pause ? buf_str(&w->value) : STR_NONE,
					     .headers = headers.v,
					     .n_headers = headers.n,
					     .sent = on_sent,
					     .ctx = w });
}

static void step(void *ctx)
{
	struct work *w = ctx;
	int r;

	if (w->is_sent || bus_partitions(w->shot.bus, TOPIC_RULES) <= 0)
		return;
	r = send_record(w);
	if (r == -ENOBUFS)
		return;
	w->is_sent = true;
	if (r != 0)
		on_sent(w, r, -1, -1);
}

static void compose(struct work *w)
{
	struct json_out j = JSON_OUT(&w->value);

	pauses_key(&w->key, w->collection);
	if (w->is_pause)
		pause_record_json(&j, &(struct pause_record){ .since = loop_now_ms(w->shot.loop),
					      .note = w->note });
}

static int work(struct work *w, const struct settings *s, struct fault *f)
{
	int r = one_shot_init(&w->shot, s, "souk-pause", f);

	if (r != 0)
		return r;
	compose(w);
	r = one_shot_run(&w->shot, s, step, w, f);
	if (r == 0 && w->err != 0)
		r = fault_set(f, FAULT_RETRY, w->err,
			"not acknowledged, it may be in the log or not: %s", strerror(-w->err));
	return r;
}

static void print_done(const struct work *w, bool is_json)
{
	CLEANUP(buf_fini) struct buf b = BUF_INIT(VALUE_MAX);
	struct json_out j = JSON_OUT(&b);

	if (!is_json) {
		printf("%s " STR_FMT " (" TOPIC_RULES " partition %" PRId32 " offset %" PRId64
		       ")\n",
			w->is_pause ? "paused" : "resumed",
			STR_ARG(str_is_set(w->collection) ? w->collection : STR("all collections")),
			w->partition, w->offset);
		return;
	}
	json_begin(&j, NULL);
	json_str(&j, "key", buf_str(&w->key));
	json_bool(&j, "paused", w->is_pause);
	json_i64(&j, "partition", w->partition);
	json_i64(&j, "offset", w->offset);
	json_end(&j);
	printf(STR_FMT "\n", STR_ARG(buf_str(&b)));
}

static bool is_wrong(const struct command *c, const char *flag, const char *value, const char *why)
{
	fprintf(stderr, "souk %s: --%s %s: %s\n", c->name, flag, value, why);
	return true;
}

static bool are_flags_wrong(const struct command *c, const char *collection, const char *note)
{
	if (collection && strcmp(collection, "all") == 0)
		return is_wrong(c, "collection", collection,
			"no collection can be paused under this name; leave --collection out for "
			"all");
	if (collection && (!*collection || strlen(collection) > PAUSE_SLUG_MAX ||
				  !str_is_utf8(str_of(collection))))
		return is_wrong(c, "collection", collection, "a slug has 1 to 128 bytes of UTF-8");
	if (note && (strlen(note) > PAUSE_NOTE_MAX || !str_is_utf8(str_of(note))))
		return is_wrong(c, "note", note, "at most 512 bytes of UTF-8");
	return false;
}

static int run_as(const struct command *c, bool is_pause, int argc, char **argv)
{
	const char *collection = NULL, *note = NULL;
	const struct own_flag own[] = { { .name = "collection", .value = &collection },
		{ .name = "note", .value = &note } };
	struct work w = {
		.is_pause = is_pause, .key = BUF_INIT(VALUE_MAX), .value = BUF_INIT(VALUE_MAX)
	};
	struct args a;
	struct settings s = { 0 };
	struct fault f = { 0 };
	int r = args_parse(&a, c, argc, argv, own, is_pause ? 2 : 1);

	if (r)
		return r - 1;
	if (are_flags_wrong(c, collection, note))
		return EXIT_USAGE;
	r = args_settings(&a, c, NULL, 0, &s);
	if (r)
		return r;
	w.collection = str_of(collection);
	w.note = str_of(note);
	r = work(&w, &s, &f);
	if (r)
		fprintf(stderr, "souk %s: %s\n", c->name, f.text);
	else
		print_done(&w, a.json);
	one_shot_fini(&w.shot);
	buf_fini(&w.key);
	buf_fini(&w.value);
	settings_unload(&s);
	return r ? EXIT_FAILED : EXIT_DONE;
}

static int run_pause(int argc, char **argv)
{
	return run_as(&command_pause, true, argc, argv);
}

static int run_resume(int argc, char **argv)
{
	return run_as(&command_resume, false, argc, argv);
}

const struct command command_pause = { "pause",
	"no offers and no new orders, of all collections or of one",
	"[--collection SLUG] [--note TEXT] [--config FILE] [--set key=value]… [--json]", run_pause,
	false };

const struct command command_resume = { "resume", "end a pause",
	"[--collection SLUG] [--config FILE] [--set key=value]… [--json]", run_resume, false };
