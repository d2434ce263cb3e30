#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>

#include "pricing/cel/symbols.h"

Test(cel_symbols, a_text_has_one_symbol_and_it_is_above_other)
{
	CLEANUP(cel_symbols_free) struct cel_symbols *s = NULL;
	uint16_t gold, silver;

	cr_assert(zero(int, cel_symbols_new(&s)));
	cr_expect(eq(sz, cel_symbols_n(s), CEL_SYM_OTHER + 1));
	gold = cel_symbols_add(s, STR("gold"));
	silver = cel_symbols_add(s, STR("silver"));
	cr_expect(eq(u16, gold, CEL_SYM_OTHER + 1));
	cr_expect(eq(u16, silver, CEL_SYM_OTHER + 2));
	cr_expect(eq(u16, cel_symbols_add(s, STR("gold")), gold));
	cr_expect(eq(u16, cel_symbols_find(s, STR("silver")), silver));
	cr_expect(eq(u16, cel_symbols_find(s, STR("bronze")), CEL_SYM_OTHER));
	cr_expect(eq(u16, cel_symbols_find(s, STR("gol")), CEL_SYM_OTHER));
	cr_expect(str_eqz(cel_symbols_text(s, gold), "gold"));
	cr_expect(eq(sz, cel_symbols_n(s), (size_t)silver + 1));
}

Test(cel_symbols, texts_are_copied)
{
	CLEANUP(cel_symbols_free) struct cel_symbols *s = NULL;
	char text[] = "gold";
	uint16_t sym;

	cr_assert(zero(int, cel_symbols_new(&s)));
	sym = cel_symbols_add(s, str_of(text));
	text[0] = 'b';
	cr_expect(str_eqz(cel_symbols_text(s, sym), "gold"));
	cr_expect(eq(u16, cel_symbols_find(s, STR("gold")), sym));
}

Test(cel_symbols, the_empty_text_and_texts_with_a_nul_are_texts)
{
	CLEANUP(cel_symbols_free) struct cel_symbols *s = NULL;
	uint16_t empty, nul;

	cr_assert(zero(int, cel_symbols_new(&s)));
	cr_expect(eq(u16, cel_symbols_find(s, STR("")), CEL_SYM_OTHER));
	empty = cel_symbols_add(s, STR(""));
	nul = cel_symbols_add(s, (struct str){ "\0", 1 });
	cr_expect(ne(u16, empty, nul));
	cr_expect(eq(u16, cel_symbols_find(s, STR("")), empty));
	cr_expect(eq(u16, cel_symbols_find(s, (struct str){ "\0", 1 }), nul));
	cr_expect(eq(u16, cel_symbols_find(s, (struct str){ "\0\0", 2 }), CEL_SYM_OTHER));
}

Test(cel_symbols, a_symbol_that_is_none_has_no_text)
{
	CLEANUP(cel_symbols_free) struct cel_symbols *s = NULL;

	cr_assert(zero(int, cel_symbols_new(&s)));
	cr_expect(not(str_is_set(cel_symbols_text(s, CEL_SYM_NONE))));
	cr_expect(not(str_is_set(cel_symbols_text(s, CEL_SYM_OTHER))));
	cr_expect(not(str_is_set(cel_symbols_text(s, CEL_SYM_OTHER + 1))));
	cr_expect(eq(ptr, cel_symbols_free(NULL), NULL));
}

Test(cel_symbols, when_full_new_texts_get_none_and_old_ones_stay)
{
	CLEANUP(cel_symbols_free) struct cel_symbols *s = NULL;
	char text[16];

	cr_assert(zero(int, cel_symbols_new(&s)));
	for (int i = 0; i < CEL_SYMBOLS_MAX; i++) {
		int n = snprintf(text, sizeof(text), "text-%d", i);

		cr_assert(eq(int, cel_symbols_add(s, (struct str){ text, (size_t)n }),
			CEL_SYM_OTHER + 1 + i));
	}
	cr_expect(eq(u16, cel_symbols_add(s, STR("one more")), CEL_SYM_NONE));
	cr_expect(eq(u16, cel_symbols_find(s, STR("one more")), CEL_SYM_OTHER));
	cr_expect(eq(u16, cel_symbols_add(s, STR("text-7")), CEL_SYM_OTHER + 8));
	for (int i = 0; i < CEL_SYMBOLS_MAX; i++) {
		int n = snprintf(text, sizeof(text), "text-%d", i);

		cr_assert(eq(int, cel_symbols_find(s, (struct str){ text, (size_t)n }),
			CEL_SYM_OTHER + 1 + i));
	}
}
