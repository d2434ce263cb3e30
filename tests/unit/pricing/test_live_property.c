/*
 * Live offers under whatever may come, in any order: rows, pauses, rules, time, slow and lost
 * answers, flushes. What came out is read from the topics and held against a model that knows no
 * queue: per offer, the decisions in their order, and what the last one should be.
 */
#include "tests/unit/pricing/live_world.h"

#include <errno.h>

#include "pricing/guard.h"
#include "pricing/recompute.h"

#define ITEMS  2
#define USERS  12
#define OFFERS (ITEMS * USERS)
#define STEPS  500
#define RULES  8
#define LIFE   600000

struct model_item {
	uint64_t inventory, market, stock; /* versions, 0: no row yet */
	unsigned list, bid;                /* thousandths of an ETH; @bid 0: none */
	int supply, taken, held;
};

struct model {
	uint64_t random;
	struct model_item item[ITEMS], old[ITEMS];
	uint64_t loyalty[USERS];
	bool is_gold[USERS], is_asked[USERS][ITEMS];
	bool is_paused, has_pauses, has_rules;
	int n_rules;
	int64_t beat_ms;
};

static const char *const items[ITEMS] = { ITEM,
	"eip155:1/erc721:0x3b3ee1931dc30c1957379fac9aba94d1c48a5405/78" };

static unsigned pick(struct model *m, unsigned n)
{
	m->random ^= m->random << 13;
	m->random ^= m->random >> 7;
	m->random ^= m->random << 17;
	return (unsigned)((m->random >> 20) % n);
}

/* ---- the rows ---- */

static void write_amount(char ret[32], unsigned thousandths)
{
	snprintf(ret, 32, "%u000000000000000", thousandths);
}

static void write_inventory(struct world *w, const struct model_item *m, size_t i)
{
	char key[200], list[32], supply[16], held[16];

	snprintf(key, sizeof(key), "inventory:{%s}", items[i]);
	snprintf(supply, sizeof(supply), "%d", m->supply);
	snprintf(held, sizeof(held), "%d", m->held);
	write_amount(list, m->list);
	PUT(w, key, m->inventory, "item", items[i], "list", list, "list_currency", "ETH", "supply",
		supply, "collection", "cool-cats", "held", held);
}

static void write_market(struct world *w, const struct model_item *m, size_t i)
{
	char key[200], bid[32];

	snprintf(key, sizeof(key), "bestbid:{%s}", items[i]);
	write_amount(bid, m->bid);
	if (m->bid)
		PUT(w, key, m->market, "item", items[i], "collection", "cool-cats", "as_of", "5",
			"bid_net", bid, "bid_net_currency", "WETH");
	else
		PUT(w, key, m->market, "item", items[i], "collection", "cool-cats", "as_of", "5");
}

static void write_stock(struct world *w, const struct model_item *m, size_t i)
{
	char key[200], taken[16];

	snprintf(key, sizeof(key), "stock:{%s}", items[i]);
	snprintf(taken, sizeof(taken), "%d", m->taken);
	if (m->stock)
		PUT(w, key, m->stock, "item", items[i], "supply", "3", "taken", taken);
}

static void write_item(struct world *w, const struct model_item *m, size_t i)
{
	write_inventory(w, m, i);
	if (m->market)
		write_market(w, m, i);
	write_stock(w, m, i);
}

static void user_name(char ret[16], size_t u)
{
	snprintf(ret, 16, "user-%zu", u);
}

static void write_loyalty(struct world *w, const struct model *m, size_t u)
{
	char key[64], user[16];

	user_name(user, u);
	snprintf(key, sizeof(key), "loyalty:{%s}", user);
	if (m->loyalty[u])
		PUT(w, key, m->loyalty[u], "user", user, "tier", m->is_gold[u] ? "gold" : "none",
			"points", "9000");
}

static void write_all(struct world *w, const struct model *m)
{
	world_beat_all(w);
	for (size_t i = 0; i < ITEMS; i++)
		write_item(w, &m->item[i], i);
	for (size_t u = 0; u < USERS; u++)
		write_loyalty(w, m, u);
}

/* ---- what may come ---- */

static void change_item(struct world *w, struct model *m)
{
	size_t i = pick(m, ITEMS);
	struct model_item *item = &m->item[i];

	m->old[i] = *item;
	switch (pick(m, 12)) {
	case 0:
		item->inventory++;
		item->list = 900 + pick(m, 300);
		write_inventory(w, item, i);
		break;
	case 1:
		item->inventory++;
		item->held = pick(m, 40) == 0;
		item->supply = pick(m, 40) ? 3 : 0;
		write_inventory(w, item, i);
		break;
	case 2:
		item->stock++;
		item->taken = pick(m, 30) ? (int)pick(m, 3) : 3;
		write_stock(w, item, i);
		break;
	case 3:
		item->market++;
		item->bid = 0;
		write_market(w, item, i);
		break;
	default:
		item->market++;
		item->bid = pick(m, 3) ? 700 + pick(m, 200) : item->bid + pick(m, 7);
		write_market(w, item, i);
	}
}

static void ask(struct world *w, struct model *m)
{
	size_t u = pick(m, USERS), i = pick(m, ITEMS);
	char value[512], user[16];

	if (m->is_asked[u][i])
		return;
	m->is_asked[u][i] = true;
	user_name(user, u);
	snprintf(value, sizeof(value),
		"{\"id\":\"i-%zu-%zu\",\"ts\":1795334399900,\"user\":\"%s\",\"session\":\"s_9\","
		"\"item\":\"%s\",\"signal\":{\"kind\":\"view\"}}",
		u, i, user, items[i]);
	world_send_raw(w, BUS_BY_KEY, user, value, NULL, 0);
}

/* What is lost and comes back, some of it as it was before its last change. */
static void flush(struct world *w, struct model *m)
{
	sim_store_flush(w->store);
	loop_sim_advance(w->loop, pick(m, 50));
	world_beat_all(w);
	for (size_t i = 0; i < ITEMS; i++) {
		if (m->old[i].inventory)
			write_item(w, &m->old[i], i);
	}
	loop_sim_advance(w->loop, pick(m, 50));
	write_all(w, m);
}

static void lose_something(struct world *w, struct model *m)
{
	switch (pick(m, 4)) {
	case 0:
		flush(w, m);
		break;
	case 1:
		sim_cache_lose_tracking(w->cache);
		break;
	case 2:
		sim_broker_fail_sends(w->broker, TOPIC_DECISIONS, 1 + pick(m, 3), -ETIMEDOUT);
		break;
	case 3:
		sim_broker_fail_sends(w->broker, TOPIC_OFFERS, 1 + pick(m, 3), -ETIMEDOUT);
	}
}

static void change_rules(struct world *w, struct model *m)
{
	char version[16];

	if (!m->has_rules || m->n_rules == RULES)
		return;
	snprintf(version, sizeof(version), "v%d", ++m->n_rules);
	world_publish(w, version, -100 * (int)(1 + pick(m, 10)));
}

static void step(struct world *w, struct model *m)
{
	unsigned what = pick(m, 100);
	size_t u = pick(m, USERS);

	if (what < 35) {
		change_item(w, m);
	} else if (what < 45) {
		m->loyalty[u]++;
		m->is_gold[u] = pick(m, 2);
		write_loyalty(w, m, u);
	} else if (what < 60) {
		ask(w, m);
	} else if (what < 62) {
		change_rules(w, m);
	} else if (what < 63 && m->has_pauses) {
		m->is_paused = !m->is_paused;
		world_rule(w, "pause/cool-cats", m->is_paused ? "{}" : NULL);
	} else if (what < 67) {
		lose_something(w, m);
	} else if (what < 72) {
		sim_store_set_latency(w->store, pick(m, 2) ? 0 : pick(m, 30000));
		sim_broker_set_latency(w->broker, pick(m, 2) ? 0 : pick(m, 300000));
	} else {
		loop_sim_advance_us(w->loop, pick(m, 2) ? pick(m, 3000) : pick(m, 200000));
	}
	if (loop_now_ms(w->loop) - m->beat_ms > 4000) {
		m->beat_ms = loop_now_ms(w->loop);
		world_beat_all(w);
	}
}

/* ---- what came of it ---- */

struct history {
	struct str offer, interest;
	bool is_over;
	uint64_t n;
	int64_t ts;
	struct price_inputs last; /* of the last decision */
	struct money price;
	struct money lowest, lowest_bid; /* shown since the market moved last */
	struct str reasons;
};

struct histories {
	struct history v[OFFERS];
	size_t n;
};

static struct history *history_of(struct histories *all, struct str offer, bool may_add)
{
	for (size_t i = 0; i < all->n; i++) {
		if (str_eq(all->v[i].offer, offer))
			return &all->v[i];
	}
	cr_assert(may_add && all->n < OFFERS);
	all->v[all->n] = (struct history){ .offer = offer };
	return &all->v[all->n++];
}

static void expect_not_older(const struct input_row *was, const struct input_row *now)
{
	if (now->state == ROW_UNKNOWN || was->state == ROW_UNKNOWN || now->gen == 0)
		return;
	cr_assert(ge(i64, now->gen, was->gen));
	if (now->gen == was->gen)
		cr_assert(ge(int, version_cmp(now->ver, was->ver), 0));
}

static void follow_price(struct history *h, const struct decision *d, const struct price_inputs *in)
{
	bool has_moved = guard_market_moved(h->lowest_bid, in->bestbid.bid_net, 100);

	if (h->n > 1 && d->price.amount > h->price.amount)
		cr_assert(has_moved, "a rise without a market that moved: " STR_FMT,
			STR_ARG(d->interest));
	if (d->cause == CAUSE_RULES)
		cr_assert(d->price.amount <= h->lowest.amount, "rules raised a price");
	if (h->n == 1 || has_moved || d->price.amount <= h->lowest.amount) {
		h->lowest = d->price;
		h->lowest_bid = in->bestbid.bid_net;
	}
	h->price = d->price;
}

static void read_decision(struct world *w, struct histories *all, struct str json)
{
	struct price_inputs in;
	struct history *h;
	struct decision d;
	struct fault f = { 0 };

	cr_assert(zero(int, decode(&decision_type, &d, json, w->arena, &f)), "%s", f.text);
	if (d.outcome == OUTCOME_NO_OFFER)
		return;
	cr_assert(zero(int, inputs_decode(&in, d.inputs, w->arena, &f)), "%s", f.text);
	h = history_of(all, d.offer, d.cause == CAUSE_INTEREST);
	cr_assert(not(h->is_over), "spoken of after its withdrawal");
	cr_assert(eq(u64, d.rev.part[1], ++h->n));
	if (h->n > 1) {
		cr_assert(ge(i64, d.ts - h->ts, WINDOW));
		expect_not_older(&h->last.loyalty.row, &in.loyalty.row);
		expect_not_older(&h->last.inventory.row, &in.inventory.row);
		expect_not_older(&h->last.bestbid.row, &in.bestbid.row);
		expect_not_older(&h->last.stock.row, &in.stock.row);
	}
	h->interest = d.interest;
	h->ts = d.ts;
	h->last = in;
	h->is_over = d.outcome == OUTCOME_WITHDRAWN;
	if (!h->is_over)
		follow_price(h, &d, &in);
}

static void read_decisions(struct world *w, struct histories *all, struct known_rulesets *known)
{
	CLEANUP(buf_fini) struct buf made = BUF_INIT(1 << 20);
	CLEANUP(arena_free) struct arena *scratch = NULL;
	struct fault f = { 0 };

	cr_assert(zero(int, arena_new(&scratch, 1 << 18)));
	for (int32_t p = 0; p < SHARDS; p++) {
		for (int64_t i = 1; i < world_high(w, TOPIC_DECISIONS, p); i++) {
			struct str json = world_record(w, TOPIC_DECISIONS, p, i)->value;

			arena_reset(scratch);
			cr_assert(zero(int, recompute_decision(json, known_ruleset, known,
						    fixture_scratch(), scratch, &made, NULL, &f)),
				"%s\n" STR_FMT, f.text, STR_ARG(json));
			read_decision(w, all, json);
		}
	}
}

/* Each offer's last word is its last decision's. */
static void read_offers(struct world *w, struct histories *all)
{
	struct offer o;

	for (int32_t p = 0; p < REPLIES; p++) {
		for (int64_t i = 0; i < world_high(w, TOPIC_OFFERS, p); i++) {
			o = world_offer(w, p, i);
			if (o.state == OFFER_NONE)
				continue;
			struct history *h = history_of(all, o.id, false);

			if (o.state == OFFER_LIVE)
				cr_assert(eq(i64, o.expires, o.issued + LIFE));
			if (o.rev.part[1] != h->n)
				continue;
			cr_assert(eq(int, o.state, h->is_over ? OFFER_WITHDRAWN : OFFER_LIVE));
			cr_assert(h->is_over || o.price.amount == h->price.amount);
			h->reasons = o.reasons;
		}
	}
}

static u128 wei(unsigned n)
{
	return (u128)n * (ETH_ / 1000);
}

/* The inputs that a decision would have now, as the model knows the rows. */
static void fill_as_modelled(
	const struct model *m, const struct history *h, struct price_inputs *in)
{
	unsigned u, i;
	char interest[32];

	cr_assert(zero(int, str_copy(interest, sizeof(interest), h->interest)));
	cr_assert(eq(int, sscanf(interest, "i-%u-%u", &u, &i), 2));
	*in = h->last;
	in->is_revision = true;
	in->inventory.list = eth(wei(m->item[i].list));
	in->inventory.supply = m->item[i].supply;
	in->inventory.held = m->item[i].held;
	in->bestbid.bid_net = m->item[i].bid ? weth(wei(m->item[i].bid)) : (struct money){ 0 };
	in->stock.taken = m->item[i].taken;
	in->loyalty.tier = m->is_gold[u] ? TIER_GOLD : TIER_NONE;
	in->loyalty.points = m->loyalty[u] ? 9000 : 0;
	in->paused = m->is_paused ? TRI_TRUE : TRI_ABSENT;
	in->shown_price = h->lowest;
	in->shown_bid_net = h->lowest_bid;
}

/* What changed rules held once, nothing lets go before the next change. */
static void expect_last(const struct model *m, const struct history *h, const struct ruleset *rules)
{
	struct price_result free_, held;
	struct price_inputs in;
	bool is_held;

	if (h->is_over)
		return;
	fill_as_modelled(m, h, &in);
	in.holds = false;
	fixture_compute(rules, &in, &free_);
	in.holds = true;
	fixture_compute(rules, &in, &held);
	is_held =
		m->n_rules && held.outcome == OUTCOME_OFFER && held.price.amount == h->price.amount;
	cr_assert(is_held ||
			  (free_.outcome == OUTCOME_OFFER && free_.price.amount == h->price.amount),
		"the last revision of " STR_FMT " is not what the rows say: outcome %s reason %s",
		STR_ARG(h->interest), decision_outcome_names[free_.outcome],
		reason_names[free_.reason]);
}

static void play(uint64_t seed)
{
	struct model m = { .random = seed * 2654435761u + 1,
		.has_pauses = seed % 4 == 0,
		.has_rules = seed % 2 == 0 };
	struct known_rulesets known;
	struct histories all = { .n = 0 };
	struct world w;
	size_t n_over = 0;

	live_configure(&w);
	arena_free(w.arena);
	cr_assert(zero(int, arena_new(&w.arena, 64 << 20)));
	w.config.offer_ttl_ms = LIFE;
	for (size_t i = 0; i < ITEMS; i++) {
		m.item[i] = (struct model_item){ .inventory = 10, .list = 1000, .supply = 3 };
		m.old[i] = m.item[i];
	}
	m.beat_ms = loop_now_ms(w.loop);
	write_all(&w, &m);
	world_start(&w);
	for (int i = 0; i < STEPS; i++)
		step(&w, &m);

	sim_store_set_latency(w.store, 0);
	sim_broker_set_latency(w.broker, 0);
	sim_broker_fail_sends(w.broker, TOPIC_DECISIONS, 0, -ETIMEDOUT);
	sim_broker_fail_sends(w.broker, TOPIC_OFFERS, 0, -ETIMEDOUT);
	loop_sim_advance(w.loop, 1000);
	world_beat_all(&w);
	loop_sim_advance(w.loop, 3000);
	learn_rulesets(&w, &known);
	read_decisions(&w, &all, &known);
	read_offers(&w, &all);
	for (size_t i = 0; i < all.n; i++) {
		expect_last(&m, &all.v[i], known.v[known.n - 1]);
		n_over += all.v[i].is_over;
	}
	cr_expect(eq(i64, world_count(&w, "souk_pricing_offers_followed", NULL),
			  (int64_t)(all.n - n_over)),
		"seed %d", (int)seed);
	forget_rulesets(&known);
	world_fini(&w);
}

Test(live_property, whatever_comes_in_any_order)
{
	for (uint64_t seed = 1; seed <= 40; seed++)
		play(seed);
}
