/* The fold: what each record does, to whom it counts, and how many units are left. */
#include "tests/unit/wallet-bridge/requests_tape.h"

static struct arena *arena;

static void setup(void)
{
	cr_assert(zero(int, arena_new(&arena, REQUEST_LOG_ARENA_MIN)));
}

static void teardown(void)
{
	arena = arena_free(arena);
}

TestSuite(request_log, .init = setup, .fini = teardown);

static struct request_log *log_of(size_t items_max, size_t orders_max, bool keeps_requests)
{
	struct request_log *l = NULL;

	cr_assert(zero(int, request_log_new(&l, &(struct request_log_config){
							items_max, orders_max, keeps_requests })));
	return l;
}

static enum log_effect apply(struct request_log *l, const struct tape_record *r)
{
	enum log_effect effect;

	cr_assert(zero(int, tape_apply(l, r, arena, &effect, NULL)));
	cr_expect(zero(sz, arena_used(arena)), "scratch is left as it was");
	return effect;
}

static enum log_effect say(struct request_log *l, struct tape *t, const char *text)
{
	return apply(l, tape_say(t, text));
}

static const struct log_order *order(const struct request_log *l, const char *id)
{
	const struct log_order *o = request_log_order(l, str_of(id));

	cr_assert(o != NULL, "%s", id);
	return o;
}

static int64_t free_of(const struct request_log *l, const char *item)
{
	return request_log_free_units(l, tape_item(item));
}

/* ---- the fold as a table ---- */

struct step {
	const char *say;
	enum log_effect effect;
	int64_t free_a; /* units of item A behind it */
};

#define STEPS_MAX 16

static const struct scenario {
	const char *name;
	struct step steps[STEPS_MAX];
} scenarios[] = {
	{ "a unit is taken and freed",
		{
			{ "own", LOG_OWNER, 0 },
			{ "sup a 1 2", LOG_SUPPLY, 2 },
			{ "req o1 a", LOG_TAKEN, 1 },
			{ "req o2 a", LOG_TAKEN, 0 },
			{ "rel o1 a EXPIRED", LOG_RELEASED, 1 },
			{ "req o3 a", LOG_TAKEN, 0 },
		} },
	{ "two orders for the last unit: the lower offset has it",
		{
			{ "own", LOG_OWNER, 0 }, { "sup a 1 1", LOG_SUPPLY, 1 },
			{ "req o2 a", LOG_TAKEN, 0 }, { "req o1 a", LOG_BEYOND, 0 },
			{ "rel o2 a CANCELLED", LOG_RELEASED, 1 },
			{ "req o1 a", LOG_REPEAT, 1 }, /* it had its answer */
		} },
	{ "the first request or refusal of an order counts",
		{
			{ "own", LOG_OWNER, 0 }, { "sup a 1 9", LOG_SUPPLY, 9 },
			{ "req o1 a", LOG_TAKEN, 8 }, { "req o1 a", LOG_REPEAT, 8 },
			{ "ref o1 a LIMIT", LOG_REPEAT, 8 }, { "ref o2 a LIMIT", LOG_REFUSED, 8 },
			{ "req o2 a", LOG_REPEAT, 8 }, { "ref o2 a PAUSED", LOG_REPEAT, 8 },
			{ "req o1 b", LOG_REPEAT, 8 }, /* an order is of one item */
		} },
	{ "a release counts once, of what is taken, for its own item",
		{
			{ "own", LOG_OWNER, 0 }, { "sup a 1 3", LOG_SUPPLY, 3 },
			{ "sup b 1 3", LOG_SUPPLY, 3 }, { "rel o1 a EXPIRED", LOG_UNREADABLE, 3 },
			{ "req o1 a", LOG_TAKEN, 2 }, { "rel o1 b EXPIRED", LOG_UNREADABLE, 2 },
			{ "rel o1 a EXPIRED", LOG_RELEASED, 3 },
			{ "rel o1 a EXPIRED", LOG_REPEAT, 3 },
			{ "rel o1 a REVERTED", LOG_REPEAT, 3 },
			{ "ref o2 a LIMIT", LOG_REFUSED, 3 },
			{ "rel o2 a EXPIRED", LOG_UNREADABLE, 3 },
			{ "req o1 a", LOG_REPEAT, 3 }, /* and is not taken again */
		} },
	{ "a release of what was beyond frees nothing",
		{
			{ "own", LOG_OWNER, 0 },
			{ "sup a 1 1", LOG_SUPPLY, 1 },
			{ "req o1 a", LOG_TAKEN, 0 },
			{ "req o2 a", LOG_BEYOND, 0 },
			{ "rel o2 a EXPIRED", LOG_UNREADABLE, 0 },
			{ "req o3 a", LOG_BEYOND, 0 },
		} },
	{ "without a supply every request is beyond",
		{
			{ "own", LOG_OWNER, 0 },
			{ "req o1 a", LOG_BEYOND, 0 },
			{ "sup b 1 5", LOG_SUPPLY, 0 },
			{ "req o2 a", LOG_BEYOND, 0 },
			{ "sup a 1 0", LOG_SUPPLY, 0 },
			{ "req o3 a", LOG_BEYOND, 0 },
			{ "sup a 2 1", LOG_SUPPLY, 1 },
			{ "req o1 a", LOG_REPEAT, 1 },
			{ "req o4 a", LOG_TAKEN, 0 },
		} },
	{ "a supply counts if its version is higher",
		{
			{ "own", LOG_OWNER, 0 },
			{ "sup a 9 4", LOG_SUPPLY, 4 },
			{ "sup a 9 5", LOG_REPEAT, 4 },
			{ "sup a 8 6", LOG_REPEAT, 4 },
			{ "sup a 10 7", LOG_SUPPLY, 7 }, /* as numbers: 9 < 10 */
			{ "sup a 11 7", LOG_SUPPLY, 7 },
		} },
	{ "a supply lowered below what is taken leaves nothing, and is not a debt that is "
	  "forgotten",
		{
			{ "own", LOG_OWNER, 0 },
			{ "sup a 1 3", LOG_SUPPLY, 3 },
			{ "req o1 a", LOG_TAKEN, 2 },
			{ "req o2 a", LOG_TAKEN, 1 },
			{ "sup a 2 1", LOG_SUPPLY, 0 },
			{ "req o3 a", LOG_BEYOND, 0 },
			{ "rel o1 a EXPIRED", LOG_RELEASED, 0 }, /* 1 of 1 taken */
			{ "rel o2 a EXPIRED", LOG_RELEASED, 1 },
			{ "req o4 a", LOG_TAKEN, 0 },
			{ "sup a 3 5", LOG_SUPPLY, 4 },
		} },
	{ "records of a former owner are void",
		{
			{ "own", LOG_OWNER, 0 },
			{ "sup a 1 2", LOG_SUPPLY, 2 },
			{ "req o1 a", LOG_TAKEN, 1 },
			{ "own", LOG_OWNER, 1 },
			{ "@old req o2 a", LOG_VOID, 1 },
			{ "@old rel o1 a EXPIRED", LOG_VOID, 1 },
			{ "@old ref o3 a LIMIT", LOG_VOID, 1 },
			{ "@old sup a 2 0", LOG_VOID, 1 },
			{ "req o2 a", LOG_TAKEN, 0 }, /* nobody had decided it */
			{ "rel o1 a EXPIRED", LOG_RELEASED, 1 },
			{ "req o3 a", LOG_TAKEN, 0 },
		} },
	{ "who never spoke is void, and so is what carries no epoch or no number",
		{
			{ "@none sup a 1 2", LOG_VOID, 0 },
			{ "@0 sup a 1 2", LOG_VOID, 0 }, /* its own offset is no epoch */
			{ "own", LOG_OWNER, 0 },
			{ "@none sup a 1 2", LOG_VOID, 0 },
			{ "@3 sup a 1 2", LOG_VOID, 0 },
			{ "@1 sup a 1 2", LOG_VOID, 0 },
			{ "@02 sup a 1 2", LOG_VOID, 0 },
			{ "@-2 sup a 1 2", LOG_VOID, 0 },
			{ "@2x sup a 1 2", LOG_VOID, 0 },
			{ "@99999999999999999999 sup a 1 2", LOG_VOID, 0 },
			{ "@2 sup a 1 2", LOG_SUPPLY, 2 },
		} },
	{ "the same owner again is a new epoch",
		{
			{ "own", LOG_OWNER, 0 },
			{ "sup a 1 2", LOG_SUPPLY, 2 },
			{ "own", LOG_OWNER, 2 },
			{ "own", LOG_OWNER, 2 },
			{ "@old req o1 a", LOG_VOID, 2 },
			{ "req o1 a", LOG_TAKEN, 1 },
		} },
	{ "what cannot be read moves nothing",
		{
			{ "own", LOG_OWNER, 0 },
			{ "sup a 1 2", LOG_SUPPLY, 2 },
			{ "nil", LOG_UNREADABLE, 2 },
			{ "raw ", LOG_UNREADABLE, 2 },
			{ "raw {", LOG_UNREADABLE, 2 },
			{ "raw []", LOG_UNREADABLE, 2 },
			{ "raw {}", LOG_UNREADABLE, 2 },
			{ "raw {\"type\":\"decision\"}", LOG_UNREADABLE, 2 },
			{ "raw "
			  "{\"type\":\"supply\",\"item\":\"game:test/sword:iron/a\",\"ver\":\"2\"}",
				LOG_UNREADABLE, 2 },
			{ "raw {\"type\":\"supply\",\"item\":\"game:test/sword:iron/a\","
			  "\"ver\":\"2\",\"supply\":-1}",
				LOG_UNREADABLE, 2 },
			{ "raw {\"type\":\"request\",\"order\":\"o1\","
			  "\"item\":\"game:test/sword:iron/a\"}",
				LOG_UNREADABLE, 2 },
			{ "raw {\"type\":\"release\",\"type\":\"refusal\"}", LOG_UNREADABLE, 2 },
			/* another partition's owner record is not one of ours */
			{ "raw {\"type\":\"owner\",\"shard\":4,\"instance\":\"i\",\"ts\":1}",
				LOG_UNREADABLE, 2 },
			{ "req o1 a", LOG_TAKEN, 1 },
		} },
};

Test(request_log, the_fold_does_what_the_table_says)
{
	for (size_t i = 0; i < ARRAY_LEN(scenarios); i++) {
		CLEANUP(request_log_free) struct request_log *l = log_of(16, 16, false);
		CLEANUP(tape_free) struct tape *t = tape_new(0);

		for (const struct step *s = scenarios[i].steps; s->say; s++) {
			cr_expect(eq(int, (int)say(l, t, s->say), (int)s->effect), "%s: %s",
				scenarios[i].name, s->say);
			cr_expect(eq(i64, free_of(l, "a"), s->free_a), "%s: behind %s",
				scenarios[i].name, s->say);
		}
	}
}

/* ---- what is told of it ---- */

Test(request_log, an_order_tells_what_it_got_when_and_for_what)
{
	CLEANUP(request_log_free) struct request_log *l = log_of(4, 8, false);
	CLEANUP(tape_free) struct tape *t = tape_new(0);
	const struct log_order *o;

	say(l, t, "own");
	say(l, t, "sup a 1 1");
	say(l, t, "req o1 a");
	say(l, t, "req o2 a");
	say(l, t, "ref o3 a QUOTE_EXPIRED");
	say(l, t, "ref o4 b SOLD_OUT");
	say(l, t, "rel o1 a REVERTED");

	o = order(l, "o1");
	cr_expect(eq(int, o->state, LOGGED_RELEASED));
	cr_expect(str_eqz(o->id, "o1") && str_eqz(o->reason, "REVERTED"));
	cr_expect(eq(i64, o->offset, 2));
	cr_expect(eq(i64, o->ts_ms, 1000002), "the request's");
	cr_expect(eq(i64, o->end_ms, 1000006), "the release's");
	cr_expect(eq(ptr, (void *)o->item, (void *)request_log_item(l, tape_item("a"))));

	o = order(l, "o2");
	cr_expect(eq(int, o->state, LOGGED_BEYOND));
	cr_expect(not(str_is_set(o->reason)));
	cr_expect(zero(i64, o->end_ms));

	o = order(l, "o3");
	cr_expect(eq(int, o->state, LOGGED_REFUSED));
	cr_expect(str_eqz(o->reason, "QUOTE_EXPIRED"));
	cr_expect(eq(i64, o->ts_ms, 1000004));

	o = order(l, "o4");
	cr_expect(eq(int, o->state, LOGGED_REFUSED));
	cr_expect(eq(ptr, (void *)o->item, NULL), "b was never supplied");
	cr_expect(eq(ptr, (void *)request_log_order(l, STR("o5")), NULL));
	cr_expect(eq(sz, request_log_n_orders(l), 4));
}

Test(request_log, apply_gives_the_order_that_the_record_spoke_of)
{
	CLEANUP(request_log_free) struct request_log *l = log_of(4, 4, false);
	CLEANUP(tape_free) struct tape *t = tape_new(0);
	static const struct {
		const char *say, *order;
	} rows[] = {
		{ "own", NULL },
		{ "sup a 1 1", NULL },
		{ "rel o1 a EXPIRED", NULL },
		{ "req o1 a", "o1" },
		{ "req o1 a", "o1" },
		{ "ref o2 a LIMIT", "o2" },
		{ "rel o2 a EXPIRED", "o2" },
		{ "rel o1 a EXPIRED", "o1" },
		{ "rel o1 a EXPIRED", "o1" },
		{ "@none req o3 a", NULL },
		{ "raw {}", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct log_order *o = (const struct log_order *)&rows;
		enum log_effect effect;

		cr_assert(zero(int, tape_apply(l, tape_say(t, rows[i].say), arena, &effect, &o)));
		cr_assert(eq(int, o != NULL, rows[i].order != NULL), "%s", rows[i].say);
		cr_expect(o == NULL || str_eqz(o->id, rows[i].order), "%s", rows[i].say);
	}
}

Test(request_log, an_item_tells_its_counts_and_what_moved_them_last)
{
	CLEANUP(request_log_free) struct request_log *l = log_of(4, 8, false);
	CLEANUP(tape_free) struct tape *t = tape_new(40);
	const struct log_item *i;

	cr_expect(eq(ptr, (void *)request_log_item(l, tape_item("a")), NULL));
	say(l, t, "own");
	say(l, t, "sup a 7 2");
	i = request_log_item(l, tape_item("a"));
	cr_assert(i != NULL);
	cr_expect(str_eq(i->item, tape_item("a")));
	cr_expect(zero(int, version_cmp(i->supply_ver, (struct version){ { 7 } })));
	cr_expect(i->has_supply && i->supply == 2 && i->taken == 0);
	cr_expect(eq(i64, i->through, 42));
	say(l, t, "req o1 a");
	cr_expect(i->taken == 1 && i->through == 43);
	say(l, t, "req o1 a");
	say(l, t, "ref o2 a LIMIT");
	say(l, t, "@none rel o1 a EXPIRED");
	cr_expect(i->taken == 1 && i->through == 43, "these moved nothing");
	say(l, t, "rel o1 a EXPIRED");
	cr_expect(i->taken == 0 && i->through == 47);
	say(l, t, "sup a 7 9");
	cr_expect(i->supply == 2 && i->through == 47);
	cr_expect(eq(sz, request_log_n_items(l), 1));
}

Test(request_log, the_epoch_is_the_offset_of_the_last_owner_record)
{
	CLEANUP(request_log_free) struct request_log *l = log_of(4, 4, false);
	CLEANUP(tape_free) struct tape *t = tape_new(0);

	cr_expect(eq(i64, request_log_epoch(l), -1));
	say(l, t, "raw {}");
	say(l, t, "own");
	cr_expect(eq(i64, request_log_epoch(l), 1));
	say(l, t, "sup a 1 1");
	say(l, t, "own");
	cr_expect(eq(i64, request_log_epoch(l), 3));
}

Test(request_log, a_record_that_was_given_already_is_ignored)
{
	CLEANUP(request_log_free) struct request_log *l = log_of(4, 8, false);
	CLEANUP(tape_free) struct tape *t = tape_new(0);

	say(l, t, "own");
	say(l, t, "sup a 1 5");
	say(l, t, "req o1 a");
	say(l, t, "own");
	say(l, t, "rel o1 a EXPIRED");
	for (size_t i = 0; i < t->n; i++)
		cr_expect(eq(int, (int)apply(l, &t->v[i]), LOG_REPEAT), "%zu", i);
	cr_expect(eq(i64, free_of(l, "a"), 5));
	cr_expect(eq(i64, request_log_epoch(l), 3));
	cr_expect(eq(int, (int)say(l, t, "req o2 a"), LOG_TAKEN));
}

Test(request_log, only_the_last_epoch_header_counts)
{
	CLEANUP(request_log_free) struct request_log *l = log_of(4, 4, false);
	CLEANUP(tape_free) struct tape *t = tape_new(0);
	struct bus_header headers[] = { { STR("ce_type"), STR("0") },
		{ STR(REQUEST_EPOCH_HEADER), STR("7") }, { STR(REQUEST_EPOCH_HEADER), STR("0") },
		{ STR("x-souk-epoc"), STR("7") } };
	struct tape_record *r;
	struct bus_record record;
	enum log_effect effect;

	say(l, t, "own");
	r = tape_say(t, "sup a 1 1");
	record = (struct bus_record){ .partition = TAPE_PARTITION,
		.offset = r->offset,
		.value = buf_str(&r->value),
		.headers = headers,
		.n_headers = 4 };
	cr_assert(zero(int, request_log_apply(l, &record, arena, &effect, NULL)));
	cr_expect(eq(int, (int)effect, LOG_SUPPLY));
}

/* ---- requests kept ---- */

Test(request_log, a_request_is_kept_byte_by_byte_while_its_unit_is_taken)
{
	CLEANUP(request_log_free) struct request_log *l = log_of(4, 8, true);
	CLEANUP(tape_free) struct tape *t = tape_new(0);
	struct tape_record *r;
	const struct log_order *o;

	say(l, t, "own");
	say(l, t, "sup a 1 1");
	r = tape_say(t, "req o1 a");
	apply(l, r);
	o = order(l, "o1");
	cr_expect(str_eq(o->request, buf_str(&r->value)));
	cr_expect(ne(ptr, (void *)o->request.p, r->value.p), "copied");
	say(l, t, "req o1 a");
	cr_expect(str_is_set(o->request), "a repeat leaves it");
	say(l, t, "req o2 a");
	cr_expect(not(str_is_set(order(l, "o2")->request)), "beyond");
	say(l, t, "ref o3 a LIMIT");
	cr_expect(not(str_is_set(order(l, "o3")->request)));
	say(l, t, "rel o1 a EXPIRED");
	cr_expect(not(str_is_set(o->request)));
}

Test(request_log, a_log_that_keeps_no_requests_has_none)
{
	CLEANUP(request_log_free) struct request_log *l = log_of(4, 4, false);
	CLEANUP(tape_free) struct tape *t = tape_new(0);

	say(l, t, "own");
	say(l, t, "sup a 1 1");
	say(l, t, "req o1 a");
	cr_expect(not(str_is_set(order(l, "o1")->request)));
}

Test(request_log, the_smallest_arena_reads_the_largest_request)
{
	CLEANUP(request_log_free) struct request_log *l = log_of(4, 4, true);
	CLEANUP(tape_free) struct tape *t = tape_new(0);
	CLEANUP(buf_fini) struct buf text = BUF_INIT(65536);
	struct json_out j = JSON_OUT(&text);
	char id[128], pay[1025], signatures[4097];
	struct payment_request q = { .order = { id, 128 },
		.item = tape_item("a"),
		.buyer = STR("0x27b1fdb04752bbc536007a920d24acb045561c26"),
		.seller = STR("0x52908400098527886e0f7030069857d2e4169ee7"),
		.price = { ((u128)1 << 96) - 1, currency_find(STR("ETH")) },
		.quote = STR(
			"sha256:a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1"),
		.pay = { pay, 1024 },
		.signatures = { signatures, 4096 },
		.ts = 1 };

	memset(id, 'x', sizeof(id));
	snprintf(pay, sizeof(pay), "{\"mode\":\"%01013d\"}", 0);
	snprintf(signatures, sizeof(signatures), "{\"buyer\":\"%04084d\"}", 0);
	payment_request_json(&j, &q);
	buf_putc(&text, '\0');
	say(l, t, "own");
	say(l, t, "sup a 1 1");
	struct tape_record *r = tape_say(t, "raw ");
	buf_puts(&r->value, str_of(text.p));
	cr_expect(eq(int, (int)apply(l, r), LOG_TAKEN));
}

/* ---- maxima, forgetting ---- */

static int try(struct request_log *l, const struct tape_record *r)
{
	enum log_effect effect;

	return tape_apply(l, r, arena, &effect, NULL);
}

Test(request_log, when_full_nothing_is_applied_until_there_is_room)
{
	CLEANUP(request_log_free) struct request_log *l = log_of(2, 2, true);
	CLEANUP(tape_free) struct tape *t = tape_new(0);
	struct tape_record *r;

	say(l, t, "own");
	say(l, t, "sup a 1 5");
	say(l, t, "sup b 1 5");
	say(l, t, "req o1 a");
	say(l, t, "ref o2 a LIMIT");
	r = tape_say(t, "req o3 a");
	cr_expect(eq(int, try(l, r), REQUEST_LOG_E_FULL));
	cr_expect(eq(int, try(l, r), REQUEST_LOG_E_FULL));
	cr_expect(eq(i64, free_of(l, "a"), 4));
	request_log_forget(l, STR("o2"));
	cr_expect(eq(int, (int)apply(l, r), LOG_TAKEN), "given again");
	cr_expect(eq(i64, free_of(l, "a"), 3));
	cr_expect(eq(int, (int)say(l, t, "req o1 a"), LOG_REPEAT), "needs no room");
	cr_expect(eq(int, (int)say(l, t, "rel o1 a EXPIRED"), LOG_RELEASED));
	cr_expect(eq(int, (int)say(l, t, "sup a 2 6"), LOG_SUPPLY));
	r = tape_say(t, "ref o4 a LIMIT");
	cr_expect(eq(int, try(l, r), REQUEST_LOG_E_FULL));
	request_log_forget(l, STR("o1"));
	cr_expect(eq(int, (int)apply(l, r), LOG_REFUSED));
	cr_expect(eq(int, try(l, tape_say(t, "sup c 1 1")), REQUEST_LOG_E_FULL));
	cr_expect(eq(sz, request_log_n_items(l), 2));
}

Test(request_log, an_order_that_is_forgotten_leaves_its_unit_counted)
{
	CLEANUP(request_log_free) struct request_log *l = log_of(2, 4, true);
	CLEANUP(tape_free) struct tape *t = tape_new(0);

	say(l, t, "own");
	say(l, t, "sup a 1 2");
	say(l, t, "req o1 a");
	request_log_forget(l, STR("o1"));
	request_log_forget(l, STR("o1"));
	request_log_forget(l, STR("never"));
	cr_expect(eq(ptr, (void *)request_log_order(l, STR("o1")), NULL));
	cr_expect(zero(sz, request_log_n_orders(l)));
	cr_expect(eq(i64, free_of(l, "a"), 1));
	cr_expect(eq(int, (int)say(l, t, "rel o1 a EXPIRED"), LOG_UNREADABLE),
		"nobody remembers that it was taken");
	cr_expect(eq(i64, free_of(l, "a"), 1), "the safe side");
}

Test(request_log, many_items_and_orders_are_found_and_walked)
{
	CLEANUP(request_log_free) struct request_log *l = log_of(100, 150, true);
	CLEANUP(tape_free) struct tape *t = tape_new(0);
	char text[64];

	say(l, t, "own");
	for (int i = 0; i < 100; i++) {
		snprintf(text, sizeof(text), "sup i%d 1 %d", i, i);
		say(l, t, text);
	}
	for (int i = 0; i < 150; i++) {
		snprintf(text, sizeof(text), "req o%d i%d", i, i % 100);
		say(l, t, text);
	}
	cr_expect(eq(sz, request_log_n_items(l), 100));
	cr_expect(eq(sz, request_log_n_orders(l), 150));
	for (int i = 0; i < 150; i++) {
		snprintf(text, sizeof(text), "o%d", i);
		cr_expect(eq(i64, order(l, text)->offset, 101 + i));
	}
	cr_expect(eq(i64, free_of(l, "i0"), 0));
	cr_expect(eq(i64, free_of(l, "i1"), 0));
	cr_expect(eq(i64, free_of(l, "i7"), 5));
	cr_expect(eq(i64, free_of(l, "i99"), 98));
}

static bool count_item(void *ctx, const struct log_item *i)
{
	size_t *n = ctx;

	cr_expect(str_is_set(i->item));
	return --*n > 0;
}

static bool count_order(void *ctx, const struct log_order *o)
{
	size_t *n = ctx;

	cr_expect(str_is_set(o->id));
	return --*n > 0;
}

Test(request_log, a_walk_meets_each_once_and_stops_when_told)
{
	CLEANUP(request_log_free) struct request_log *l = log_of(4, 4, false);
	CLEANUP(tape_free) struct tape *t = tape_new(0);
	size_t n;

	say(l, t, "own");
	say(l, t, "sup a 1 5");
	say(l, t, "sup b 1 5");
	say(l, t, "sup c 1 5");
	say(l, t, "req o1 a");
	say(l, t, "req o2 b");
	say(l, t, "ref o3 c LIMIT");
	n = 100;
	request_log_each_item(l, count_item, &n);
	cr_expect(eq(sz, n, 97));
	n = 100;
	request_log_each_order(l, count_order, &n);
	cr_expect(eq(sz, n, 97));
	n = 2;
	request_log_each_item(l, count_item, &n);
	cr_expect(zero(sz, n), "not asked again");
	n = 1;
	request_log_each_order(l, count_order, &n);
	cr_expect(zero(sz, n));
}

/* ---- snapshots, and logs without their beginning ---- */

static void snapshot(struct request_log *l, const char *item, uint64_t epoch, uint64_t n,
	int64_t supply, int64_t taken, int64_t through)
{
	struct stock s = { .item = tape_item(item),
		.ver = { { epoch, n } },
		.supply = supply,
		.taken = taken,
		.through = through };

	cr_assert(zero(int, request_log_snapshot(l, &s)));
}

Test(request_log, records_below_a_snapshot_teach_orders_and_move_no_counts)
{
	CLEANUP(request_log_free) struct request_log *l = log_of(4, 8, true);
	CLEANUP(tape_free) struct tape *t = tape_new(0);

	snapshot(l, "a", 0, 1, 2, 1, 5);
	cr_expect(eq(i64, free_of(l, "a"), 1));
	say(l, t, "own");
	cr_expect(eq(int, (int)say(l, t, "sup a 1 2"), LOG_SUPPLY));
	cr_expect(eq(int, (int)say(l, t, "req o1 a"), LOG_TAKEN));
	cr_expect(eq(int, (int)say(l, t, "req o2 a"), LOG_TAKEN));
	cr_expect(eq(int, (int)say(l, t, "rel o1 a EXPIRED"), LOG_RELEASED));
	cr_expect(eq(i64, free_of(l, "a"), 1));
	cr_expect(eq(int, order(l, "o1")->state, LOGGED_RELEASED));
	cr_expect(eq(int, order(l, "o2")->state, LOGGED_TAKEN));
	cr_expect(str_is_set(order(l, "o2")->request));
	cr_expect(eq(int, (int)say(l, t, "req o3 a"), LOG_TAKEN), "at `through`: it counts");
	cr_expect(eq(i64, free_of(l, "a"), 0));
	cr_expect(eq(int, (int)say(l, t, "req o4 a"), LOG_BEYOND));
	cr_expect(eq(int, (int)say(l, t, "rel o2 a EXPIRED"), LOG_RELEASED));
	cr_expect(eq(i64, free_of(l, "a"), 1));
}

Test(request_log, a_request_beyond_is_beyond_also_below_a_snapshot)
{
	CLEANUP(request_log_free) struct request_log *l = log_of(4, 8, false);
	CLEANUP(tape_free) struct tape *t = tape_new(0);

	snapshot(l, "a", 0, 1, 5, 1, 100);
	say(l, t, "own");
	cr_expect(eq(int, (int)say(l, t, "req o0 a"), LOG_BEYOND), "no supply then");
	say(l, t, "sup a 1 1");
	cr_expect(eq(int, (int)say(l, t, "req o1 a"), LOG_TAKEN));
	cr_expect(eq(int, (int)say(l, t, "req o2 a"), LOG_BEYOND));
	say(l, t, "sup a 2 5");
	cr_expect(eq(i64, free_of(l, "a"), 4), "as the snapshot has it");
}

Test(request_log, of_several_snapshots_the_highest_version_is_kept)
{
	CLEANUP(request_log_free) struct request_log *l = log_of(1, 4, false);

	snapshot(l, "a", 7, 2, 5, 1, 10);
	snapshot(l, "a", 7, 3, 5, 2, 11);
	cr_expect(eq(i64, free_of(l, "a"), 3));
	snapshot(l, "a", 7, 1, 5, 0, 9);
	snapshot(l, "a", 6, 99, 5, 0, 30);
	cr_expect(eq(i64, free_of(l, "a"), 3), "late from a former owner");
	snapshot(l, "a", 8, 1, 5, 5, 12);
	cr_expect(eq(i64, free_of(l, "a"), 0));
	cr_expect(eq(i64, request_log_item(l, tape_item("a"))->through, 12));
	cr_expect(eq(int,
		request_log_snapshot(l, &(struct stock){ .item = tape_item("b"), .supply = 1 }),
		REQUEST_LOG_E_FULL));
}

Test(request_log, a_snapshot_of_more_taken_than_supplied_leaves_nothing)
{
	CLEANUP(request_log_free) struct request_log *l = log_of(2, 4, false);
	CLEANUP(tape_free) struct tape *t = tape_new(50);

	snapshot(l, "a", 1, 1, 1, 3, 50);
	cr_expect(eq(i64, free_of(l, "a"), 0));
	say(l, t, "own");
	cr_expect(eq(int, (int)say(l, t, "req o1 a"), LOG_BEYOND));
}

/* Retention took the supply: what a valid owner requested below the snapshot was taken. */
Test(request_log, without_the_supply_of_then_a_request_below_a_snapshot_counts)
{
	CLEANUP(request_log_free) struct request_log *l = log_of(2, 8, false);
	CLEANUP(tape_free) struct tape *t = tape_new(500);

	snapshot(l, "a", 400, 9, 3, 2, 503);
	say(l, t, "own");
	cr_expect(eq(int, (int)say(l, t, "req o1 a"), LOG_TAKEN));
	cr_expect(
		eq(int, (int)say(l, t, "rel o0 a EXPIRED"), LOG_UNREADABLE), "its request is gone");
	cr_expect(eq(i64, free_of(l, "a"), 1));
	cr_expect(eq(int, (int)say(l, t, "rel o1 a EXPIRED"), LOG_RELEASED));
	cr_expect(eq(i64, free_of(l, "a"), 2));
	cr_expect(eq(int, (int)say(l, t, "sup a 3 1"), LOG_SUPPLY), "its version is not known");
	cr_expect(eq(i64, free_of(l, "a"), 0));
}

Test(request_log, without_its_owner_record_the_highest_epoch_met_counts)
{
	CLEANUP(request_log_free) struct request_log *l = log_of(2, 8, false);
	CLEANUP(tape_free) struct tape *t = tape_new(500);

	cr_expect(eq(int, (int)say(l, t, "@none sup a 1 9"), LOG_VOID));
	cr_expect(eq(int, (int)say(l, t, "@500 sup a 1 9"), LOG_VOID), "that one was given");
	cr_expect(eq(int, (int)say(l, t, "@900 sup a 1 9"), LOG_VOID));
	cr_expect(eq(int, (int)say(l, t, "@400 sup a 1 9"), LOG_SUPPLY));
	cr_expect(eq(int, (int)say(l, t, "@400 req o1 a"), LOG_TAKEN));
	cr_expect(eq(int, (int)say(l, t, "@399 req o2 a"), LOG_VOID));
	cr_expect(eq(int, (int)say(l, t, "@410 req o2 a"), LOG_TAKEN));
	cr_expect(eq(int, (int)say(l, t, "@400 req o3 a"), LOG_VOID));
	cr_expect(eq(i64, request_log_epoch(l), -1));
	say(l, t, "own");
	cr_expect(eq(int, (int)say(l, t, "@410 req o4 a"), LOG_VOID));
	cr_expect(eq(int, (int)say(l, t, "@499 req o4 a"), LOG_VOID));
	cr_expect(eq(int, (int)say(l, t, "req o4 a"), LOG_TAKEN));
	cr_expect(eq(i64, free_of(l, "a"), 6));
}
