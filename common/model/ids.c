/*
 * UUIDs of version 7 and 8.
 *
 * The v7 order is kept by one 60-bit number, milliseconds above a 12-bit counter, of which every id
 * takes a value higher than all before it. Counting past 4,095 within a millisecond carries into
 * the milliseconds, and a clock that went back goes on from the last value: both only let the
 * timestamp run ahead a little, which RFC 9562 6.2 allows, and neither needs a case of its own. The
 * number is atomic because ids may be made on any thread.
 *
 * v8 prefixes every part with its length, so that ("ab", "c") and ("a", "bc") are different inputs.
 */
#include "common/model/ids.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>

#include "common/base/cleanup.h"
#include "common/base/crypto.h"

#define UUID_BYTES   16
#define COUNTER_BITS 12
#define TIME_BITS    48

static _Atomic uint64_t last_tick;

static uint64_t next_tick(uint64_t now)
{
	uint64_t last = atomic_load(&last_tick);
	uint64_t next;

	do {
		next = last < now ? now : last + 1;
	} while (!atomic_compare_exchange_weak(&last_tick, &last, next));
	return next;
}

static void put_u32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

/* Sets version and variant over whatever was there, and writes the text. */
static void finish(struct id *ret, uint8_t bytes[UUID_BYTES], unsigned version)
{
	char hex[2 * UUID_BYTES + 1];
	char *out = ret->text;

	bytes[6] = (uint8_t)(version << 4 | (bytes[6] & 0x0f));
	bytes[8] = (uint8_t)(0x80 | (bytes[8] & 0x3f));
	hex_encode(hex, bytes, UUID_BYTES);
	for (size_t i = 0; i < 2 * (size_t)UUID_BYTES; i++) {
		if (i == 8 || i == 12 || i == 16 || i == 20)
			*out++ = '-';
		*out++ = hex[i];
	}
	*out = '\0';
}

int id_v7(struct id *ret, int64_t now_ms)
{
	uint8_t bytes[UUID_BYTES];
	uint64_t tick, ms;
	int r;

	assert(now_ms >= 0 && now_ms >> TIME_BITS == 0);
	r = crypto_random(bytes + 8, UUID_BYTES - 8);
	if (r < 0)
		return r;
	tick = next_tick((uint64_t)now_ms << COUNTER_BITS);
	ms = tick >> COUNTER_BITS;
	put_u32(bytes, (uint32_t)(ms >> 16));
	bytes[4] = (uint8_t)(ms >> 8);
	bytes[5] = (uint8_t)ms;
	bytes[6] = (uint8_t)(tick >> 8 & 0x0f);
	bytes[7] = (uint8_t)tick;
	finish(ret, bytes, 7);
	return 0;
}

int id_v8(struct id *ret, const struct str *parts, size_t n_parts)
{
	uint8_t input[ID_V8_INPUT_MAX];
	uint8_t digest[SHA256_BYTES];
	size_t n = 0;
	int r;

	for (size_t i = 0; i < n_parts; i++) {
		size_t room = sizeof(input) - n;

		if (room < 4 || parts[i].n > room - 4)
			return -EINVAL;
		put_u32(input + n, (uint32_t)parts[i].n);
		if (parts[i].n != 0)
			memcpy(input + n + 4, parts[i].p, parts[i].n);
		n += 4 + parts[i].n;
	}
	r = crypto_sha256(digest, input, n);
	if (r < 0)
		return r;
	finish(ret, digest, 8);
	return 0;
}

int id_for_interest(struct id *ret, struct str user, struct str client_id)
{
	struct str parts[] = { STR("souk-interest"), user, client_id };

	return id_v8(ret, parts, ARRAY_LEN(parts));
}

int id_for_order(struct id *ret, struct str user, struct str client_id)
{
	struct str parts[] = { STR("souk-order"), user, client_id };

	return id_v8(ret, parts, ARRAY_LEN(parts));
}

int id_for_offer(struct id *ret, struct str interest_id)
{
	struct str parts[] = { STR("souk-offer"), interest_id };

	return id_v8(ret, parts, ARRAY_LEN(parts));
}
