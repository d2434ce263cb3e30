/*
 * Random interleavings of orders, repeats, conflicts, supplies, payments that succeed, fail and
 * never begin, crashes, rebalances, two owners at once, brokers and caches that go away: on the
 * simulated seams, with the dry-run executor beside each bridge. What is in the logs in the end is
 * judged by a model that is as plain as can be and shares no code with the role.
 */
#include "tests/unit/wallet-bridge/world.h"

#include <errno.h>

#include "wallet-bridge/executor.h"

#define N_ITEMS  6
#define N_ORDERS 160
#define N_STEPS  400

struct placed {
	char id[16];
	int item;
	bool has_conflict; /* another body was sent under its id, later */
};

static struct world w;
static struct executor *executors[PROCESSES];
static struct executor_config executor_configs[PROCESSES];
static char executor_groups[PROCESSES][64];
static struct placed orders[N_ORDERS];
static int n_orders;
static uint64_t versions[N_ITEMS];
static char items[N_ITEMS][160];
static uint64_t state;
static bool may_fail;      /* single deliveries, with later ones that do not */
static bool may_be_beyond; /* a delivery to the requests log failed */

static uint64_t random_below(uint64_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % n;
}

/* ---- processes ---- */

static void start(int i, const char *group)
{
	struct fault f = { 0 };

	if (w.proc[i].bridge)
		return;
	proc_start(&w, i, group);
	snprintf(executor_groups[i], sizeof(executor_groups[i]), "%s-executor", w.proc[i].group);
	executor_configs[i] = (struct executor_config){
		.group = executor_groups[i],
		.reservation_ms = 3000,
		.items_max = 1000,
		.orders_max = 10000,
		.step_ms = 50,
		.fail_bps = 2500,
		.hold_bps = 1500,
		.never_bps = 1500,
	};
	const struct executor_env env = { w.loop, w.proc[i].bus, w.proc[i].metrics,
		w.proc[i].instance };

	cr_assert(zero(int, executor_dry_run_new(&executors[i], &env, &executor_configs[i], &f)),
		"%s", f.text);
}

static void stop(int i)
{
	executors[i] = executor_free(executors[i]);
	proc_kill(&w, i);
}

/* ---- steps ---- */

static void place(void)
{
	struct placed *o = &orders[n_orders];
	struct order_spec spec = { .user = "u_1" };

	if (n_orders == N_ORDERS)
		return;
	*o = (struct placed){ .item = (int)random_below(N_ITEMS) };
	snprintf(o->id, sizeof(o->id), "o%d", n_orders++);
	spec.id = o->id;
	spec.item = items[o->item];
	put_order(&w, &spec);
}

static void repeat(bool with_another_body)
{
	struct order_spec spec = { .user = "u_1" };
	struct placed *o;

	if (n_orders == 0)
		return;
	o = &orders[random_below((uint64_t)n_orders)];
	spec.id = o->id;
	spec.item = items[o->item];
	if (with_another_body) {
		o->has_conflict = true;
		spec.price_milli = 1;
	}
	put_order(&w, &spec);
}

static void supply(void)
{
	int i = (int)random_below(N_ITEMS);

	put_inventory(&w, items[i], ++versions[i], (int64_t)random_below(12), 0);
}

static void trouble(void)
{
	int i = (int)random_below(PROCESSES);

	switch (random_below(9)) {
	case 0:
	case 1:
		stop(i);
		break;
	case 2:
	case 3:
		start(i, NULL);
		break;
	case 4:
		start(i, "another"); /* the same partitions a second time */
		break;
	case 5:
		sim_broker_set_down(w.broker, true);
		loop_sim_advance(w.loop, random_below(2) ? 200 : 40000);
		sim_broker_set_down(w.broker, false);
		break;
	case 6:
		if (!may_fail)
			break;
		may_be_beyond = true;
		sim_broker_fail_sends(w.broker,
			random_below(2) ? TOPIC_PAYMENT_REQUESTS : TOPIC_PAYMENT_RESULTS,
			1 + (unsigned)random_below(3), -ETIMEDOUT);
		break;
	case 7:
		sim_store_flush(w.store);
		break;
	case 8:
		sim_store_set_down(w.store, true);
		loop_sim_advance(w.loop, 300);
		sim_store_set_down(w.store, false);
		break;
	}
}

static void step(void)
{
	uint64_t dice = random_below(100);

	if (dice < 45)
		place();
	else if (dice < 55)
		repeat(false);
	else if (dice < 60)
		repeat(true);
	else if (dice < 68)
		supply();
	else if (dice < 76)
		trouble();
	loop_sim_advance_us(w.loop, (int64_t)random_below(30000));
}

/* ---- the model ---- */

struct modelled {
	bool is_decided, is_taken, is_refused, is_released;
	char reason[32]; /* of the refusal or release */
};

static struct modelled model[N_ORDERS];
static int64_t model_supply[N_ITEMS], model_taken[N_ITEMS];
static uint64_t model_version[N_ITEMS];

static int index_of(struct str s, const char *prefix)
{
	return s.n > strlen(prefix) ? atoi(s.p + strlen(prefix)) : -1;
}

static int item_of(struct str item)
{
	for (int i = 0; i < N_ITEMS; i++)
		if (str_eqz(item, items[i]))
			return i;
	cr_fatal("an item nobody has");
	return 0;
}

static void fold_request(const struct payment_request *q)
{
	struct modelled *m = &model[index_of(q->order, "o")];
	int i = item_of(q->item);

	if (m->is_decided)
		return;
	m->is_decided = true;
	/* The supply that it counted on was lost on its way: it counts for nobody. */
	if (model_taken[i] >= model_supply[i]) {
		cr_assert(may_be_beyond, "a unit that is not there was sold");
		m->is_refused = true;
		str_copy(m->reason, sizeof(m->reason), STR("SOLD_OUT"));
		return;
	}
	model_taken[i]++;
	m->is_taken = true;
}

static void fold_other(const struct bus_record *r)
{
	struct refusal_record no;
	struct release_record free_;
	struct supply_record s;
	struct modelled *m;

	if (decode(&refusal_record_type, &no, r->value, w.arena, NULL) == 0) {
		m = &model[index_of(no.order, "o")];
		if (m->is_decided)
			return;
		m->is_decided = m->is_refused = true;
		str_copy(m->reason, sizeof(m->reason), no.reason);
	} else if (decode(&release_record_type, &free_, r->value, w.arena, NULL) == 0) {
		m = &model[index_of(free_.order, "o")];
		if (m->is_released)
			return;
		cr_assert(m->is_taken);
		m->is_released = true;
		model_taken[item_of(free_.item)]--;
		str_copy(m->reason, sizeof(m->reason), free_.reason);
	} else if (decode(&supply_record_type, &s, r->value, w.arena, NULL) == 0) {
		int i = item_of(s.item);

		if (s.ver.part[0] <= model_version[i])
			return;
		model_version[i] = s.ver.part[0];
		model_supply[i] = s.supply;
	}
}

static void fold_log(int32_t p)
{
	int64_t epoch = -1, said;

	for (int64_t i = 0; i < high(&w, TOPIC_PAYMENT_REQUESTS, p); i++) {
		const struct bus_record *r =
			sim_broker_record(w.broker, TOPIC_PAYMENT_REQUESTS, p, i);
		struct owner_record owner;
		struct payment_request q;

		arena_reset(w.arena);
		if (decode(&owner_record_type, &owner, r->value, w.arena, NULL) == 0) {
			epoch = i;
			continue;
		}
		if (str_to_i64(bus_header(r, "x-souk-epoch"), &said) || said != epoch)
			continue;
		if (decode(&payment_request_type, &q, r->value, w.arena, NULL) == 0)
			fold_request(&q);
		else
			fold_other(r);
	}
}

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n >= m && strcmp(text + n - m, end) == 0;
}

static void check_order(int i)
{
	const struct placed *o = &orders[i];
	const struct modelled *m = &model[i];
	const char *states = states_of(&w, o->id, items[o->item]);
	int n_requests = distinct_requests(&w, o->id, items[o->item]);
	char refused[64], key[64];

	cr_assert(m->is_decided, "%s has no decision", o->id);
	snprintf(refused, sizeof(refused), "REJECTED:%s", m->reason);
	if (m->is_refused) {
		cr_assert(eq(str, (char *)states, refused));
	} else {
		cr_assert(strncmp(states, "ACCEPTED RESERVED", 17) == 0, "%s: %s", o->id, states);
		if (m->is_released)
			cr_assert(strstr(states, m->reason) != NULL, "%s: %s", o->id, states);
		else
			cr_assert(ends_with(states, " FINAL"), "%s: %s", o->id, states);
	}
	/* A void one may be there of an order that was refused in the end. */
	cr_assert(ge(int, n_requests, m->is_taken));
	cr_assert(le(int, n_requests, 1));
	/* the view says what was told last */
	snprintf(key, sizeof(key), "order:{%.16s}", o->id);
	cr_assert(strstr(states, view(&w, key, "state")) != NULL, "%s: view %s, told %s", o->id,
		view(&w, key, "state"), states);
	cr_assert(ne(str, (char *)view(&w, key, "state"), ""));
}

static int conflicts_told(void)
{
	int n = 0;

	for (int32_t p = 0; p < PARTS; p++)
		for (int64_t i = 0; i < high(&w, TOPIC_PAYMENT_RESULTS, p); i++) {
			struct str v =
				sim_broker_record(w.broker, TOPIC_PAYMENT_RESULTS, p, i)->value;

			n += memmem(v.p, v.n, "CONFLICT", 8) != NULL;
		}
	return n;
}

static void check(void)
{
	char key[256], text[24];
	int n_conflicts = 0;

	memset(model, 0, sizeof(model));
	memset(model_supply, 0, sizeof(model_supply));
	memset(model_taken, 0, sizeof(model_taken));
	memset(model_version, 0, sizeof(model_version));
	for (int32_t p = 0; p < PARTS; p++) {
		fold_log(p);
		cr_assert(eq(i64, committed(&w, p, NULL), high(&w, TOPIC_ORDERS, p)));
	}
	for (int i = 0; i < n_orders; i++) {
		check_order(i);
		n_conflicts += orders[i].has_conflict;
	}
	cr_assert(ge(int, conflicts_told(), n_conflicts));
	for (int i = 0; i < N_ITEMS; i++) {
		cr_assert(eq(u64, model_version[i], versions[i]), "the last supply is the shop's");
		snprintf(key, sizeof(key), "stock:{%.160s}", items[i]);
		snprintf(text, sizeof(text), "%" PRId64, model_taken[i]);
		cr_assert(eq(str, (char *)view(&w, key, "taken"), text));
		snprintf(text, sizeof(text), "%" PRId64, model_supply[i]);
		cr_assert(eq(str, (char *)view(&w, key, "supply"), text));
	}
}

/* Everything works again: until all is paid for, or given up. */
static void finish(void)
{
	for (int i = 0; i < PROCESSES; i++)
		stop(i);
	sim_broker_fail_sends(w.broker, TOPIC_PAYMENT_REQUESTS, 0, -EIO);
	sim_broker_fail_sends(w.broker, TOPIC_PAYMENT_RESULTS, 0, -EIO);
	start(0, NULL);
	for (int i = 0; i < 30; i++)
		world_settle(&w);
}

static void run(uint64_t seed)
{
	world_init(&w);
	w.allows_disorder = seed % 2 == 0;
	state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	n_orders = 0;
	may_fail = seed % 2 == 0;
	may_be_beyond = false;
	for (int i = 0; i < N_ITEMS; i++) {
		snprintf(items[i], sizeof(items[i]), "eip155:1/erc721:" WALLET "/%d", i);
		versions[i] = 1;
		put_inventory(&w, items[i], 1, (int64_t)random_below(12), 0);
	}
	sim_broker_set_latency(w.broker, 1000);
	sim_store_set_latency(w.store, 300);
	start(0, NULL);
	world_settle(&w);
	for (int i = 0; i < N_STEPS; i++)
		step();
	finish();
	check();
	for (int i = 0; i < PROCESSES; i++)
		stop(i);
	world_fini(&w);
}

Test(wallet_property, the_logs_say_what_a_plain_model_says_whatever_happens)
{
	const char *first = getenv("SOUK_TEST_SEED"), *n = getenv("SOUK_TEST_SEEDS");
	uint64_t from = first ? strtoull(first, NULL, 10) : 1;
	uint64_t seeds = n ? strtoull(n, NULL, 10) : 6;

	for (uint64_t seed = from; seed < from + seeds; seed++) {
		cr_log_info("seed %" PRIu64, seed);
		run(seed);
	}
}
