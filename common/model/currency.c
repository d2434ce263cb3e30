/*
 * The table of currencies.
 *
 * Process-wide and without a lock: it is filled from the configuration before any thread starts and
 * only read afterwards. That lets a currency be one byte in every struct money instead of a text
 * that each comparison would have to look at. An entry is never removed, so an index stays good for
 * the life of the process.
 */
#include "common/model/money.h"

#include <assert.h>
#include <errno.h>

#define TABLE_MAX    64 /* entry 0 is "no currency" */
#define CODE_MIN     2
#define CODE_MAX     8
#define DECIMALS_MAX 36 /* 10^36 still fits 128 bits */

struct entry {
	char code[CODE_MAX + 1];
	unsigned decimals;
	unsigned parity;
};

static struct entry table[TABLE_MAX] = {
	{ "", 0, 0 },
	{ "ETH", 18, 1 },
	{ "WETH", 18, 1 },
	{ "GHST", 18, 0 },
	{ "USDC", 6, 0 },
	{ "EUR", 2, 0 },
	{ "USD", 2, 0 },
	{ "JPY", 0, 0 },
};
static unsigned n_entries = 8;

static bool code_is_valid(struct str code)
{
	if (code.n < CODE_MIN || code.n > CODE_MAX)
		return false;
	for (size_t i = 0; i < code.n; i++) {
		char c = code.p[i];

		if (!(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9'))
			return false;
	}
	return true;
}

/* One to one is only true of smallest units if both count them alike. */
static bool parity_is_possible(currency self, unsigned decimals, unsigned parity)
{
	for (unsigned i = 1; parity != 0 && i < n_entries; i++) {
		if (i != self && table[i].parity == parity && table[i].decimals != decimals)
			return false;
	}
	return true;
}

int currency_define(struct str code, unsigned decimals, unsigned parity)
{
	currency c = currency_find(code);

	if (!code_is_valid(code) || decimals > DECIMALS_MAX ||
		!parity_is_possible(c, decimals, parity))
		return -EINVAL;
	if (c == 0) {
		if (n_entries == TABLE_MAX)
			return -ENOSPC;
		c = (currency)n_entries++;
		memcpy(table[c].code, code.p, code.n);
	}
	table[c].decimals = decimals;
	table[c].parity = parity;
	return 0;
}

currency currency_find(struct str code)
{
	if (code.n < CODE_MIN)
		return 0;
	for (unsigned i = 1; i < n_entries; i++) {
		if (str_eqz(code, table[i].code))
			return (currency)i;
	}
	return 0;
}

currency currency_last(void)
{
	return (currency)(n_entries - 1);
}

const char *currency_code(currency c)
{
	assert(c < n_entries);
	return table[c].code;
}

unsigned currency_decimals(currency c)
{
	assert(c < n_entries);
	return table[c].decimals;
}

bool currency_is_par(currency a, currency b)
{
	assert(a < n_entries && b < n_entries);
	if (a == 0 || b == 0)
		return false;
	return a == b || (table[a].parity != 0 && table[a].parity == table[b].parity);
}
