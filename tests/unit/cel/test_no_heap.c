/*
 * An evaluation takes no memory but its context's arena: allocations are counted while it runs.
 * Under AddressSanitizer by its hook; else by wrapping malloc and its kin.
 */
#include "program_support.h"

#include <dlfcn.h>
#include <stdlib.h>

static size_t n_allocations;

#ifdef __SANITIZE_ADDRESS__
int __sanitizer_install_malloc_and_free_hooks(
	void (*on_malloc)(const volatile void *, size_t), void (*on_free)(const volatile void *));

static void on_malloc(const volatile void *p, size_t n)
{
	(void)p;
	(void)n;
	n_allocations++;
}

static void on_free(const volatile void *p)
{
	(void)p;
}

static void watch(void)
{
	static bool is_watched;

	if (!is_watched)
		cr_assert(
			ne(int, __sanitizer_install_malloc_and_free_hooks(on_malloc, on_free), 0));
	is_watched = true;
}
#else
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
void *malloc(size_t n);
void *calloc(size_t n, size_t size);
void *realloc(void *p, size_t n);

__attribute__((visibility("default"))) void *malloc(size_t n)
{
	n_allocations++;
	return __libc_malloc(n);
}

__attribute__((visibility("default"))) void *calloc(size_t n, size_t size)
{
	n_allocations++;
	return __libc_calloc(n, size);
}

__attribute__((visibility("default"))) void *realloc(void *p, size_t n)
{
	n_allocations++;
	return __libc_realloc(p, n);
}

static void watch(void)
{
}
#endif

TestSuite(no_heap, .init = program_begin, .fini = program_end);

static size_t allocations_of(const char *source)
{
	struct cel_program *p = compile(source);
	size_t before, after;

	arena_reset(context.arena);
	before = n_allocations;
	cel_eval(p, &context, slots);
	after = n_allocations;
	cel_program_free(p);
	return after - before;
}

Test(no_heap, the_count_sees_an_allocation)
{
	size_t before;
	void *volatile p;

	watch();
	before = n_allocations;
	p = malloc(16);
	cr_expect(eq(sz, n_allocations, before + 1));
	free(p);
}

Test(no_heap, an_evaluation_does_not_allocate)
{
	static const char *const sources[] = {
		"i + j * 2 - 7 / j % 3",
		"customer.tier in ['gold', 'tin'] && customer.points >= 5 || flag",
		"s + t + 'constant' + string(i) + string(d) + string(now)",
		"ints.map(x, [x, x + 1]).filter(y, y[0] > 1)",
		"{'a': i, s: j}",
		"counts.map(k, counts[k])",
		"texts.all(x, x.contains('a') || x.startsWith('b') || x.size() > 3)",
		"now.getHours('Europe/Vienna') + now.getMonth()",
		"now - duration('1h') > timestamp('2026-01-01T00:00:00Z')",
		"price + eth('1') > price ? price.add_bps(rate) : eth('0')",
		"ints.map(x, ints.map(y, ints.map(z, x + y + z)))",
		"1 / 0 == 1 || absent == 5 || flag",
		"type(i) == int && string(bytes(s)) == s",
		"s.lowerAscii().upperAscii().trim()",
	};
	static struct cel_value numbers[16], words[16], keys[16];
	static struct cel_map map = { .n = 16, .keys = keys, .values = numbers };
	static char letters[] = "abcdefghijklmnop";

	watch();
	declare("absent", &cel_type_int);
	for (int k = 0; k < 16; k++) {
		numbers[k] = cel_int(k);
		keys[k] = words[k] = cel_string((struct str){ &letters[k], 1 });
	}
	bind("ints", (struct cel_value){ .kind = CEL_V_LIST, .n = 16, .list = numbers });
	bind("texts", (struct cel_value){ .kind = CEL_V_LIST, .n = 16, .list = words });
	bind("counts", (struct cel_value){ .kind = CEL_V_MAP, .map = &map });
	bind("i", cel_int(3));
	bind("j", cel_int(5));
	bind("d", cel_double(1.25));
	bind("flag", cel_bool(true));
	bind_text("s", "some text");
	bind_text("t", "other text");
	bind_text("customer.tier", "gold");
	bind("customer.points", cel_int(7));
	bind("now", cel_timestamp_parse(STR("2026-07-31T22:04:05.678Z")));
	bind("price", cel_money((struct money){ 5, currency_find(STR("ETH")) }));
	bind("rate", cel_bps(250));
	for (size_t k = 0; k < ARRAY_LEN(sources); k++)
		cr_expect(zero(sz, allocations_of(sources[k])), "%s", sources[k]);
}
