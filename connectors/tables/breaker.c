/*
 * Needs the row as it was, so connectors reads before it writes. That is safe because a partition
 * has one writer, and it has one record of a key under way at a time.
 */
#include "connectors/tables/breaker.h"

static bool stored_money(
	const struct row *row, const char *amount, const char *code, struct money *ret)
{
	struct str a = row_get(row, amount), c = row_get(row, code);

	return str_is_set(a) && str_is_set(c) && money_make(ret, a, c) == 0;
}

/* Amounts are at most 2^96 - 1, so doubling one is safe. */
static bool is_away(struct money list, struct money ok)
{
	u128 distance = list.amount > ok.amount ? list.amount - ok.amount : ok.amount - list.amount;

	return list.currency != ok.currency || 2 * distance > ok.amount;
}

void breaker_judge(struct inventory *inv, const struct cache_row *stored, bool is_confirmed)
{
	struct money ok;
	bool has_ok = stored->state == CACHE_PRESENT &&
		      (stored_money(&stored->row, "list_ok", "list_ok_currency", &ok) ||
			      stored_money(&stored->row, "list", "list_currency", &ok));

	inv->held = has_ok && !is_confirmed && is_away(inv->list, ok);
	inv->list_ok = inv->held ? ok : inv->list;
}

struct version breaker_version(
	struct version ver, uint64_t gen, const struct cache_row *stored, bool is_confirmed)
{
	struct version have;

	if (!is_confirmed || stored->state != CACHE_PRESENT || stored->gen != gen ||
		!str_eqz(row_get(&stored->row, "held"), "1"))
		return ver;
	if (version_parse_stored(&have, stored->ver) || version_cmp(have, ver) != 0)
		return ver;
	if (ver.part[VERSION_PARTS - 1] < UINT64_MAX)
		ver.part[VERSION_PARTS - 1]++;
	return ver;
}
