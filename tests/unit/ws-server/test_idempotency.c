#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

#include "ws-server/idempotency.h"

static struct id id(unsigned n)
{
	struct id ret;

	snprintf(ret.text, sizeof(ret.text), "%08x-0000-8000-8000-000000000000", n);
	return ret;
}

static void add(struct idempotency *t, unsigned n, int64_t now_ms)
{
	struct id i = id(n);

	idempotency_add(t, &i, NULL, now_ms);
}

static bool has(struct idempotency *t, unsigned n, int64_t now_ms)
{
	struct id i = id(n);

	return idempotency_has(t, &i, now_ms);
}

Test(idempotency, event_is_known_for_its_life)
{
	CLEANUP(idempotency_free) struct idempotency *t = NULL;

	cr_assert(zero(int, idempotency_new(&t, 16, 1000, false)));
	cr_expect(not(has(t, 1, 0)));
	add(t, 1, 5000);
	cr_expect(has(t, 1, 5999));
	cr_expect(not(has(t, 1, 6000)));
	add(t, 1, 6000);
	cr_expect(has(t, 1, 6999), "and may come again");
}

Test(idempotency, adding_again_does_not_prolong)
{
	CLEANUP(idempotency_free) struct idempotency *t = NULL;

	cr_assert(zero(int, idempotency_new(&t, 16, 1000, false)));
	add(t, 1, 0);
	add(t, 1, 900);
	cr_expect(not(has(t, 1, 1000)));
}

Test(idempotency, full_table_forgets_the_oldest)
{
	CLEANUP(idempotency_free) struct idempotency *t = NULL;

	cr_assert(zero(int, idempotency_new(&t, 100, 1000, false)));
	for (unsigned n = 0; n < 1000; n++)
		add(t, n, 1);
	cr_expect(eq(u64, idempotency_forgotten(t), 900));
	for (unsigned n = 0; n < 1000; n++)
		cr_expect(eq(int, has(t, n, 2), n >= 900), "%u", n);
	for (unsigned n = 1000; n < 1100; n++)
		add(t, n, 2000);
	cr_expect(
		eq(u64, idempotency_forgotten(t), 900), "those whose life is over are not counted");
	cr_expect(not(has(t, 999, 2)));
	cr_expect(has(t, 1000, 2001));
}

Test(idempotency, body_is_kept_with_its_id_and_goes_with_it)
{
	CLEANUP(idempotency_free) struct idempotency *t = NULL;
	uint8_t body[SHA256_BYTES] = { 1 };

	cr_assert(zero(int, idempotency_new(&t, 2, 1000, true)));
	for (unsigned n = 1; n <= 3; n++) {
		struct id i = id(n);

		body[1] = (uint8_t)n;
		idempotency_add(t, &i, body, 0);
		body[1] = 99;
		idempotency_add(t, &i, body, 0);
	}
	for (unsigned n = 2; n <= 3; n++) {
		struct id i = id(n);
		const uint8_t *kept = idempotency_body(t, &i, 999);

		cr_assert(not(zero(ptr, (void *)kept)));
		cr_expect(eq(int, kept[1], (int)n), "the first one's");
		cr_expect(zero(ptr, (void *)idempotency_body(t, &i, 1000)));
	}
	cr_expect(zero(ptr, (void *)idempotency_body(t, &(struct id){ "x" }, 0)));
	cr_expect(eq(u64, idempotency_forgotten(t), 1));
}
