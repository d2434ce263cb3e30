/*
 * Any text as an expression, all the way. The first byte chooses the values of the variables, the
 * rest is the source. What holds for everything that compiles:
 *
 *	the value is of the static type (or an error),
 *	unchecked, the same source gives the same value, or an error where this one gives one,
 *	a second evaluation, and one without symbols, give the same,
 *	the counted cost is not above the static worst case,
 *	a small arena or a low limit of cost ends in an error value and nowhere else.
 */
#include <errno.h>
#include <string.h>

#include "pricing/cel/program.h"
#include "tests/fuzz/fuzz.h"

#define SOURCE_MAX 2048
#define ARENA      (1024 * 1024)

enum { B, I, U, D, S, BY, T, DU, M, BP, L, LS, MP, DYN, ABSENT, N_SLOTS };

static struct cel_env *env;
static struct arena *scratch, *arena;
static const char *const tiers[] = { "none", "gold", NULL };

static void declare(
	const char *name, const struct cel_type *type, const char *const *values, bool is_optional)
{
	int r = cel_env_add(env, &(struct cel_var){ .name = str_of(name),
					 .type = type,
					 .values = values,
					 .is_optional = is_optional });

	FUZZ_CHECK(r >= 0);
}

static void setup(void)
{
	struct arena *types = NULL;

	if (env)
		return;
	FUZZ_CHECK(cel_env_new(&env, true) == 0 && arena_new(&scratch, 2 * CEL_PARSE_ARENA) == 0 &&
		   arena_new(&arena, ARENA) == 0 && arena_new(&types, 4096) == 0);
	declare("b", &cel_type_bool, NULL, false);
	declare("i", &cel_type_int, NULL, false);
	declare("u", &cel_type_uint, NULL, false);
	declare("d", &cel_type_double, NULL, false);
	declare("v.s", &cel_type_string, tiers, false);
	declare("by", &cel_type_bytes, NULL, false);
	declare("t", &cel_type_timestamp, NULL, false);
	declare("du", &cel_type_duration, NULL, false);
	declare("m", &cel_type_money, NULL, false);
	declare("bp", &cel_type_bps, NULL, false);
	declare("l", cel_type_list(types, &cel_type_int), NULL, false);
	declare("ls", cel_type_list(types, &cel_type_string), NULL, false);
	declare("mp", cel_type_map(types, &cel_type_string, &cel_type_int), NULL, false);
	declare("x", &cel_type_dyn, NULL, false);
	declare("v.absent", &cel_type_int, NULL, true);
	arena_free(types);
}

static void bind(struct cel_value slots[N_SLOTS], uint8_t seed)
{
	static const int64_t ints[] = { 0, 1, -1, 5000, INT64_MAX, INT64_MIN, 7, 86400 };
	static const double doubles[] = { 0.0, -0.0, 1.5, 1e308, -2.25, 9.2e18, 3.0, 1e-320 };
	static struct cel_value list[3], texts[2], keys[2], values[2];
	static struct cel_map map;
	int64_t i = ints[seed & 7];
	const char *tier = tiers[(seed >> 3) & 1];

	for (int k = 0; k < 3; k++)
		list[k] = cel_int(ints[(seed + k) & 7]);
	for (int k = 0; k < 2; k++) {
		texts[k] = cel_string(k ? STR("\xc3\xbc") : STR("a"));
		keys[k] = texts[k];
		values[k] = list[k];
	}
	map = (struct cel_map){ .n = 2, .keys = keys, .values = values };
	slots[B] = cel_bool(seed & 1);
	slots[I] = cel_int(i);
	slots[U] = cel_uint((uint64_t)i);
	slots[D] = cel_double(doubles[(seed >> 2) & 7]);
	slots[S] = cel_string(str_of(tier));
	slots[BY] = cel_bytes(STR("\x00\xff"));
	slots[T] = (struct cel_value){ .kind = CEL_V_TIMESTAMP, .i = 1795334400 + seed, .n = 5 };
	slots[DU] = (struct cel_value){ .kind = CEL_V_DURATION, .i = i };
	slots[M] = cel_money((struct money){ (u128)seed << 60, currency_find(STR("ETH")) });
	slots[BP] = cel_bps(i);
	slots[L] = (struct cel_value){ .kind = CEL_V_LIST, .n = 3, .list = list };
	slots[LS] = (struct cel_value){ .kind = CEL_V_LIST, .n = 2, .list = texts };
	slots[MP] = (struct cel_value){ .kind = CEL_V_MAP, .n = 2, .map = &map };
	slots[DYN] = seed & 16 ? slots[L] : seed & 32 ? slots[S] : slots[I];
	slots[ABSENT] = cel_absent(ABSENT);
}

static bool fits(struct cel_value v, const struct cel_type *t)
{
	static const uint8_t kinds[] = {
		[CEL_T_NULL] = CEL_V_NULL,
		[CEL_T_BOOL] = CEL_V_BOOL,
		[CEL_T_INT] = CEL_V_INT,
		[CEL_T_UINT] = CEL_V_UINT,
		[CEL_T_DOUBLE] = CEL_V_DOUBLE,
		[CEL_T_STRING] = CEL_V_STRING,
		[CEL_T_BYTES] = CEL_V_BYTES,
		[CEL_T_TIMESTAMP] = CEL_V_TIMESTAMP,
		[CEL_T_DURATION] = CEL_V_DURATION,
		[CEL_T_MONEY] = CEL_V_MONEY,
		[CEL_T_BPS] = CEL_V_BPS,
		[CEL_T_LIST] = CEL_V_LIST,
		[CEL_T_MAP] = CEL_V_MAP,
		[CEL_T_TYPE] = CEL_V_TYPE,
	};

	return t->kind == CEL_T_DYN || cel_is_error(v) || v.kind == CEL_V_NULL ||
	       v.kind == kinds[t->kind];
}

/* Equal, or not equal to themselves (NaN somewhere inside): then their texts are compared. */
static bool same(struct cel_value a, struct cel_value b)
{
	char text[2][65536];
	struct buf out = BUF_INIT(sizeof(text[0]));

	if (cel_is_error(a) || cel_is_error(b))
		return cel_is_error(a) && cel_is_error(b);
	if (cel_equal(a, b))
		return a.kind == b.kind;
	cel_value_print(&out, a);
	memcpy(text[0], out.p ? out.p : "", out.n);
	size_t n = out.n;
	buf_clear(&out);
	cel_value_print(&out, b);
	memcpy(text[1], out.p ? out.p : "", out.n);
	bool ret = n == out.n && memcmp(text[0], text[1], n) == 0;
	buf_fini(&out);
	return ret;
}

static struct cel_program *compile(
	struct str source, bool is_unchecked, struct cel_symbols *symbols)
{
	struct cel_program *ret = NULL;
	struct cel_diags d = { 0 };
	int r = cel_compile(&ret, source, env,
		&(struct cel_options){ .limits = { SOURCE_MAX, 100, UINT64_MAX },
			.is_unchecked = is_unchecked,
			.has_patterns = true,
			.symbols = symbols,
			.scratch = scratch },
		&d);

	FUZZ_CHECK(r == 0 ? ret && d.n == 0 : r == -EINVAL && !ret && d.n > 0);
	return ret;
}

static void limited(const struct cel_program *p, const struct cel_value *slots, uint64_t cost)
{
	struct arena *small = NULL;

	FUZZ_CHECK(arena_new(&small, 256) == 0);
	cel_eval(p, &(struct cel_context){ .arena = small, .has_patterns = true }, slots);
	arena_free(small);
	if (cost > 1) {
		arena_reset(arena);
		cel_eval(p,
			&(struct cel_context){
				.arena = arena, .cost_max = cost / 2, .has_patterns = true },
			slots);
	}
}

static void evaluate(struct str source, uint8_t seed)
{
	CLEANUP(cel_symbols_free) struct cel_symbols *symbols = NULL;
	CLEANUP(cel_program_free) struct cel_program *p = NULL, *plain = NULL, *unchecked = NULL;
	struct cel_context c = { .arena = arena, .has_patterns = true };
	struct cel_value slots[N_SLOTS], value;
	uint64_t cost;

	FUZZ_CHECK(cel_symbols_new(&symbols) == 0);
	p = compile(source, false, symbols);
	unchecked = compile(source, true, NULL);
	bind(slots, seed);
	arena_reset(arena);
	if (unchecked)
		cel_eval(unchecked, &c, slots);
	if (!p)
		return;
	plain = compile(source, false, NULL);
	FUZZ_CHECK(plain && unchecked);
	slots[S].sym = cel_symbols_find(symbols, cel_str(slots[S]));
	arena_reset(arena);
	c.cost = 0;
	value = cel_eval(p, &c, slots);
	cost = c.cost;
	FUZZ_CHECK(fits(value, cel_program_type(p)));
	FUZZ_CHECK(cost <= cel_program_cost(p));
	if (cel_is_error(value) && value.sym == CEL_R_MEMORY)
		return;
	FUZZ_CHECK(same(value, cel_eval(p, &c, slots)));
	slots[S].sym = CEL_SYM_NONE;
	FUZZ_CHECK(same(value, cel_eval(plain, &c, slots)));
	c.cost = 0;
	struct cel_value other = cel_eval(unchecked, &c, slots);
	FUZZ_CHECK(same(value, other) || (cel_is_error(other) && other.sym == CEL_R_MEMORY));
	limited(p, slots, cost);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	setup();
	if (size < 2 || size > SOURCE_MAX)
		return 0;
	evaluate((struct str){ (const char *)data + 1, size - 1 }, data[0]);
	return 0;
}
