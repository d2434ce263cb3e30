/*
 * Writing. Straight into the buffer and not through json_out.h, whose depth is bounded to what our
 * records have: a list in a list in a list takes three levels of JSON each. Doubles get the
 * shortest text that reads back as the same double.
 */
#include "pricing/cel/value_json.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "pricing/cel/lib.h"

static void write_text(struct buf *out, struct str s)
{
	struct json_out j = JSON_OUT(out);

	json_str(&j, NULL, s.p ? s : STR(""));
}

static void write_double(struct buf *out, double d)
{
	char text[40];

	if (isnan(d) || isinf(d)) {
		buf_printf(out, "\"%s\"", isnan(d) ? "NaN" : d > 0 ? "Infinity" : "-Infinity");
		return;
	}
	for (int digits = 1; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, d);
		if (strtod(text, NULL) == d)
			break;
	}
	buf_puts(out, d == 0 && signbit(d) ? STR("-0.0") : str_of(text)); /* -0 reads as 0 */
}

static void write_bytes(struct buf *out, struct str s)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	buf_putc(out, '"');
	for (size_t i = 0; i < s.n; i += 3) {
		uint32_t v = 0;

		for (size_t k = 0; k < 3; k++)
			v = v << 8 | (i + k < s.n ? (unsigned char)s.p[i + k] : 0);
		for (size_t k = 0; k < 4; k++)
			buf_putc(out, i + k <= s.n ? digits[v >> (18 - 6 * k) & 63] : '=');
	}
	buf_putc(out, '"');
}

/* Fraction of a second in 3, 6 or 9 digits, as proto3 JSON writes it. */
static void write_fraction(struct buf *out, uint32_t ns)
{
	if (ns == 0)
		return;
	if (ns % 1000000 == 0)
		buf_printf(out, ".%03" PRIu32, ns / 1000000);
	else if (ns % 1000 == 0)
		buf_printf(out, ".%06" PRIu32, ns / 1000);
	else
		buf_printf(out, ".%09" PRIu32, ns);
}

static void write_timestamp(struct buf *out, struct cel_value v)
{
	const struct cel_civil c = cel_civil_of(v.i);

	buf_printf(out, "{\"@type\":\"" TIMESTAMP_URL "\",\"value\":\"");
	buf_printf(out, "%04" PRId64 "-%02d-%02dT%02d:%02d:%02d", c.year, c.month, c.day, c.hour,
		c.minute, c.second);
	write_fraction(out, v.n);
	buf_puts(out, STR("Z\"}"));
}

static void write_duration(struct buf *out, int64_t ns)
{
	const uint64_t magnitude = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;

	buf_printf(out, "{\"@type\":\"" DURATION_URL "\",\"value\":\"");
	buf_printf(out, "%s%" PRIu64, ns < 0 ? "-" : "", magnitude / 1000000000);
	write_fraction(out, (uint32_t)(magnitude % 1000000000));
	buf_puts(out, STR("s\"}"));
}

/* Empty lists and maps have no member at all, as proto3 JSON writes them. */
static void write_list(struct buf *out, struct cel_value v)
{
	if (v.n == 0) {
		buf_puts(out, STR("{}"));
		return;
	}
	buf_puts(out, STR("{\"values\":["));
	for (uint32_t i = 0; i < v.n; i++) {
		if (i > 0)
			buf_putc(out, ',');
		cel_value_to_json(out, v.list[i]);
	}
	buf_puts(out, STR("]}"));
}

static void write_map(struct buf *out, const struct cel_map *m)
{
	if (m->n == 0) {
		buf_puts(out, STR("{}"));
		return;
	}
	buf_puts(out, STR("{\"entries\":["));
	for (uint32_t i = 0; i < m->n; i++) {
		buf_puts(out, i > 0 ? STR(",{\"key\":") : STR("{\"key\":"));
		cel_value_to_json(out, m->keys[i]);
		buf_puts(out, STR(",\"value\":"));
		cel_value_to_json(out, m->values[i]);
		buf_putc(out, '}');
	}
	buf_puts(out, STR("]}"));
}

static void write_money(struct buf *out, struct money m)
{
	struct json_out j = JSON_OUT(out);

	money_json(&j, NULL, m);
}

static void write_content(struct buf *out, struct cel_value v)
{
	switch ((enum cel_value_kind)v.kind) {
	case CEL_V_ERROR:
		assert(false);
		break;
	case CEL_V_NULL:
		buf_puts(out, STR("null"));
		break;
	case CEL_V_BOOL:
		buf_puts(out, v.b ? STR("true") : STR("false"));
		break;
	case CEL_V_INT:
	case CEL_V_BPS:
		buf_printf(out, "\"%" PRId64 "\"", v.i);
		break;
	case CEL_V_UINT:
		buf_printf(out, "\"%" PRIu64 "\"", v.u);
		break;
	case CEL_V_DOUBLE:
		write_double(out, v.d);
		break;
	case CEL_V_STRING:
		write_text(out, cel_str(v));
		break;
	case CEL_V_BYTES:
		write_bytes(out, cel_str(v));
		break;
	case CEL_V_TIMESTAMP:
		write_timestamp(out, v);
		break;
	case CEL_V_DURATION:
		write_duration(out, v.i);
		break;
	case CEL_V_MONEY:
		write_money(out, cel_money_of(v));
		break;
	case CEL_V_LIST:
		write_list(out, v);
		break;
	case CEL_V_MAP:
		write_map(out, v.map);
		break;
	case CEL_V_TYPE:
		write_text(out, str_of(v.s));
		break;
	}
}

void cel_value_to_json(struct buf *out, struct cel_value v)
{
	static const char *const names[] = {
		[CEL_V_NULL] = "null",
		[CEL_V_BOOL] = "bool",
		[CEL_V_INT] = "int64",
		[CEL_V_UINT] = "uint64",
		[CEL_V_DOUBLE] = "double",
		[CEL_V_STRING] = "string",
		[CEL_V_BYTES] = "bytes",
		[CEL_V_TIMESTAMP] = "object",
		[CEL_V_DURATION] = "object",
		[CEL_V_MONEY] = "money",
		[CEL_V_BPS] = "bps",
		[CEL_V_LIST] = "list",
		[CEL_V_MAP] = "map",
		[CEL_V_TYPE] = "type",
	};

	assert(v.kind != CEL_V_ERROR);
	buf_printf(out, "{\"%sValue\":", names[v.kind]);
	write_content(out, v);
	buf_putc(out, '}');
}
