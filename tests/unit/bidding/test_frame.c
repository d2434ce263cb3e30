/* The envelope in both shapes, and everything that is neither. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include "bidding/opensea/frame.h"

static struct arena *arena;

static void setup(void)
{
	cr_assert(zero(int, arena_new(&arena, 65536)));
}

static void teardown(void)
{
	arena = arena_free(arena);
}

TestSuite(frame, .init = setup, .fini = teardown);

Test(frame, an_array_gives_its_five_elements)
{
	struct opensea_frame f;

	cr_assert(zero(int, opensea_frame_parse(&f,
				    STR("[\"1\", null ,\"collection:a\",\"item_sold\", "
					"{\"a\":[1,\"],\\\"\"],\"b\":{}} ] "),
				    arena, NULL)));
	cr_expect(str_eqz(f.join_ref, "1"));
	cr_expect(not(str_is_set(f.ref)));
	cr_expect(str_eqz(f.topic, "collection:a"));
	cr_expect(str_eqz(f.event, "item_sold"));
	cr_expect(str_eqz(f.payload, "{\"a\":[1,\"],\\\"\"],\"b\":{}}"));
}

Test(frame, an_object_gives_the_same)
{
	struct opensea_frame f;

	cr_assert(zero(int, opensea_frame_parse(&f,
				    STR("{\"event\":\"trait_offer\",\"payload\":{\"x\":1},\"ref\":"
					"null,\"topic\":\"collection:y00ts\"}"),
				    arena, NULL)));
	cr_expect(not(str_is_set(f.join_ref)));
	cr_expect(not(str_is_set(f.ref)));
	cr_expect(str_eqz(f.topic, "collection:y00ts"));
	cr_expect(str_eqz(f.payload, "{\"x\":1}"));
}

Test(frame, a_ref_may_be_a_number)
{
	struct opensea_frame f;

	cr_assert(
		zero(int, opensea_frame_parse(&f,
				  STR("{\"topic\":\"phoenix\",\"event\":\"phx_reply\",\"payload\":{"
				      "},\"ref\":7}"),
				  arena, NULL)));
	cr_expect(str_eqz(f.ref, "7"));
	cr_assert(zero(int, opensea_frame_parse(&f, STR("[1,7,\"t\",\"e\",null]"), arena, NULL)));
	cr_expect(str_eqz(f.join_ref, "1"));
	cr_expect(str_eqz(f.ref, "7"));
	cr_expect(str_eqz(f.payload, "null"));
}

struct malformed {
	char text[96];
	int code;
};

ParameterizedTestParameters(frame, what_is_no_frame_is_refused_by_kind)
{
	static struct malformed t[] = {
		{ "", OPENSEA_FRAME_E_JSON },
		{ "[", OPENSEA_FRAME_E_JSON },
		{ "[\"1\",null,\"t\",\"e\",{}", OPENSEA_FRAME_E_JSON },
		{ "[\"1\",null,\"t\",\"e\",{}]x", OPENSEA_FRAME_E_JSON },
		{ "[\"1\",null,\"t\",\"e\",{},]", OPENSEA_FRAME_E_JSON },
		{ "{\"topic\":\"t\"", OPENSEA_FRAME_E_JSON },
		{ "[\"1\",null,\"\xff\",\"e\",{}]", OPENSEA_FRAME_E_JSON },
		{ "[]", OPENSEA_FRAME_E_SHAPE },
		{ "[\"1\",null,\"t\",\"e\"]", OPENSEA_FRAME_E_SHAPE },
		{ "[\"1\",null,\"t\",\"e\",{},1]", OPENSEA_FRAME_E_SHAPE },
		{ "[\"1\",null,5,\"e\",{}]", OPENSEA_FRAME_E_SHAPE },
		{ "[\"1\",null,\"t\",null,{}]", OPENSEA_FRAME_E_SHAPE },
		{ "{}", OPENSEA_FRAME_E_SHAPE },
		{ "{\"topic\":\"t\",\"event\":\"e\"}", OPENSEA_FRAME_E_SHAPE },
		{ "{\"topic\":1,\"event\":\"e\",\"payload\":{}}", OPENSEA_FRAME_E_SHAPE },
		{ "\"text\"", OPENSEA_FRAME_E_SHAPE },
		{ "5", OPENSEA_FRAME_E_SHAPE },
		{ "[\"1\",null,\"t\",\"e\",[[[[[[[[[[[[1]]]]]]]]]]]]]", OPENSEA_FRAME_E_SIZE },
	};

	return cr_make_param_array(struct malformed, t, sizeof(t) / sizeof(t[0]));
}

ParameterizedTest(struct malformed *p, frame, what_is_no_frame_is_refused_by_kind)
{
	struct opensea_frame f;
	struct fault fault = { 0 };

	cr_expect(eq(int, opensea_frame_parse(&f, str_of(p->text), arena, &fault), p->code), "%s",
		p->text);
	cr_expect(ne(chr, fault.text[0], '\0'));
}

Test(frame, an_error_of_syntax_names_its_byte)
{
	struct opensea_frame f;
	struct fault fault = { 0 };

	cr_expect(ne(int, opensea_frame_parse(&f, STR("[\"1\",nul]"), arena, &fault), 0));
	cr_expect(strstr(fault.text, "(byte ") != NULL, "%s", fault.text);
}

Test(frame, what_we_write_is_an_array)
{
	CLEANUP(buf_fini) struct buf b = BUF_INIT(256);

	opensea_frame_write(&b, "1", "1", "collection:a", "phx_join");
	cr_expect(str_eqz(buf_str(&b), "[\"1\",\"1\",\"collection:a\",\"phx_join\",{}]"));
	buf_clear(&b);
	opensea_frame_write(&b, NULL, "2", "phoenix", "heartbeat");
	cr_expect(str_eqz(buf_str(&b), "[null,\"2\",\"phoenix\",\"heartbeat\",{}]"));
}
