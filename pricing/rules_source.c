/*
 * Bodies of our name are kept as text, newest first to go last, because a pointer may come before
 * its body or name an old one again (a rollback). One that is no longer kept is looked for by
 * reading the topic again from its beginning, once per pointer.
 *
 * A file that is being written is a file that cannot be parsed, and is looked at again when it
 * changes once more: no lock, no protocol with whoever writes it.
 *
 * Order at start: everything up to the end of the topic is read before anything is put in force, so
 * that a restart does not price for a moment by what was replaced long ago.
 */
#include "pricing/rules_source.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "common/base/arena.h"
#include "common/base/config.h"
#include "common/base/crypto.h"
#include "common/base/log.h"
#include "common/model/decode.h"
#include "common/model/pause.h"
#include "common/model/topics.h"
#include "pricing/keyed.h"

#define BODIES_MAX   16
#define RETRY_MS     1000
#define LOOK_MS      1000
#define INFO_MAX     16 /* rulesets named in a metric; later ones are "other" */
#define HEX_LEN      64
#define ID_PREFIX    "sha256:"
#define PAUSE_PREFIX "pause/"

struct body {
	char *text;
	size_t n;
};

/* Which file was read. */
struct file_mark {
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec changed;
};

struct rules_source {
	struct loop *loop;
	struct bus *bus;
	struct bus_reader *reader;
	struct loop_timer *retry, *look;
	const struct rules_source_ops *ops;
	void *ctx;
	char name[65];
	const struct schema *schema;
	const struct ruleset *current; /* @file, @file_before or @named */
	struct ruleset *file;          /* as read last */
	struct ruleset
		*file_before;  /* still in force while the body of @file is on its way; NULL */
	struct ruleset *named; /* by the pointer */
	char *path;            /* of the file; NULL: none */
	struct file_mark mark;
	bool is_publishing, is_published;
	char publishing[RULESET_ID_LEN + 1];
	bool is_read;                    /* the topic, to its end, once */
	char wanted[RULESET_ID_LEN + 1]; /* the pointer's; "" = none */
	bool has_rescanned;              /* for this pointer */
	int64_t seen;              /* highest offset taken; what is read again is looked at for
				      the wanted body only */
	char problem[400];         /* with what is wanted; "" = none */
	char pointer_problem[400]; /* the last pointer was none; what was wanted before still is */
	char file_problem[400];
	struct {
		char id[RULESET_ID_LEN + 1];
		struct gauge *gauge;
	} info[INFO_MAX];
	size_t n_info;
	struct gauge *info_other, *info_now;
	struct metrics *metrics;
	struct keyed *bodies; /* hex -> struct body */
	struct pauses *pauses;
	struct counter *swaps, *refused;
};

static const struct metric_def SWAPS = { "souk_pricing_ruleset_swaps_total", METRIC_COUNTER,
	"Rulesets put in force.", NULL };
static const struct metric_def REFUSED = { "souk_pricing_ruleset_refused_total", METRIC_COUNTER,
	"Rulesets from nft.rules.v1 or the file that could not be used.", NULL };
static const struct metric_def INFO = { "souk_pricing_ruleset_info", METRIC_GAUGE,
	"1 for the ruleset in force, by its hash.", "ruleset" };

/* ---- in force ---- */

static struct gauge *info_of(struct rules_source *s, struct str id)
{
	for (size_t i = 0; i < s->n_info; i++) {
		if (str_eqz(id, s->info[i].id))
			return s->info[i].gauge;
	}
	if (s->n_info == INFO_MAX) {
		if (!s->info_other)
			s->info_other = metrics_gauge(s->metrics, &INFO, "other");
		return s->info_other;
	}
	(void)str_copy(s->info[s->n_info].id, sizeof(s->info[0].id), id);
	s->info[s->n_info].gauge = metrics_gauge(s->metrics, &INFO, s->info[s->n_info].id);
	return s->info[s->n_info++].gauge;
}

static void put_in_force(struct rules_source *s, const struct ruleset *rules)
{
	s->current = rules;
	s->problem[0] = '\0';
	counter_add(s->swaps, 1);
	if (s->info_now)
		s->info_now->value = 0;
	s->info_now = info_of(s, ruleset_id(rules));
	s->info_now->value = 1;
	log_info("rules", "ruleset in force", "name=%s version=%s id=" STR_FMT, s->name,
		log_quote(ruleset_version(rules)), STR_ARG(ruleset_id(rules)));
	s->ops->ruleset(s->ctx);
	if (s->file_before && s->current != s->file_before)
		s->file_before = ruleset_free(s->file_before);
}

/* @problem: one of the two of @s. */
static void refuse_in(struct rules_source *s, char problem[400], const char *what, const char *why)
{
	counter_add(s->refused, 1);
	snprintf(problem, sizeof(s->problem), "%s: %s", what, why);
	log_error("rules", "a ruleset was not taken, what is in force stays", "name=%s problem=%s",
		s->name, log_quote(str_of(problem)));
}

/* What is wanted. It is looked at again with whatever else is read, but refused once. */
static void refuse(struct rules_source *s, const char *why)
{
	char text[sizeof(s->problem)];

	snprintf(text, sizeof(text), "%s: %s", s->wanted, why);
	if (strcmp(text, s->problem) != 0)
		refuse_in(s, s->problem, s->wanted, why);
}

static void on_published(void *ctx, int err, int32_t partition, int64_t offset)
{
	struct rules_source *s = ctx;

	(void)partition;
	(void)offset;
	s->is_publishing = false;
	if (err == 0 && s->file && str_eqz(ruleset_id(s->file), s->publishing))
		s->is_published = true;
	loop_timer_start(s->retry, err ? RETRY_MS : 0);
}

/* The file's body has to be in the topic before it prices anything. */
static void publish_file(struct rules_source *s)
{
	char key[sizeof(s->name) + HEX_LEN + 2];
	struct str hex = { ruleset_id(s->file).p + strlen(ID_PREFIX), HEX_LEN };
	int n = snprintf(key, sizeof(key), "%s/" STR_FMT, s->name, STR_ARG(hex));
	const struct bus_message m = {
		.topic = TOPIC_RULES,
		.partition = 0,
		.key = { key, (size_t)n },
		.value = ruleset_body(s->file),
		.sent = on_published,
		.ctx = s,
	};

	if (s->is_publishing)
		return;
	if (keyed_get(s->bodies, hex))
		s->is_published = true;
	else if (bus_send(s->bus, &m) == 0) {
		s->is_publishing = true;
		(void)str_copy(s->publishing, sizeof(s->publishing), ruleset_id(s->file));
	}
	loop_timer_start(s->retry, s->is_published ? 0 : RETRY_MS);
}

static void rescan(struct rules_source *s)
{
	s->has_rescanned = true;
	bus_reader_remove(s->reader, TOPIC_RULES, 0);
	if (bus_reader_add(s->reader, TOPIC_RULES, 0, BUS_FROM_BEGIN, -1) != 0)
		loop_timer_start(s->retry, RETRY_MS);
}

static void follow_pointer(struct rules_source *s)
{
	struct body *b = keyed_get(s->bodies, str_of(s->wanted + strlen(ID_PREFIX)));
	struct ruleset *rules = NULL;
	struct fault f = { 0 };

	if (s->current && str_eqz(ruleset_id(s->current), s->wanted)) {
		s->problem[0] = '\0';
		return;
	}
	if (!b && !s->has_rescanned) {
		rescan(s);
		return;
	}
	if (!b) {
		refuse(s, "its body is not on the topic");
		return;
	}
	if (ruleset_parse(&rules, (struct str){ b->text, b->n }, s->schema, NULL, &f) != 0) {
		refuse(s, f.text);
		return;
	}
	if (!str_eqz(ruleset_id(rules), s->wanted) || !str_eqz(ruleset_name(rules), s->name)) {
		ruleset_free(rules);
		refuse(s, "the body under this key has another hash or name");
		return;
	}
	put_in_force(s, rules);
	ruleset_free(s->named);
	s->named = rules;
}

/* What the topic (and then the file) say now. */
static void follow(void *ctx)
{
	struct rules_source *s = ctx;

	if (!s->is_read)
		return;
	if (s->wanted[0])
		follow_pointer(s);
	else if (s->file && !s->is_published)
		publish_file(s);
	else if (s->file && s->current != s->file)
		put_in_force(s, s->file);
}

/* ---- the topic ---- */

struct pointer {
	struct str ruleset;
};
static const struct field pointer_fields[] = {
	{ .path = "ruleset", .kind = FIELD_ID, .flags = FIELD_REQUIRED, .offset = 0 },
};
static const struct record_type pointer_type = {
	.name = "pointer",
	.fields = pointer_fields,
	.n_fields = 1,
	.size = sizeof(struct pointer),
};

static bool is_ruleset_id(struct str s)
{
	uint8_t digest[32];

	return s.n == RULESET_ID_LEN && str_starts(s, STR(ID_PREFIX)) &&
	       hex_decode(digest, sizeof(digest), (struct str){ s.p + 7, HEX_LEN }) == 0;
}

static void on_pointer(struct rules_source *s, const struct bus_record *r)
{
	CLEANUP(arena_free) struct arena *a = NULL;
	struct pointer p;
	struct fault f = { 0 };

	if (!str_is_set(r->value)) {
		s->wanted[0] = '\0';
		s->problem[0] = s->pointer_problem[0] = '\0';
		return;
	}
	if (arena_new(&a, 1024) != 0)
		return;
	if (decode(&pointer_type, &p, r->value, a, &f) != 0 || !is_ruleset_id(p.ruleset)) {
		refuse_in(s, s->pointer_problem, "pointer",
			f.text[0] ? f.text : "\"ruleset\" must be sha256: and 64 hex digits");
		return;
	}
	s->problem[0] = s->pointer_problem[0] = '\0';
	if (!str_eqz(p.ruleset, s->wanted))
		s->has_rescanned = false;
	(void)str_copy(s->wanted, sizeof(s->wanted), p.ruleset);
}

static void forget_oldest(struct rules_source *s)
{
	struct str key;
	struct body *b = keyed_oldest(s->bodies, &key);

	free(b->text);
	keyed_remove(s->bodies, key);
}

static void on_body(struct rules_source *s, struct str hex, struct str value)
{
	struct body *b = keyed_get(s->bodies, hex);

	if (b || !str_is_set(value) || value.n > RULESET_BYTES_MAX)
		return;
	if (keyed_count(s->bodies) == BODIES_MAX)
		forget_oldest(s);
	b = keyed_put(s->bodies, hex);
	if (!b)
		return;
	b->text = malloc(value.n + 1);
	b->n = value.n;
	if (b->text)
		memcpy(b->text, value.p, value.n);
	else
		keyed_remove(s->bodies, hex);
}

static void on_pause(struct rules_source *s, struct str key, bool is_paused)
{
	struct str slug = { key.p + strlen(PAUSE_PREFIX), key.n - strlen(PAUSE_PREFIX) };
	bool is_all = str_eqz(slug, "all");

	if (!pauses_apply(s->pauses, key, is_paused) || !is_paused)
		return;
	if (pauses_overflowed(s->pauses)) {
		log_error("rules", "more pauses than can be kept apart, everything is paused",
			"max=%d", PAUSES_MAX);
		is_all = true;
	}
	s->ops->paused(s->ctx, is_all ? STR_NONE : slug);
}

/* Of `<name>/<64 hex>`; p == NULL for any other key. */
static struct str body_hex(const struct rules_source *s, struct str key)
{
	struct str name = str_of(s->name);

	if (!str_starts(key, name) || key.n != name.n + 1 + HEX_LEN || key.p[name.n] != '/')
		return STR_NONE;
	return (struct str){ key.p + name.n + 1, HEX_LEN };
}

static void on_record(struct rules_source *s, const struct bus_record *r)
{
	struct str key = r->key, hex = body_hex(s, key);
	bool is_again = r->offset <= s->seen;

	if (str_is_set(hex)) {
		if (!is_again || str_eqz(hex, s->wanted + strlen(ID_PREFIX)))
			on_body(s, hex, r->value);
	} else if (!is_again && str_starts(key, STR(PAUSE_PREFIX))) {
		on_pause(s, key, str_is_set(r->value));
	} else if (!is_again && str_eqz(key, s->name)) {
		on_pointer(s, r);
	}
	if (!is_again)
		s->seen = r->offset;
}

static void on_records(void *ctx, const struct bus_record *r, size_t n)
{
	struct rules_source *s = ctx;

	for (size_t i = 0; i < n; i++)
		on_record(s, &r[i]);
}

static void on_end(void *ctx, const char *topic, int32_t partition, int64_t next_offset)
{
	struct rules_source *s = ctx;

	(void)topic;
	(void)partition;
	(void)next_offset;
	s->is_read = true;
	loop_timer_start(s->retry, 0);
}

/* ---- the file ---- */

static int mark_of(struct file_mark *ret, const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return -errno;
	*ret = (struct file_mark){ st.st_dev, st.st_ino, st.st_size, st.st_ctim };
	return 0;
}

static bool mark_eq(const struct file_mark *a, const struct file_mark *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
	       a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec;
}

/* The mark is taken first: a change while it is read is seen the next time. */
static int read_file(struct rules_source *s, struct ruleset **ret, struct fault *f)
{
	struct fault why = { 0 };
	char *text = NULL;
	size_t n;
	int r;

	(void)mark_of(&s->mark, s->path);
	r = file_read(s->path, RULESET_BYTES_MAX, &text, &n, f);
	if (r != 0)
		return r;
	r = ruleset_parse(ret, (struct str){ text, n }, s->schema, NULL, &why);
	free(text);
	if (r != 0)
		return fault_set(f, FAULT_FATAL, r, "%.60s: %.180s", s->path, why.text);
	return 0;
}

/* Takes @rules. */
static void take_file(struct rules_source *s, struct ruleset *rules)
{
	s->file_problem[0] = '\0';
	if (s->file && str_eq(ruleset_id(s->file), ruleset_id(rules))) {
		ruleset_free(rules);
		return;
	}
	if (s->current && s->current == s->file)
		s->file_before = s->file;
	else
		ruleset_free(s->file);
	s->file = rules;
	s->is_published = false;
	if (s->file_before && str_eq(ruleset_id(s->file_before), ruleset_id(rules))) {
		/* Back again before the other one got in force. */
		s->file = s->file_before;
		s->file_before = NULL;
		s->is_published = true;
		ruleset_free(rules);
	}
	loop_timer_start(s->retry, 0);
}

static void on_look(void *ctx)
{
	struct rules_source *s = ctx;
	struct file_mark mark = { 0 };
	struct ruleset *rules = NULL;
	struct fault f = { 0 };

	(void)mark_of(&mark, s->path);
	if (mark_eq(&mark, &s->mark))
		return;
	if (read_file(s, &rules, &f) != 0) {
		s->mark = mark;
		refuse_in(s, s->file_problem, "file", f.text);
	} else if (!str_eqz(ruleset_name(rules), s->name)) {
		ruleset_free(rules);
		refuse_in(s, s->file_problem, "file", "it has another name now");
	} else {
		take_file(s, rules);
	}
}

/* ---- life ---- */

static int load_file(struct rules_source *s, const char *path, struct fault *f)
{
	s->path = strdup(path);
	if (!s->path)
		return -ENOMEM;
	return read_file(s, &s->file, f);
}

static int set_name(struct rules_source *s, const struct rules_source_config *c, struct fault *f)
{
	struct str name = c->name ? str_of(c->name) : s->file ? ruleset_name(s->file) : STR_NONE;

	if (!str_is_set(name))
		return fault_set(f, FAULT_FATAL, -EINVAL,
			"pricing.rules_file or pricing.rules_name must be given");
	if (str_copy(s->name, sizeof(s->name), name) != 0)
		return fault_set(
			f, FAULT_FATAL, -EINVAL, "pricing.rules_name: at most 64 characters");
	if (s->file && !str_eq(ruleset_name(s->file), name))
		return fault_set(f, FAULT_FATAL, -EINVAL,
			"pricing.rules_name is \"%s\", but the ruleset in rules_file is \"" STR_FMT
			"\"",
			s->name, STR_ARG(ruleset_name(s->file)));
	return 0;
}

int rules_source_new(struct rules_source **ret, struct loop *loop, struct bus *bus,
	struct metrics *m, const struct rules_source_config *config,
	const struct rules_source_ops *ops, void *ctx, struct fault *f)
{
	static const struct bus_reader_ops reader_ops = { .records = on_records, .at_end = on_end };
	CLEANUP(rules_source_free) struct rules_source *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->loop = loop;
	s->bus = bus;
	s->ops = ops;
	s->seen = -1;
	s->ctx = ctx;
	s->metrics = m;
	s->schema = price_schema();
	if (!s->schema)
		return -ENOMEM;
	s->swaps = metrics_counter(m, &SWAPS, NULL);
	s->refused = metrics_counter(m, &REFUSED, NULL);
	r = config->file ? load_file(s, config->file, f) : 0;
	if (r == 0)
		r = set_name(s, config, f);
	if (r == 0)
		r = keyed_new(&s->bodies, BODIES_MAX, sizeof(struct body));
	if (r == 0)
		r = pauses_new(&s->pauses);
	if (r != 0)
		return r;
	s->retry = loop_timer_new(loop, follow, s);
	s->look = loop_timer_new(loop, on_look, s);
	if (!s->retry || !s->look)
		return -ENOMEM;
	if (s->path)
		loop_timer_repeat(s->look, LOOK_MS);
	r = bus_reader_open(bus, &s->reader, &reader_ops, s);
	if (r == 0)
		r = bus_reader_add(s->reader, TOPIC_RULES, 0, BUS_FROM_BEGIN, -1);
	if (r != 0)
		return r;
	*ret = TAKE(s);
	return 0;
}

struct rules_source *rules_source_free(struct rules_source *s)
{
	if (!s)
		return NULL;
	if (s->reader)
		bus_reader_close(s->reader);
	loop_timer_free(s->retry);
	loop_timer_free(s->look);
	while (s->bodies && keyed_count(s->bodies))
		forget_oldest(s);
	keyed_free(s->bodies);
	pauses_free(s->pauses);
	ruleset_free(s->named);
	ruleset_free(s->file);
	ruleset_free(s->file_before);
	free(s->path);
	free(s);
	return NULL;
}

const struct ruleset *rules_source_current(const struct rules_source *s)
{
	return s->current;
}

bool rules_source_is_paused(const struct rules_source *s, struct str collection)
{
	return pauses_has(s->pauses, collection);
}

void rules_source_why(const struct rules_source *s, struct buf *why)
{
	if (s->current)
		return;
	if (s->problem[0] || s->pointer_problem[0])
		buf_printf(why, "rules: %s\n", s->problem[0] ? s->problem : s->pointer_problem);
	else if (!s->is_read)
		buf_printf(why, "rules: %s has not been read to its end\n", TOPIC_RULES);
	else if (s->is_publishing || s->file)
		buf_printf(why, "rules: the body of %s is not on %s yet\n", s->name, TOPIC_RULES);
	else
		buf_printf(why, "rules: no pointer \"%s\" on %s\n", s->name, TOPIC_RULES);
}

void rules_source_note(const struct rules_source *s, struct buf *note)
{
	const char *problem = s->wanted[0] ? s->problem : s->file_problem;

	if (s->pointer_problem[0])
		problem = s->pointer_problem;
	if (s->current && problem[0])
		buf_printf(note, "rules: refused, what was in force stays: %s\n", problem);
}
