/*
 * Steered by the state that the ledger has, not by a list of steps made beforehand: the
 * configuration may have changed since the order began, and then the way goes on from where it is.
 * The number of outcomes only tells the first SENT and MINED from those after a reorg.
 */
#include "wallet-bridge/dry_run_plan.h"

#include <errno.h>
#include <string.h>

#include "common/base/crypto.h"

#define TX_TEXT     "souk-dry-run"
#define CHANCE_TEXT "souk-dry-run-chance"
#define ID_MAX      128
#define BPS         10000
#define BLOCK_FIRST 17000000
#define BLOCKS      1000000

struct chance {
	bool never, hold, fail, reorg;
	int64_t block;
	uint8_t wait[8];
};

static int digest(uint8_t ret[SHA256_BYTES], const char *text, struct str order)
{
	char in[sizeof(CHANCE_TEXT) + ID_MAX];
	size_t n = strlen(text);

	if (order.n > ID_MAX)
		return -EIO;
	memcpy(in, text, n);
	memcpy(in + n, order.p, order.n);
	return crypto_sha256(ret, in, n + order.n);
}

static uint32_t number(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int draw(struct chance *ret, const struct executor_config *c, struct str order)
{
	uint8_t d[SHA256_BYTES];
	int err = digest(d, CHANCE_TEXT, order);

	if (err != 0)
		return err;
	ret->never = number(d) % BPS < c->never_bps;
	ret->hold = number(d + 4) % BPS < c->hold_bps;
	ret->fail = number(d + 8) % BPS < c->fail_bps;
	ret->reorg = number(d + 12) % BPS < DRY_RUN_REORG_BPS;
	ret->block = BLOCK_FIRST + number(d + 16) % BLOCKS;
	memcpy(ret->wait, d + 20, sizeof(ret->wait));
	return 0;
}

/* Half to one and a half times the mean. */
static int64_t wait_ms(const struct executor_config *c, const struct chance *chance, int64_t n)
{
	int64_t part = chance->wait[(uint64_t)n % sizeof(chance->wait)];

	return c->step_ms / 2 + c->step_ms * part / 255;
}

static enum order_state first(const struct chance *chance)
{
	if (chance->never)
		return ORDER_EXPIRED;
	return chance->hold ? ORDER_HELD : ORDER_SENT;
}

/* @n_first: outcomes once the payment was sent for the first time. */
static int follow(
	enum order_state *ret, const struct chance *chance, int64_t n, int64_t n_first, int state)
{
	switch (state) {
	case ORDER_HELD:
		*ret = ORDER_SENT;
		return 0;
	case ORDER_SENT:
		*ret = chance->fail && n <= n_first ? ORDER_REVERTED : ORDER_MINED;
		return 0;
	case ORDER_MINED:
		*ret = chance->reorg && n == n_first + 1 ? ORDER_SENT : ORDER_CONFIRMED;
		return 0;
	case ORDER_CONFIRMED:
		*ret = ORDER_FINAL;
		return 0;
	default:
		return DRY_RUN_PLAN_E_OVER;
	}
}

static int set_tx(struct dry_run_step *ret, struct str order)
{
	uint8_t d[SHA256_BYTES];
	int err = digest(d, TX_TEXT, order);

	if (err != 0)
		return err;
	ret->tx[0] = '0';
	ret->tx[1] = 'x';
	hex_encode(ret->tx + 2, d, sizeof(d));
	return 0;
}

static const char *reason_of(enum order_state s)
{
	switch (s) {
	case ORDER_HELD:
		return "FUNDS";
	case ORDER_REVERTED:
		return "REVERTED";
	case ORDER_EXPIRED:
		return "UNPAID";
	default:
		return NULL;
	}
}

int dry_run_plan_next(struct dry_run_step *ret, const struct executor_config *c, struct str order,
	int64_t n, int state, bool is_late)
{
	bool is_begun = dry_run_plan_is_begun(n, state);
	struct chance chance;
	int64_t n_first;
	int err = draw(&chance, c, order);

	if (err != 0)
		return err;
	*ret = (struct dry_run_step){ .wait_ms = wait_ms(c, &chance, n) };
	n_first = chance.hold ? 2 : 1;
	if (!is_begun && is_late)
		ret->state = ORDER_EXPIRED;
	else if (n == 0)
		ret->state = first(&chance);
	else
		err = follow(&ret->state, &chance, n, n_first, state);
	if (err != 0)
		return err;
	if (ret->state == ORDER_EXPIRED)
		ret->wait_ms = c->reservation_ms;
	else if (n > 0 && state == ORDER_HELD)
		ret->wait_ms *= DRY_RUN_HOLD_STEPS;
	ret->reason = reason_of(ret->state);
	if (ret->state == ORDER_HELD || ret->state == ORDER_EXPIRED)
		return 0;
	if (ret->state != ORDER_SENT)
		ret->block = chance.block + (chance.reorg && n >= n_first + 2);
	return set_tx(ret, order);
}
