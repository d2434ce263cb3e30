/*
 * When a rule is valid. `from` and `to` become two moments when the document is read, weekdays and
 * hours stay a question to the local clock: what changes with daylight saving is asked on the day.
 *
 * A local time that a change of clocks skips is the moment that it would have been without the
 * change; one that it repeats is the first of the two (RFC 5545).
 */
#include <errno.h>
#include <stdio.h>

#include "pricing/cel/lib.h"
#include "pricing/rules/fields_impl.h"
#include "pricing/rules/fields_impl.h"
#include "pricing/rules/ruleset_parse.h"

#define DAY_S 86400

static const char *const weekday_names[] = { "sun", "mon", "tue", "wed", "thu", "fri", "sat",
	NULL };

/* ---- moments ---- */

/* @n digits at *at, which moves on; -1: not so. */
static int digits(struct str s, size_t *at, size_t n)
{
	int ret = 0;

	if (s.n - *at < n || *at > s.n)
		return -1;
	for (size_t i = 0; i < n; i++) {
		char c = s.p[(*at)++];

		if (c < '0' || c > '9')
			return -1;
		ret = ret * 10 + (c - '0');
	}
	return ret;
}

static bool skip(struct str s, size_t *at, char c)
{
	if (*at >= s.n || s.p[*at] != c)
		return false;
	(*at)++;
	return true;
}

/* "2026-11-01", "2026-11-01T00:00", "2026-11-01T00:00:00" as if it were UTC. */
static bool local_seconds(struct str s, int64_t *ret)
{
	int hour = 0, minute = 0, second = 0, year, month, day;
	struct cel_civil c;
	size_t at = 0;

	year = digits(s, &at, 4);
	if (year < 1 || !skip(s, &at, '-'))
		return false;
	month = digits(s, &at, 2);
	if (month < 1 || month > 12 || !skip(s, &at, '-'))
		return false;
	day = digits(s, &at, 2);
	if (at < s.n) {
		if (!skip(s, &at, 'T'))
			return false;
		hour = digits(s, &at, 2);
		if (!skip(s, &at, ':'))
			return false;
		minute = digits(s, &at, 2);
		if (at < s.n && !skip(s, &at, ':'))
			return false;
		if (at < s.n)
			second = digits(s, &at, 2);
	}
	if (at != s.n || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 ||
		second > 59 || day < 1 || day > 31)
		return false;
	*ret = cel_civil_seconds(year, month, day, hour, minute, second);
	c = cel_civil_of(*ret);
	return c.day == day; /* not the 31st of a shorter month */
}

static int64_t utc_of(const struct cel_zone *z, int64_t local)
{
	int32_t before = cel_zone_offset(z, local - DAY_S);
	int32_t after = cel_zone_offset(z, local + DAY_S);

	if (cel_zone_offset(z, local - before) == before)
		return local - before;
	if (cel_zone_offset(z, local - after) == after)
		return local - after;
	return local - before; /* skipped */
}

/* With "Z" or an offset behind it, which the time's own 'T' comes before. */
static bool has_offset(struct str s)
{
	return s.n > 16 && (s.p[s.n - 1] == 'Z' || s.p[s.n - 6] == '+' || s.p[s.n - 6] == '-');
}

/* RFC 3339 wants seconds, people leave them out. */
static bool absolute_ms(struct str s, int64_t *ret)
{
	size_t zone = s.p[s.n - 1] == 'Z' ? 1 : 6;
	char text[40];

	if (s.n >= sizeof(text) - 4)
		return false;
	if (s.n - zone == 16)
		snprintf(text, sizeof(text), "%.16s:00%.*s", s.p, (int)zone, s.p + 16);
	else
		snprintf(text, sizeof(text), STR_FMT, STR_ARG(s));
	return fields_time_ms(str_of(text), ret);
}

static void parse_moment(struct parser *p, const json_t *v, const char *key,
	const struct cel_zone *zone, int64_t *ret)
{
	struct str s = doc_text(p, v, key, 40, false);
	int64_t local;

	if (!str_is_set(s))
		return;
	if (has_offset(s) && absolute_ms(s, ret))
		return;
	if (has_offset(s) || !local_seconds(s, &local)) {
		doc_bad_member(p, key, "value", "\"%.40s\" is no time", s.p);
		findings_hint(p->findings, "such as \"2026-11-01T18:00\", local in \"tz\", or "
					   "\"2026-11-01T18:00:00Z\"");
		return;
	}
	if (!zone && !json_object_get(v, "tz")) {
		doc_bad_member(p, key, "value", "is a local time without a zone");
		findings_hint(p->findings, "add \"tz\":\"Europe/Berlin\", or end it with Z");
		return;
	}
	if (zone)
		*ret = utc_of(zone, local) * 1000;
}

/* ---- weekdays and hours ---- */

static uint8_t parse_weekdays(struct parser *p, const json_t *v)
{
	const json_t *days;
	size_t n = doc_array(p, v, "weekdays", 7, &days);
	uint8_t ret = 0;

	if (!days)
		return 0x7f;
	if (json_is_array(days) && json_array_size(days) == 0)
		doc_bad_member(p, "weekdays", "value", "on no day the rule is never valid");
	for (size_t i = 0; i < n; i++) {
		const char *name = json_string_value(json_array_get(days, i));
		int day = -1;

		for (int d = 0; name && weekday_names[d]; d++) {
			if (strcmp(weekday_names[d], name) == 0)
				day = d;
		}
		if (day < 0) {
			doc_bad_member(p, "weekdays", "value", "item %zu is no day", i);
			findings_hint(p->findings, "mon, tue, wed, thu, fri, sat, sun");
			continue;
		}
		ret |= (uint8_t)(1u << day);
	}
	return ret;
}

/* "18:00" to minutes; 24:00 is the end of the day. */
static int minute_of(struct str s, size_t *at)
{
	int hour = digits(s, at, 2), minute;

	if (!skip(s, at, ':'))
		return -1;
	minute = digits(s, at, 2);
	if (hour < 0 || minute < 0 || minute > 59 || hour * 60 + minute > 24 * 60)
		return -1;
	return hour * 60 + minute;
}

static bool parse_span(struct str s, struct window *w)
{
	size_t at = 0;
	int from = minute_of(s, &at), to;

	if (from < 0 || !skip(s, &at, '-'))
		return false;
	to = minute_of(s, &at);
	if (to < 0 || at != s.n || from == to || from == 24 * 60)
		return false;
	w->hours[w->n_hours].from_minute = (uint16_t)from;
	w->hours[w->n_hours++].to_minute = (uint16_t)(to == 0 ? 24 * 60 : to);
	return true;
}

static void parse_hours(struct parser *p, const json_t *v, struct window *w)
{
	const json_t *hours;
	size_t n = doc_array(p, v, "hours", ARRAY_LEN(w->hours), &hours);

	if (json_is_array(hours) && json_array_size(hours) == 0)
		doc_bad_member(p, "hours", "value", "at no hour the rule is never valid");
	for (size_t i = 0; i < n; i++) {
		const json_t *span = json_array_get(hours, i);
		struct str s = { json_string_value(span), json_string_length(span) };

		if (str_is_set(s) && parse_span(s, w))
			continue;
		doc_bad_member(p, "hours", "value", "item %zu is no span of hours", i);
		findings_hint(p->findings, "such as \"18:00-22:00\", or over midnight "
					   "\"22:00-02:00\"");
	}
}

/* ---- the window ---- */

static const struct cel_zone *parse_zone(struct parser *p, const json_t *v)
{
	struct str name = doc_text(p, v, "tz", 64, false);
	const struct cel_zone *zone = str_is_set(name) ? cel_zone_find(name) : NULL;

	if (str_is_set(name) && !zone) {
		doc_bad_member(p, "tz", "value", "there is no time zone \"%.64s\"", name.p);
		findings_hint(p->findings, "a name such as \"Europe/Berlin\" or \"UTC\"");
	}
	return zone;
}

static void parse_valid(struct parser *p, const json_t *v, struct window *ret)
{
	static const char *const names[] = { "from", "to", "tz", "weekdays", "hours", NULL };
	const struct cel_zone *zone;
	bool is_local;

	*ret = (struct window){ .from_ms = INT64_MIN, .to_ms = INT64_MAX, .weekdays = 0x7f };
	if (!doc_check_members(p, v, names, NULL, "from, to, tz, weekdays, hours"))
		return;
	zone = parse_zone(p, v);
	parse_moment(p, v, "from", zone, &ret->from_ms);
	parse_moment(p, v, "to", zone, &ret->to_ms);
	if (ret->from_ms >= ret->to_ms) {
		doc_bad(p, "value", "ends before it begins");
		findings_hint(p->findings, "\"to\" is the first moment after the window");
	}
	ret->weekdays = parse_weekdays(p, v);
	parse_hours(p, v, ret);
	is_local = ret->weekdays != 0x7f || ret->n_hours;
	if (is_local && !json_object_get(v, "tz")) {
		doc_bad(p, "member", "\"tz\" is missing: whose weekdays and hours are these?");
		findings_hint(p->findings, "such as \"tz\":\"Europe/Berlin\"");
	}
	if (is_local)
		ret->zone = zone;
}

int doc_window(struct parser *p, const json_t *object, const struct window **ret)
{
	const json_t *v = json_object_get(object, "valid");
	struct window *w;
	size_t mark;

	*ret = NULL;
	if (!v)
		return 0;
	w = doc_take(p, sizeof(*w));
	if (!w)
		return -ENOMEM;
	mark = doc_down_member(p, "valid");
	parse_valid(p, v, w);
	doc_up(p, mark);
	*ret = w;
	return 0;
}

void ruleset_note_past(const struct ruleset *r, int64_t now_ms, struct findings *findings)
{
	for (size_t i = 0; i < r->n_rules; i++) {
		const struct rule *rule = &r->rules[i];
		char path[64];

		if (!rule->window || rule->window->to_ms > now_ms)
			continue;
		snprintf(path, sizeof(path), "$.groups[%u].rules[%zu].valid", rule->group,
			i - r->groups[rule->group].first);
		findings_add(findings, FINDING_NOTE, path, "dead-rule",
			"is over: the rule cannot fire any more");
	}
}
