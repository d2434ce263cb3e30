#pragma once

/*
 * What functions and operators do, dispatched by the kinds of their arguments at run time: the same
 * code serves typed programs, `dyn` and unchecked expressions. Strict: an argument that is an error
 * is returned as it is (the leftmost). `&&`, `||`, `?:` and macros are not here: they are the
 * machine's.
 */
#include "common/base/arena.h"
#include "common/base/cleanup.h"
#include "common/model/money.h"
#include "pricing/cel/function.h"
#include "pricing/cel/value.h"

/* What an evaluation works with. Belongs to one thread. */
struct cel_context {
	struct arena *arena;     /* results; exhausted = CEL_R_MEMORY */
	uint64_t cost, cost_max; /* counted in the units of cost.h; over it = CEL_R_COST; max 0 = no
				    limit */
	enum rounding rounding;  /* of add_bps and bps_over */
	bool has_patterns;       /* `matches` may compile a pattern at run time (needs the heap) */
};

/* 1..8 arguments, a receiver first. Counts cel_call_cost(), the call itself included. Of AND, OR,
 * CONDITIONAL and NOT_STRICTLY_FALSE: "no such overload". */
struct cel_value cel_call(
	struct cel_context *c, enum cel_function f, const struct cel_value *args, unsigned n);

/*
 * Units of one call with these arguments: 1, and for what it has to read
 *	== != < <= > >=       the lighter of the two weights
 *	_+_                   both weights; of lists their lengths
 *	in                    of a list its length (times 1 + weight for a list or map as element)
 *	                      of a map the weight of the key
 *	math.least, greatest  the numbers beyond the first
 *	matches               (bytes of text x bytes of pattern) / 40
 *	others                the weights of all texts; of - * / % [] ! type() dyn() nothing
 * each rounded up. The weight of a text is a tenth of its bytes, of a list 1 an element and of a
 * map 2 an entry plus what is inside; of anything else 0.
 */
uint64_t cel_call_cost(enum cel_function f, const struct cel_value *args, unsigned n);
/* Adds to c->cost; false if that is over the limit: the result is then cel_cost_error(). */
static inline bool cel_spend(struct cel_context *c, uint64_t units)
{
	c->cost += units;
	return c->cost_max == 0 || c->cost <= c->cost_max;
}
struct cel_value cel_cost_error(void);

/* Single operations that the machine calls without going through the table. */
struct cel_value cel_add(struct cel_context *c, struct cel_value a, struct cel_value b);
/* -1, 0, 1 into *ret. false: *error says why, and is the result of < <= > >=: no order between
 * these kinds, or an argument that is an error. Beside NaN *ret is 2: no relation holds.
 * Integers beside a double are compared as doubles, as the conformance suite demands. */
bool cel_compare(struct cel_value a, struct cel_value b, int *ret, struct cel_value *error);
struct cel_value cel_index(struct cel_value container, struct cel_value key);
struct cel_value cel_select(struct cel_value operand, struct str field);
struct cel_value cel_has(struct cel_value operand, struct str field); /* a bool, or an error */
struct cel_value cel_in(struct cel_value element, struct cel_value container);
/* The value of that key (numbers by value, whatever their kind), or NULL. */
const struct cel_value *cel_map_find(const struct cel_map *m, struct cel_value key);
/* Copies both arrays. Checks key kinds and repetition; an error among them is the result (in the
 * order key, value, key, value). More than CEL_MAP_LINEAR entries get an index. */
#define CEL_MAP_LINEAR 16
struct cel_value cel_map_make(struct cel_context *c, const struct cel_value *keys,
	const struct cel_value *values, uint32_t n);

/* A pattern compiled ahead (RE2 syntax, linear time). */
struct cel_pattern;
/* 0, -EINVAL with the library's text in @why (a NUL at the end), -ENOMEM. */
MUST_CHECK int cel_pattern_new(struct cel_pattern **ret, struct str pattern, char *why, size_t cap);
struct cel_pattern *cel_pattern_free(struct cel_pattern *p);
DEFINE_CLEANUP(struct cel_pattern *, cel_pattern_free)
/* Anywhere in @text (unanchored), as `matches` is. */
bool cel_pattern_matches(const struct cel_pattern *p, struct str text);

/* Time zones: "UTC", "+02:00", "-08:00", "02:00", IANA names read from the system's zone files.
 * They are kept for the life of the process, at most CEL_ZONES_MAX. Not thread safe but for
 * reading: resolve before, or on one thread. */
#define CEL_ZONES_MAX 640
struct cel_zone;
const struct cel_zone *cel_zone_find(
	struct str name); /* NULL: no such zone (or over the maximum) */
/* Seconds to add to UTC at that moment. */
int32_t cel_zone_offset(const struct cel_zone *z, int64_t utc_seconds);

/* What getHours() and its kind say of a timestamp, so many seconds off UTC. */
struct cel_value cel_time_part(enum cel_function f, struct cel_value timestamp, int32_t offset);

/* A moment taken apart, proleptic Gregorian. */
struct cel_civil {
	int64_t year;
	int month; /* 1..12 */
	int day;   /* 1..31 */
	int hour, minute, second;
	int weekday; /* 0 = Sunday */
	int yearday; /* 0..365 */
};
struct cel_civil cel_civil_of(int64_t seconds);
static inline bool cel_is_leap(int64_t year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}
int64_t cel_civil_seconds(int64_t year, int month, int day, int hour, int minute, int second);
/* RFC 3339 text in the range 0001-01-01T00:00:00Z .. 9999-12-31T23:59:59.999999999Z. */
struct cel_value cel_timestamp_parse(struct str text);
struct cel_value cel_duration_parse(struct str text); /* "1h30m", "1.5s", "-2ms", Go's syntax */
