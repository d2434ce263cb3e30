#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <errno.h>
#include <stdlib.h>

#include "common/base/json_out.h"
#include "pricing/inputs.h"
#include "pricing/rules/fields.h"

static struct price_inputs in;
static struct arena *arena;
static struct fault fault;

static void setup(void)
{
	memset(&in, 0, sizeof(in));
	memset(&fault, 0, sizeof(fault));
	cr_assert(zero(int, arena_new(&arena, 4096)));
}

static void teardown(void)
{
	arena = arena_free(arena);
}

TestSuite(fields, .init = setup, .fini = teardown);

static const struct schema_field *field(const char *name)
{
	int slot = cel_env_find(price_schema()->env, str_of(name));

	cr_assert(ge(int, slot, 0), "%s", name);
	return &price_schema()->fields[slot];
}

static int set(const char *name, const char *json)
{
	json_t *value = json_loads(json, JSON_DECODE_ANY, NULL);
	int r;

	cr_assert(ne(ptr, value, NULL));
	r = schema_set(price_schema(), &in, name, value, arena, &fault);
	json_decref(value);
	return r;
}

static bool says(const char *part)
{
	return strstr(fault.text, part) != NULL;
}

Test(fields, the_schema_is_made_once)
{
	cr_expect(eq(ptr, (void *)price_schema(), (void *)price_schema()));
	cr_expect(eq(sz, price_schema()->record_size, sizeof(struct price_inputs)));
	cr_expect(eq(sz, cel_env_n(price_schema()->env), price_schema()->n));
}

Test(fields, every_field_has_help_and_knows_its_variable)
{
	const struct schema *s = price_schema();

	for (size_t i = 0; i < s->n; i++) {
		const struct cel_var *v = cel_env_var(s->env, (int)i);

		cr_expect(eq(ptr, v->tag, (void *)&s->fields[i]));
		cr_expect(gt(sz, strlen(s->fields[i].help), 5), "%s", s->fields[i].name);
		cr_expect(eq(int, v->refused != NULL, s->fields[i].label == LABEL_SENSITIVE));
	}
}

Test(fields, labels_are_those_of_the_contract)
{
	cr_expect(eq(int, field("customer.tier")->label, LABEL_MEMBER));
	cr_expect(eq(int, field("customer.points")->label, LABEL_MEMBER));
	cr_expect(eq(int, field("customer.segment")->label, LABEL_PERSONAL));
	cr_expect(eq(int, field("customer.country")->label, LABEL_PERSONAL));
	cr_expect(eq(int, field("customer.consent")->label, LABEL_PERSONAL));
	cr_expect(eq(int, field("session.device")->label, LABEL_CONTEXT));
	cr_expect(eq(int, field("item.cost")->label, LABEL_ITEM));
	cr_expect(eq(int, field("market.floor")->label, LABEL_MARKET));
	cr_expect(eq(int, field("profile.age_ms")->label, LABEL_CONTEXT));
	cr_expect(eq(int, field("loyalty.age_ms")->label, LABEL_CONTEXT));
	cr_expect(eq(int, field("customer.religion")->label, LABEL_SENSITIVE));
}

Test(fields, of_a_type_that_is_none_are_our_own_mistake)
{
	const struct schema_field wrong = { .name = "x", .type = "integer", .help = "x" };
	struct schema *s = NULL;

	cr_expect(eq(int, schema_new(&s, &wrong, 1, 8), -EINVAL));
	cr_expect(zero(ptr, s));
}

Test(fields, are_set_from_json)
{
	cr_expect(zero(int, set("customer.tier", "\"gold\"")));
	cr_expect(zero(int, set("customer.points", "5400")));
	cr_expect(zero(int, set("customer.segment", "\"collector\"")));
	cr_expect(zero(int, set("customer.consent", "true")));
	cr_expect(zero(int, set("session.device", "\"ar-headset\"")));
	cr_expect(zero(int, set("item.list", "\"1.25 ETH\"")));
	cr_expect(zero(int, set("market.flags", "[\"gap\",\"no_fx\"]")));
	cr_expect(zero(int, set("market.as_of", "\"2026-11-20T19:00:00.250Z\"")));
	cr_expect(zero(int, set("now", "\"1970-01-01T01:00:01+01:00\"")));

	cr_expect(eq(int, in.loyalty.tier, TIER_GOLD));
	cr_expect(eq(i64, in.loyalty.points, 5400));
	cr_expect(str_eqz(in.profile.segment, "collector"));
	cr_expect(eq(int, in.profile.consent, TRI_TRUE));
	cr_expect(eq(str, (char *)device_names[in.interest.device], "ar-headset"));
	cr_expect(eq(u64, (uint64_t)in.inventory.list.amount, UINT64_C(1250000000000000000)));
	cr_expect(eq(str, (char *)currency_code(in.inventory.list.currency), "ETH"));
	cr_expect(str_eqz(in.bestbid.flags, "[\"gap\",\"no_fx\"]"));
	cr_expect(eq(i64, in.bestbid.as_of, INT64_C(1795201200250)));
	cr_expect(eq(i64, in.now, 1000));
}

Test(fields, null_makes_an_optional_one_absent_and_is_refused_elsewhere)
{
	cr_expect(zero(int, set("item.cost", "\"1 ETH\"")));
	cr_expect(zero(int, set("item.cost", "null")));
	cr_expect(not(money_is_set(in.inventory.cost)));
	cr_expect(zero(int, set("session.device", "\"phone\"")));
	cr_expect(zero(int, set("session.device", "null")));
	cr_expect(eq(int, in.interest.device, 0));
	cr_expect(eq(int, set("customer.points", "null"), -EINVAL));
	cr_expect(says("customer.points: is never absent"));
}

Test(fields, made_ones_are_set_where_that_has_a_meaning)
{
	in.stock.taken = 3;
	cr_expect(zero(int, set("item.left", "2")));
	cr_expect(eq(i64, in.inventory.supply, 5));
	cr_expect(zero(int, set("market.age_ms", "900")));
	cr_expect(eq(i64, in.bestbid.age_ms, 900));
	cr_expect(eq(int, set("item.left", "-1"), -EINVAL));
	cr_expect(says("item.left: must be of type int"));
}

Test(fields, flags_are_set_and_taken_back_one_by_one)
{
	cr_expect(zero(int, set("market.gap", "true")));
	cr_expect(str_eqz(in.bestbid.flags, "[\"gap\"]"));
	cr_expect(zero(int, set("market.no_fx", "true")));
	cr_expect(zero(int, set("market.no_fx", "true")));
	cr_expect(str_eqz(in.bestbid.flags, "[\"gap\",\"no_fx\"]"));
	cr_expect(zero(int, set("market.net_estimated", "true")));
	cr_expect(zero(int, set("market.no_fx", "false")));
	cr_expect(str_eqz(in.bestbid.flags, "[\"gap\",\"net_estimated\"]"));
	cr_expect(zero(int, set("market.net_estimated", "false")));
	cr_expect(str_eqz(in.bestbid.flags, "[\"gap\"]"));
	cr_expect(zero(int, set("market.gap", "false")));
	cr_expect(str_eqz(in.bestbid.flags, "[]"));
	cr_expect(zero(int, set("market.gap", "false")));
	cr_expect(eq(int, set("market.gap", "1"), -EINVAL));
}

Test(fields, an_unknown_one_is_told_the_nearest)
{
	cr_expect(eq(int, set("customer.teir", "\"gold\""), -EINVAL));
	cr_expect(says("unknown field \"customer.teir\", nearest is \"customer.tier\""));
	cr_expect(eq(int, set("zzzzzzzzzzzzzzzzzzzzz", "1"), -EINVAL));
	cr_expect(says("unknown field \"zzzzzzzzzzzzzzzzzzzzz\""));
}

Test(fields, of_the_wrong_type_are_told_the_right_one)
{
	cr_expect(eq(int, set("customer.points", "\"5400\""), -EINVAL));
	cr_expect(says("customer.points: must be an integer"));
	cr_expect(eq(int, set("customer.tier", "\"glod\""), -EINVAL));
	cr_expect(says("nearest is \"gold\""));
	cr_expect(eq(int, set("customer.tier", "7"), -EINVAL));
	cr_expect(eq(int, set("customer.consent", "\"yes\""), -EINVAL));
	cr_expect(says("true or false"));
	cr_expect(eq(int, set("item.list", "\"1.25\""), -EINVAL));
	cr_expect(says("an amount such as \"1.25 ETH\""));
	cr_expect(eq(int, set("item.list", "\"1.25 XYZ\""), -EINVAL));
	cr_expect(eq(int, set("now", "\"tomorrow\""), -EINVAL));
	cr_expect(says("a time such as"));
	cr_expect(eq(int, set("market.flags", "[\"gap\",7]"), -EINVAL));
	cr_expect(eq(int, set("market.flags", "[\"gpa\"]"), -EINVAL));
	cr_expect(eq(int, set("session.place", "7"), -EINVAL));
	cr_expect(says("session.place: must be a text"));
}

Test(fields, a_protected_trait_has_no_value)
{
	cr_expect(eq(int, set("customer.gender", "\"x\""), -EINVAL));
	cr_expect(says("protected trait"));
}

Test(fields, texts_that_do_not_fit_are_refused)
{
	char text[5000];

	memset(text, 'x', sizeof(text));
	text[0] = text[sizeof(text) - 2] = '"';
	text[sizeof(text) - 1] = '\0';
	cr_expect(eq(int, set("session.place", text), -EINVAL));
	cr_expect(says("no room"));
}

Test(fields, are_documented_as_a_table_and_as_json)
{
	CLEANUP(buf_fini) struct buf out = BUF_INIT(64 * 1024);
	struct json_out j;
	json_t *doc;

	schema_markdown(&out, price_schema());
	buf_putc(&out, '\0');
	cr_expect(ne(ptr, strstr(out.p, "| `customer.tier` | string | member | "), NULL));
	cr_expect(ne(ptr, strstr(out.p, "One of `none`, `silver`, `gold`, `platinum`. |\n"), NULL));
	cr_expect(ne(ptr, strstr(out.p, "| `session.dwell_ms` | int, ms | context |"), NULL));
	cr_expect(ne(ptr, strstr(out.p, "May stand in for nationality"), NULL));

	buf_clear(&out);
	j = JSON_OUT(&out);
	schema_json(&j, NULL, price_schema());
	doc = json_loadb(out.p, out.n, 0, NULL);
	cr_assert(ne(ptr, doc, NULL));
	cr_expect(eq(sz, json_array_size(doc), price_schema()->n));
	cr_expect(
		eq(str, (char *)json_string_value(json_object_get(json_array_get(doc, 0), "name")),
			"customer.tier"));
	cr_expect(eq(sz, json_array_size(json_object_get(json_array_get(doc, 0), "values")), 4));
	json_decref(doc);
}
