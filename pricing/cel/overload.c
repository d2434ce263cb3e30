/*
 * One table a function, so that a call looks only at those that could be meant. Rows of the
 * standard library are in cel-go's order of declaration: with arguments of a type not yet known the
 * first row that fits decides it. Ours come after them.
 */
#include "pricing/cel/overload.h"

#include "common/base/cleanup.h"

static const struct cel_type param_a = { .kind = CEL_T_PARAM, .param = 0 };
static const struct cel_type param_b = { .kind = CEL_T_PARAM, .param = 1 };
static const struct cel_type list_a = { .kind = CEL_T_LIST, .a = &param_a };
static const struct cel_type map_ab = { .kind = CEL_T_MAP, .a = &param_a, .b = &param_b };
static const struct cel_type type_a = { .kind = CEL_T_TYPE, .a = &param_a };
static const struct cel_type list_int = { .kind = CEL_T_LIST, .a = &cel_type_int };
static const struct cel_type list_uint = { .kind = CEL_T_LIST, .a = &cel_type_uint };
static const struct cel_type list_double = { .kind = CEL_T_LIST, .a = &cel_type_double };

/* type, kind */
#define A           &param_a, CEL_T_PARAM
#define B           &param_b, CEL_T_PARAM
#define LIST_A      &list_a, CEL_T_LIST
#define MAP_AB      &map_ab, CEL_T_MAP
#define TYPE_A      &type_a, CEL_T_TYPE
#define LIST_INT    &list_int, CEL_T_LIST
#define LIST_UINT   &list_uint, CEL_T_LIST
#define LIST_DOUBLE &list_double, CEL_T_LIST
#define DYN         &cel_type_dyn, CEL_T_DYN
#define BOOL        &cel_type_bool, CEL_T_BOOL
#define INT         &cel_type_int, CEL_T_INT
#define UINT        &cel_type_uint, CEL_T_UINT
#define DOUBLE      &cel_type_double, CEL_T_DOUBLE
#define STRING      &cel_type_string, CEL_T_STRING
#define BYTES       &cel_type_bytes, CEL_T_BYTES
#define TIMESTAMP   &cel_type_timestamp, CEL_T_TIMESTAMP
#define DURATION    &cel_type_duration, CEL_T_DURATION
#define MONEY       &cel_type_money, CEL_T_MONEY
#define BPS         &cel_type_bps, CEL_T_BPS

#define ROW1(name, r, rk, a, ak) \
	.id = { name, sizeof(name) - 1 }, .n_args = 1, .result = (r), .args = { a }, .key = (ak)
#define ROW2(name, r, rk, a, ak, b, bk) \
	.id = { name, sizeof(name) - 1 }, .n_args = 2, .result = (r), .args = { a, b }, \
	.key = (ak) | (bk) << CEL_KEY_BITS
#define ROW3(name, r, rk, a, ak, b, bk, c, ck) \
	.id = { name, sizeof(name) - 1 }, .n_args = 3, .result = (r), .args = { a, b, c }, \
	.key = (ak) | (bk) << CEL_KEY_BITS | (ck) << 2 * CEL_KEY_BITS

/* name, result, arguments */
#define G1(...) \
	{ \
		ROW1(__VA_ARGS__) \
	}
#define G2(...) \
	{ \
		ROW2(__VA_ARGS__) \
	}
#define G3(...) \
	{ \
		ROW3(__VA_ARGS__) \
	}
#define M1(...) \
	{ \
		ROW1(__VA_ARGS__), .is_member = true \
	}
#define M2(...) \
	{ \
		ROW2(__VA_ARGS__), .is_member = true \
	}
#define V1(...) \
	{ \
		ROW1(__VA_ARGS__), .is_variadic = true \
	}
/* the same, of an environment with money */
#define G1_MONEY(...) \
	{ \
		ROW1(__VA_ARGS__), .is_money = true \
	}
#define G2_MONEY(...) \
	{ \
		ROW2(__VA_ARGS__), .is_money = true \
	}
#define M2_MONEY(...) \
	{ \
		ROW2(__VA_ARGS__), .is_member = true, .is_money = true \
	}
#define V2_MONEY(...) \
	{ \
		ROW2(__VA_ARGS__), .is_variadic = true, .is_money = true \
	}

static const struct cel_overload logical_and[] = { G2("logical_and", BOOL, BOOL, BOOL) };
static const struct cel_overload logical_or[] = { G2("logical_or", BOOL, BOOL, BOOL) };
static const struct cel_overload conditional[] = { G3("conditional", A, BOOL, A, A) };
static const struct cel_overload logical_not[] = { G1("logical_not", BOOL, BOOL) };
static const struct cel_overload not_strictly_false[] = { G1("not_strictly_false", BOOL, BOOL) };
static const struct cel_overload negate[] = {
	G1("negate_double", DOUBLE, DOUBLE),
	G1("negate_int64", INT, INT),
	G1_MONEY("negate_bps", BPS, BPS),
};
static const struct cel_overload equals[] = { G2("equals", BOOL, A, A) };
static const struct cel_overload not_equals[] = { G2("not_equals", BOOL, A, A) };

#define ORDER(name) \
	{ \
		G2(name "_bool", BOOL, BOOL, BOOL), G2(name "_int64", BOOL, INT, INT), \
			G2(name "_uint64", BOOL, UINT, UINT), \
			G2(name "_double", BOOL, DOUBLE, DOUBLE), \
			G2(name "_string", BOOL, STRING, STRING), \
			G2(name "_bytes", BOOL, BYTES, BYTES), \
			G2(name "_timestamp", BOOL, TIMESTAMP, TIMESTAMP), \
			G2(name "_duration", BOOL, DURATION, DURATION), \
			G2_MONEY(name "_money", BOOL, MONEY, MONEY), \
			G2_MONEY(name "_bps", BOOL, BPS, BPS), \
	}
static const struct cel_overload less[] = ORDER("less");
static const struct cel_overload less_equals[] = ORDER("less_equals");
static const struct cel_overload greater[] = ORDER("greater");
static const struct cel_overload greater_equals[] = ORDER("greater_equals");

static const struct cel_overload add[] = {
	G2("add_bytes", BYTES, BYTES, BYTES),
	G2("add_double", DOUBLE, DOUBLE, DOUBLE),
	G2("add_duration_duration", DURATION, DURATION, DURATION),
	G2("add_duration_timestamp", TIMESTAMP, DURATION, TIMESTAMP),
	G2("add_timestamp_duration", TIMESTAMP, TIMESTAMP, DURATION),
	G2("add_int64", INT, INT, INT),
	G2("add_list", LIST_A, LIST_A, LIST_A),
	G2("add_string", STRING, STRING, STRING),
	G2("add_uint64", UINT, UINT, UINT),
	G2_MONEY("add_money", MONEY, MONEY, MONEY),
	G2_MONEY("add_bps", BPS, BPS, BPS),
};
static const struct cel_overload subtract[] = {
	G2("subtract_double", DOUBLE, DOUBLE, DOUBLE),
	G2("subtract_duration_duration", DURATION, DURATION, DURATION),
	G2("subtract_int64", INT, INT, INT),
	G2("subtract_timestamp_duration", TIMESTAMP, TIMESTAMP, DURATION),
	G2("subtract_timestamp_timestamp", DURATION, TIMESTAMP, TIMESTAMP),
	G2("subtract_uint64", UINT, UINT, UINT),
	G2_MONEY("subtract_money", MONEY, MONEY, MONEY),
	G2_MONEY("subtract_bps", BPS, BPS, BPS),
};
static const struct cel_overload multiply[] = {
	G2("multiply_double", DOUBLE, DOUBLE, DOUBLE),
	G2("multiply_int64", INT, INT, INT),
	G2("multiply_uint64", UINT, UINT, UINT),
	G2_MONEY("multiply_bps_int64", BPS, BPS, INT),
	G2_MONEY("multiply_int64_bps", BPS, INT, BPS),
};
static const struct cel_overload divide[] = {
	G2("divide_double", DOUBLE, DOUBLE, DOUBLE),
	G2("divide_int64", INT, INT, INT),
	G2("divide_uint64", UINT, UINT, UINT),
};
static const struct cel_overload modulo[] = {
	G2("modulo_int64", INT, INT, INT),
	G2("modulo_uint64", UINT, UINT, UINT),
};
static const struct cel_overload in[] = {
	G2("in_list", BOOL, A, LIST_A),
	G2("in_map", BOOL, A, MAP_AB),
};
static const struct cel_overload index_of[] = {
	G2("index_list", A, LIST_A, INT),
	G2("index_map", B, MAP_AB, A),
};
static const struct cel_overload size[] = {
	G1("size_bytes", INT, BYTES),
	M1("bytes_size", INT, BYTES),
	G1("size_list", INT, LIST_A),
	M1("list_size", INT, LIST_A),
	G1("size_map", INT, MAP_AB),
	M1("map_size", INT, MAP_AB),
	G1("size_string", INT, STRING),
	M1("string_size", INT, STRING),
};

static const struct cel_overload contains[] = { M2("contains_string", BOOL, STRING, STRING) };
static const struct cel_overload starts_with[] = { M2("starts_with_string", BOOL, STRING, STRING) };
static const struct cel_overload ends_with[] = { M2("ends_with_string", BOOL, STRING, STRING) };
static const struct cel_overload matches[] = {
	G2("matches", BOOL, STRING, STRING),
	M2("matches_string", BOOL, STRING, STRING),
};
static const struct cel_overload lower_ascii[] = { M1("string_lower_ascii", STRING, STRING) };
static const struct cel_overload upper_ascii[] = { M1("string_upper_ascii", STRING, STRING) };
static const struct cel_overload trim[] = { M1("string_trim", STRING, STRING) };

static const struct cel_overload to_bool[] = {
	G1("bool_to_bool", BOOL, BOOL),
	G1("string_to_bool", BOOL, STRING),
};
static const struct cel_overload to_bytes[] = {
	G1("bytes_to_bytes", BYTES, BYTES),
	G1("string_to_bytes", BYTES, STRING),
};
static const struct cel_overload to_double[] = {
	G1("double_to_double", DOUBLE, DOUBLE),
	G1("int64_to_double", DOUBLE, INT),
	G1("string_to_double", DOUBLE, STRING),
	G1("uint64_to_double", DOUBLE, UINT),
};
static const struct cel_overload to_duration[] = {
	G1("duration_to_duration", DURATION, DURATION),
	G1("string_to_duration", DURATION, STRING),
};
static const struct cel_overload to_dyn[] = { G1("to_dyn", DYN, A) };
static const struct cel_overload to_int[] = {
	G1("int64_to_int64", INT, INT),
	G1("double_to_int64", INT, DOUBLE),
	G1("duration_to_int64", INT, DURATION),
	G1("string_to_int64", INT, STRING),
	G1("timestamp_to_int64", INT, TIMESTAMP),
	G1("uint64_to_int64", INT, UINT),
};
static const struct cel_overload to_string[] = {
	G1("string_to_string", STRING, STRING),
	G1("bool_to_string", STRING, BOOL),
	G1("bytes_to_string", STRING, BYTES),
	G1("double_to_string", STRING, DOUBLE),
	G1("duration_to_string", STRING, DURATION),
	G1("int64_to_string", STRING, INT),
	G1("timestamp_to_string", STRING, TIMESTAMP),
	G1("uint64_to_string", STRING, UINT),
};
static const struct cel_overload to_timestamp[] = {
	G1("timestamp_to_timestamp", TIMESTAMP, TIMESTAMP),
	G1("int64_to_timestamp", TIMESTAMP, INT),
	G1("string_to_timestamp", TIMESTAMP, STRING),
};
static const struct cel_overload to_type[] = { G1("type", TYPE_A, A) };
static const struct cel_overload to_uint[] = {
	G1("uint64_to_uint64", UINT, UINT),
	G1("double_to_uint64", UINT, DOUBLE),
	G1("int64_to_uint64", UINT, INT),
	G1("string_to_uint64", UINT, STRING),
};

/* cel-go forgot the "with" in one of them. */
#define GETTER(name)    M1("timestamp_to_" name, INT, TIMESTAMP)
#define GETTER_TZ(name) M2("timestamp_to_" name, INT, TIMESTAMP, STRING)
static const struct cel_overload get_date[] = {
	GETTER("day_of_month_1_based"),
	GETTER_TZ("day_of_month_1_based_with_tz"),
};
static const struct cel_overload get_day_of_month[] = { GETTER("day_of_month"),
	GETTER_TZ("day_of_month_with_tz") };
static const struct cel_overload get_day_of_week[] = { GETTER("day_of_week"),
	GETTER_TZ("day_of_week_with_tz") };
static const struct cel_overload get_day_of_year[] = { GETTER("day_of_year"),
	GETTER_TZ("day_of_year_with_tz") };
static const struct cel_overload get_full_year[] = { GETTER("year"), GETTER_TZ("year_with_tz") };
static const struct cel_overload get_month[] = { GETTER("month"), GETTER_TZ("month_with_tz") };
static const struct cel_overload get_hours[] = {
	GETTER("hours"),
	GETTER_TZ("hours_with_tz"),
	M1("duration_to_hours", INT, DURATION),
};
static const struct cel_overload get_minutes[] = {
	GETTER("minutes"),
	GETTER_TZ("minutes_with_tz"),
	M1("duration_to_minutes", INT, DURATION),
};
static const struct cel_overload get_seconds[] = {
	GETTER("seconds"),
	GETTER_TZ("seconds_tz"),
	M1("duration_to_seconds", INT, DURATION),
};
static const struct cel_overload get_milliseconds[] = {
	GETTER("milliseconds"),
	GETTER_TZ("milliseconds_with_tz"),
	M1("duration_to_milliseconds", INT, DURATION),
};

#define EXTREME(name) \
	{ \
		V1(name "_double", DOUBLE, DOUBLE), V1(name "_int", INT, INT), \
			V1(name "_uint", UINT, UINT), \
			G1(name "_list_double", DOUBLE, LIST_DOUBLE), \
			G1(name "_list_int", INT, LIST_INT), \
			G1(name "_list_uint", UINT, LIST_UINT), \
	}
static const struct cel_overload math_least[] = EXTREME("math_@min");
static const struct cel_overload math_greatest[] = EXTREME("math_@max");

static const struct cel_overload money[] = { G2_MONEY("string_to_money", MONEY, STRING, STRING) };
static const struct cel_overload units[] = { G2_MONEY("units_to_money", MONEY, STRING, STRING) };
static const struct cel_overload bps[] = { G1_MONEY("int64_to_bps", BPS, INT) };
static const struct cel_overload add_bps[] = { M2_MONEY("money_add_bps", MONEY, MONEY, BPS) };
static const struct cel_overload bps_over[] = { M2_MONEY("money_bps_over", BPS, MONEY, MONEY) };
static const struct cel_overload money_min[] = { V2_MONEY("money_min", MONEY, MONEY, MONEY) };
static const struct cel_overload money_max[] = { V2_MONEY("money_max", MONEY, MONEY, MONEY) };
static const struct cel_overload is_fresh[] = {
	M2_MONEY("int64_is_fresh_string", BOOL, INT, STRING),
	M2_MONEY("int64_is_fresh_duration", BOOL, INT, DURATION),
};

#define OF(rows) \
	{ \
		(rows), ARRAY_LEN(rows), false \
	}
#define OF_MONEY(rows) \
	{ \
		(rows), ARRAY_LEN(rows), true \
	}
const struct cel_overloads cel_overloads[CEL_F_N] = {
	[CEL_F_AND] = OF(logical_and),
	[CEL_F_OR] = OF(logical_or),
	[CEL_F_CONDITIONAL] = OF(conditional),
	[CEL_F_NOT] = OF(logical_not),
	[CEL_F_NOT_STRICTLY_FALSE] = OF(not_strictly_false),
	[CEL_F_NEGATE] = OF(negate),
	[CEL_F_EQ] = OF(equals),
	[CEL_F_NE] = OF(not_equals),
	[CEL_F_LT] = OF(less),
	[CEL_F_LE] = OF(less_equals),
	[CEL_F_GT] = OF(greater),
	[CEL_F_GE] = OF(greater_equals),
	[CEL_F_ADD] = OF(add),
	[CEL_F_SUB] = OF(subtract),
	[CEL_F_MUL] = OF(multiply),
	[CEL_F_DIV] = OF(divide),
	[CEL_F_MOD] = OF(modulo),
	[CEL_F_IN] = OF(in),
	[CEL_F_INDEX] = OF(index_of),
	[CEL_F_SIZE] = OF(size),
	[CEL_F_CONTAINS] = OF(contains),
	[CEL_F_STARTS_WITH] = OF(starts_with),
	[CEL_F_ENDS_WITH] = OF(ends_with),
	[CEL_F_MATCHES] = OF(matches),
	[CEL_F_BOOL] = OF(to_bool),
	[CEL_F_BYTES] = OF(to_bytes),
	[CEL_F_DOUBLE] = OF(to_double),
	[CEL_F_DURATION] = OF(to_duration),
	[CEL_F_DYN] = OF(to_dyn),
	[CEL_F_INT] = OF(to_int),
	[CEL_F_STRING] = OF(to_string),
	[CEL_F_TIMESTAMP] = OF(to_timestamp),
	[CEL_F_TYPE] = OF(to_type),
	[CEL_F_UINT] = OF(to_uint),
	[CEL_F_GET_DATE] = OF(get_date),
	[CEL_F_GET_DAY_OF_MONTH] = OF(get_day_of_month),
	[CEL_F_GET_DAY_OF_WEEK] = OF(get_day_of_week),
	[CEL_F_GET_DAY_OF_YEAR] = OF(get_day_of_year),
	[CEL_F_GET_FULL_YEAR] = OF(get_full_year),
	[CEL_F_GET_HOURS] = OF(get_hours),
	[CEL_F_GET_MILLISECONDS] = OF(get_milliseconds),
	[CEL_F_GET_MINUTES] = OF(get_minutes),
	[CEL_F_GET_MONTH] = OF(get_month),
	[CEL_F_GET_SECONDS] = OF(get_seconds),
	[CEL_F_LOWER_ASCII] = OF(lower_ascii),
	[CEL_F_UPPER_ASCII] = OF(upper_ascii),
	[CEL_F_TRIM] = OF(trim),
	[CEL_F_MATH_LEAST] = OF(math_least),
	[CEL_F_MATH_GREATEST] = OF(math_greatest),
	[CEL_F_MONEY] = OF_MONEY(money),
	[CEL_F_UNITS] = OF_MONEY(units),
	[CEL_F_BPS] = OF_MONEY(bps),
	[CEL_F_ADD_BPS] = OF_MONEY(add_bps),
	[CEL_F_BPS_OVER] = OF_MONEY(bps_over),
	[CEL_F_MONEY_MIN] = OF_MONEY(money_min),
	[CEL_F_MONEY_MAX] = OF_MONEY(money_max),
	[CEL_F_IS_FRESH] = OF_MONEY(is_fresh),
};
