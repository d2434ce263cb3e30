#pragma once

/*
 * What the files of the library share. Arguments are never errors here: cel_call() has looked.
 */
#include "pricing/cel/lib.h"

#define NS_PER_SECOND 1000000000LL
#define NS_PER_MS     1000000LL

/* The range of a timestamp: 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z. */
#define TIMESTAMP_SECONDS_MIN (-62135596800LL)
#define TIMESTAMP_SECONDS_MAX 253402300799LL

static inline struct cel_value lib_no_overload(void)
{
	return cel_error(CEL_R_NO_OVERLOAD, "no such overload");
}
static inline struct cel_value lib_overflow(void)
{
	return cel_error(CEL_R_OVERFLOW, "integer overflow");
}
static inline struct cel_value lib_range(void)
{
	return cel_error(CEL_R_RANGE, "range error");
}
static inline struct cel_value lib_no_memory(void)
{
	return cel_error(CEL_R_MEMORY, "out of memory for this evaluation");
}
static inline struct cel_value lib_no_path(void)
{
	return cel_error(CEL_R_NO_PATH, "no parity between the two currencies");
}
/* A money error of model/money.h. */
struct cel_value lib_money_error(int code);

/* lib_arithmetic.c. The operations of one kind; @a and @b are any. */
struct cel_value lib_subtract(struct cel_value a, struct cel_value b);
struct cel_value lib_multiply(struct cel_value a, struct cel_value b);
struct cel_value lib_divide(struct cel_value a, struct cel_value b);
struct cel_value lib_modulo(struct cel_value a, struct cel_value b);
struct cel_value lib_negate(struct cel_value a);

/* lib_compare.c */
struct cel_value lib_order(enum cel_function f, struct cel_value a, struct cel_value b);
/* math.least and math.greatest of numbers, or of one list of numbers. */
struct cel_value lib_extreme(enum cel_function f, const struct cel_value *args, unsigned n);

/* lib_convert.c: bool() bytes() double() int() string() type() uint() */
struct cel_value lib_convert(struct cel_context *c, enum cel_function f, struct cel_value v);
/* As Go's %g: the shortest text that reads back as the same number. @ret: 32 bytes. Its length. */
size_t lib_double_text(char *ret, double d);

/* lib_time.c */
struct cel_value lib_timestamp_add(struct cel_value timestamp, int64_t ns);
struct cel_value lib_timestamp_difference(struct cel_value a, struct cel_value b);
struct cel_value lib_to_timestamp(struct cel_value v);
struct cel_value lib_to_duration(struct cel_value v);
/* Texts of the two; @ret: LIB_TIME_TEXT_MAX bytes. Their length. */
#define LIB_TIME_TEXT_MAX 40
size_t lib_timestamp_text(char *ret, struct cel_value timestamp);
size_t lib_duration_text(char *ret, int64_t ns);
/* lib_time_get.c: getHours() and its kind, of timestamps and durations. */
struct cel_value lib_time_get(enum cel_function f, const struct cel_value *args, unsigned n);

/* lib_text.c */
struct cel_value lib_size(struct cel_value v);
struct cel_value lib_text_test(
	struct cel_context *c, enum cel_function f, struct cel_value a, struct cel_value b);
struct cel_value lib_text_change(struct cel_context *c, enum cel_function f, struct cel_value v);

/* lib_money.c: everything that only money and basis points have. */
struct cel_value lib_money(
	struct cel_context *c, enum cel_function f, const struct cel_value *args, unsigned n);
struct cel_value lib_money_add(struct cel_value a, struct cel_value b);
struct cel_value lib_money_subtract(struct cel_value a, struct cel_value b);

/* zone_rule.c: the POSIX TZ text at the end of a zone file (RFC 8536 3.3). */
struct zone_change {  /* when a year's change happens, in local time */
	uint8_t kind; /* enum zone_change_kind */
	int32_t day;  /* 1..365 without February 29, or 0..365 with it */
	int8_t month, week, weekday;
	int32_t seconds; /* after midnight of that day; may be negative or over a day */
};
enum zone_change_kind { ZONE_JULIAN, ZONE_DAY, ZONE_MONTH_WEEK_DAY };
struct zone_rule {
	int32_t standard, summer; /* seconds to add to UTC */
	bool has_summer;
	struct zone_change begin, end; /* of summer time */
};
bool zone_rule_parse(struct zone_rule *ret, struct str text);
int32_t zone_rule_offset(const struct zone_rule *r, int64_t utc_seconds);
