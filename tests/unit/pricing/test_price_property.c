/* What holds for any rules and any inputs: 400 random rulesets of each kind, several inputs each.
 */
#include "tests/unit/pricing/random_rules.h"

#include "pricing/guard.h"
#include "pricing/recompute.h"
#include "pricing/record.h"

#define RULESETS 400
#define INPUTS   5

static const char *const modes[] = { "stack", "best_for_customer", "best_for_margin", "first" };

static struct price_result a, b;

static void decide_for(const struct ruleset *r, const struct price_inputs *in, struct decided *ret)
{
	decide(r, fixture_scratch(), in, in->now, in->inventory.list,
		in->personalization == TRI_TRUE, ret);
}

static void expect_inside(const struct price_inputs *in, const struct price_result *r)
{
	const u128 list = in->inventory.list.amount, price = r->price.amount;
	/* The document's are narrower than these for margin, and at most 40 %. */
	int64_t discount = in->guards.max_discount_bps < 4000 ? in->guards.max_discount_bps : 4000;
	int64_t margin = in->guards.min_margin_bps > 100 ? in->guards.min_margin_bps : 100;

	cr_assert(price * 10000 <= list * (u128)(10000 + in->guards.max_premium_bps));
	cr_assert(price * 10000 >= list * (u128)(10000 - discount));
	if (money_is_set(in->inventory.cost))
		cr_assert(price * 10000 >= in->inventory.cost.amount * (u128)(10000 + margin));
	if (money_is_set(in->bestbid.bid_net))
		cr_assert(price * 10000 >= in->bestbid.bid_net.amount * 10300);
	if (money_is_set(in->shown_price) && !money_is_set(in->bestbid.bid_net))
		cr_assert(price <= in->shown_price.amount);
}

Test(price_property, no_price_is_outside_its_guards)
{
	struct random_rules rules = { .state = 1 };
	size_t n_offers = 0, n_failed = 0;

	for (int i = 0; i < RULESETS; i++) {
		random_rules(&rules, modes[i % ARRAY_LEN(modes)]);
		CLEANUP(ruleset_free) struct ruleset *r = random_ruleset(&rules, NULL);

		for (int k = 0; k < INPUTS; k++) {
			struct price_inputs in = random_inputs(&rules);

			fixture_compute(r, &in, &a);
			n_failed += a.decided.n_failed;
			if (a.outcome != OUTCOME_OFFER) {
				cr_assert(eq(int, a.reason, REASON_GUARD_CONFLICT));
				continue;
			}
			n_offers++;
			expect_inside(&in, &a);
		}
	}
	cr_expect(gt(sz, n_offers, RULESETS), "else this says nothing");
	cr_expect(gt(sz, n_failed, 0));
}

Test(price_property, the_waterfall_ends_at_the_price_and_has_no_gap)
{
	static struct price_line lines[PRICE_LINES_MAX];
	struct random_rules rules = { .state = 2 };

	for (int i = 0; i < RULESETS; i++) {
		random_rules(&rules, modes[i % ARRAY_LEN(modes)]);
		CLEANUP(ruleset_free) struct ruleset *r = random_ruleset(&rules, NULL);
		struct price_inputs in = random_inputs(&rules);
		size_t n;

		fixture_compute(r, &in, &a);
		n = compute_lines(&a, lines);
		cr_assert(gt(sz, n, 0));
		for (size_t k = 1; k < n; k++)
			cr_assert(lines[k].before == lines[k - 1].after || lines[k].note[0]);
		if (a.outcome == OUTCOME_OFFER)
			cr_assert(lines[n - 1].after == a.price.amount);
		compute_plain(r, fixture_scratch(), &in, &b);
		cr_assert(eq(int, a.outcome, b.outcome));
		cr_assert(a.price.amount == b.price.amount);
		cr_assert(zero(sz, compute_lines(&b, lines)));
	}
}

Test(price_property, one_more_discount_never_raises_the_price_of_a_stack)
{
	struct random_rules rules = { .state = 3 };

	for (int i = 0; i < RULESETS; i++) {
		random_rules(&rules, "stack");
		CLEANUP(ruleset_free) struct ruleset *without = random_ruleset(&rules, NULL);

		random_rule(&rules, rules.n++, 0);
		CLEANUP(ruleset_free) struct ruleset *with = random_ruleset(&rules, NULL);

		for (int k = 0; k < INPUTS; k++) {
			struct price_inputs in = random_inputs(&rules);

			fixture_compute(without, &in, &a);
			fixture_compute(with, &in, &b);
			cr_assert(b.decided.price <= a.decided.price);
			cr_assert(eq(int, a.outcome, b.outcome));
			cr_assert(b.price.amount <= a.price.amount);
		}
	}
}

/* Fisher-Yates inside each of the two groups. */
static void shuffle(struct random_rules *r, size_t *order)
{
	for (size_t i = 0; i < r->n; i++)
		order[i] = i;
	for (size_t i = r->n; i-- > 1;) {
		size_t from = i >= r->n_first_group ? r->n_first_group : 0;
		size_t k = from + any(r) % (i + 1 - from), t = order[i];

		order[i] = order[k];
		order[k] = t;
	}
}

Test(price_property, the_order_of_rules_in_a_group_changes_nothing)
{
	struct random_rules rules = { .state = 4 };
	size_t order[RANDOM_RULES_MAX];

	for (int i = 0; i < RULESETS; i++) {
		random_rules(&rules, modes[i % 3]); /* not "first" */
		CLEANUP(ruleset_free) struct ruleset *r = random_ruleset(&rules, NULL);

		shuffle(&rules, order);
		CLEANUP(ruleset_free) struct ruleset *other = random_ruleset(&rules, order);

		for (int k = 0; k < INPUTS; k++) {
			struct price_inputs in = random_inputs(&rules);

			fixture_compute(r, &in, &a);
			fixture_compute(other, &in, &b);
			cr_assert(a.decided.price == b.decided.price);
			cr_assert(eq(sz, a.decided.n_fired, b.decided.n_fired));
			cr_assert(eq(int, a.outcome, b.outcome));
			cr_assert(eq(int, a.personalised, b.personalised));
		}
	}
}

Test(price_property, the_static_cost_is_never_below_the_counted_one)
{
	struct random_rules rules = { .state = 5 };
	static struct decided d;
	uint64_t most = 0;

	for (int i = 0; i < RULESETS; i++) {
		random_rules(&rules, modes[i % ARRAY_LEN(modes)]);
		CLEANUP(ruleset_free) struct ruleset *r = random_ruleset(&rules, NULL);

		for (int k = 0; k < INPUTS; k++) {
			struct price_inputs in = random_inputs(&rules);

			decide_for(r, &in, &d);
			cr_assert(d.cost <= ruleset_cost(r), "%llu > %llu",
				(unsigned long long)d.cost, (unsigned long long)ruleset_cost(r));
			most = d.cost > most ? d.cost : most;
		}
	}
	cr_expect(gt(u64, most, 0));
}

/* The index and its rest against the condition as it was written, as one program. */
Test(price_property, a_rule_fires_exactly_if_its_condition_is_true)
{
	struct random_rules rules = { .state = 6 };
	static struct decided d;

	for (int i = 0; i < RULESETS; i++) {
		random_rules(&rules, "stack");
		CLEANUP(ruleset_free) struct ruleset *r = random_ruleset(&rules, NULL);
		struct price_inputs in = random_inputs(&rules);

		in.personalization = TRI_TRUE;
		decide_for(r, &in, &d);
		for (size_t k = 0; k < r->n_rules; k++) {
			CLEANUP(cel_program_free) struct cel_program *p = NULL;
			CLEANUP(arena_free) struct arena *arena = NULL;
			struct cel_context c = { .rounding = r->rounding };
			struct cel_value slots[CEL_VARS_MAX], v;
			struct cel_diags diags = { 0 };
			bool has_fired = false, has_failed = false;

			cr_assert(zero(int, arena_new(&arena, 65536)));
			c.arena = arena;
			cr_assert(zero(int,
				cel_compile(&p, str_of(r->rules[k].source), r->schema->env,
					&(struct cel_options){ .symbols = r->symbols }, &diags)));
			binder_bind(r->binder, &in, slots, arena);
			v = cel_eval(p, &c, slots);
			for (size_t f = 0; f < d.n_fired; f++) {
				has_fired |= d.fired[f].rule == k && d.fired[f].state == FIRED;
				has_failed |= d.fired[f].rule == k && d.fired[f].state != FIRED;
			}
			cr_assert(eq(int, has_fired || has_failed,
					  (v.kind == CEL_V_BOOL && v.b) ||
						  (cel_is_error(v) &&
							  v.sym < CEL_R_FIRST_NOT_APPLICABLE)),
				"%s", r->rules[k].source);
		}
	}
}

static const struct ruleset *lookup(void *ctx, struct str id)
{
	const struct ruleset *r = ctx;

	return str_eq(ruleset_id(r), id) ? r : NULL;
}

Test(price_property, any_decision_can_be_made_again_byte_by_byte)
{
	CLEANUP(buf_fini) struct buf json = BUF_INIT(RECORD_BYTES_MAX);
	CLEANUP(buf_fini) struct buf made = BUF_INIT(RECORD_BYTES_MAX);
	CLEANUP(arena_free) struct arena *arena = NULL;
	struct random_rules rules = { .state = 7 };
	struct record_bufs bufs;
	struct fault f = { 0 };
	struct id offer;

	cr_assert(zero(int, arena_new(&arena, 1 << 20)));
	record_bufs_init(&bufs);
	for (int i = 0; i < RULESETS; i++) {
		random_rules(&rules, modes[i % ARRAY_LEN(modes)]);
		CLEANUP(ruleset_free) struct ruleset *r = random_ruleset(&rules, NULL);
		struct price_inputs in = random_inputs(&rules);

		fixture_compute(r, &in, &a);
		cr_assert(zero(int, id_for_offer(&offer, in.interest.id)));
		buf_clear(&json);
		arena_reset(arena);
		cr_assert(zero(int, record_json(&json, &(struct record){ .inputs = &in,
							       .result = &a,
							       .ruleset = ruleset_id(r),
							       .offer = id_str(&offer),
							       .rev = { { 77, 1 } },
							       .cause = CAUSE_INTEREST,
							       .bufs = &bufs })));
		cr_assert(zero(int, recompute_decision(buf_str(&json), lookup, r, fixture_scratch(),
					    arena, &made, NULL, &f)),
			"%s", f.text);
	}
	record_bufs_fini(&bufs);
}
