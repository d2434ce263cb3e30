/*
 * What fired, back into amounts: for whoever writes a waterfall. Each amount is worked out from the
 * list price, group after group, so that none of them carries the rounding of another.
 */
#include <assert.h>

#include "pricing/rules/decide_scratch.h"

struct decide_sums decide_sums(const struct fired *f, size_t from, size_t to)
{
	struct decide_sums ret = { 0 };

	for (size_t i = from; i < to; i++) {
		if (f[i].state != FIRED)
			continue;
		ret.bps += f[i].bps;
		ret.discount += f[i].discount;
		ret.surcharge += f[i].surcharge;
	}
	return ret;
}

void decide_apply(struct fraction *price, const struct decide_sums *sums)
{
	fraction_mul_bps(price, sums->bps);
	fraction_sub(price, sums->discount);
	fraction_add(price, sums->surcharge);
}

void decide_walk_begin(
	struct decide_walk *w, const struct ruleset *r, const struct decided *d, u128 list)
{
	*w = (struct decide_walk){ .r = r, .d = d };
	fraction_init(&w->before, list);
}

u128 decide_walk_next(struct decide_walk *w)
{
	const struct decided *d = w->d;
	struct fraction price;
	struct decide_sums sums;

	assert(w->i < d->n_fired);
	if (w->i && d->fired[w->i].group != d->fired[w->i - 1].group) {
		sums = decide_sums(d->fired, w->group_begin, w->i);
		decide_apply(&w->before, &sums);
		w->group_begin = w->i;
	}
	w->i++;
	price = w->before;
	sums = decide_sums(d->fired, w->group_begin, w->i);
	decide_apply(&price, &sums);
	return fraction_round(&price, w->r->rounding);
}

u128 decide_amount(const struct ruleset *r, const struct decided *d, u128 list, size_t i)
{
	struct decide_walk w;
	u128 ret;

	decide_walk_begin(&w, r, d, list);
	do {
		ret = decide_walk_next(&w);
	} while (i--);
	return ret;
}
