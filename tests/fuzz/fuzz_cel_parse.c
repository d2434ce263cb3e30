/*
 * Any bytes as an expression. Either a tree or a diagnostic comes of it; both lie inside of the
 * source, are printed, and are the same a second time, and with any smaller arena the parser
 * says that it is too small and nothing else.
 */
#include "pricing/cel/parse.h"
#include "tests/fuzz/fuzz.h"

#define SOURCE_MAX 65536
#define ARENA      (16 * 1024 * 1024)

static const struct cel_limits limits = { .source_bytes = SOURCE_MAX, .depth = CEL_DEPTH_HARD_MAX };

static uint32_t check_node(const struct cel_node *n, struct str source);

static uint32_t deeper(uint32_t depth, const struct cel_node *child, struct str source)
{
	uint32_t d = child ? check_node(child, source) : 0;

	return d > depth ? d : depth;
}

static uint32_t children_depth(const struct cel_node *n, struct str source)
{
	uint32_t ret = 0;

	switch (n->kind) {
	case CEL_N_SELECT:
		return deeper(0, n->select.operand, source);
	case CEL_N_CALL:
		ret = deeper(0, n->call.target, source);
		for (uint32_t i = 0; i < n->call.n_args; i++)
			ret = deeper(ret, n->call.args[i], source);
		return ret;
	case CEL_N_LIST:
		for (uint32_t i = 0; i < n->list.n; i++)
			ret = deeper(ret, n->list.v[i], source);
		return ret;
	case CEL_N_MAP:
	case CEL_N_STRUCT:
		for (uint32_t i = 0; i < n->map.n; i++) {
			FUZZ_CHECK((n->map.v[i].key == NULL) == (n->kind == CEL_N_STRUCT));
			FUZZ_CHECK(source.p[n->map.v[i].offset] == ':');
			ret = deeper(ret, n->map.v[i].key, source);
			ret = deeper(ret, n->map.v[i].value, source);
		}
		return ret;
	case CEL_N_COMPREHENSION:
		ret = deeper(ret, n->comprehension.range, source);
		ret = deeper(ret, n->comprehension.init, source);
		ret = deeper(ret, n->comprehension.condition, source);
		ret = deeper(ret, n->comprehension.step, source);
		return deeper(ret, n->comprehension.result, source);
	default:
		return 0;
	}
}

/* Its depth. */
static uint32_t check_node(const struct cel_node *n, struct str source)
{
	uint32_t depth = children_depth(n, source) + 1;

	FUZZ_CHECK(n->begin <= n->offset && n->offset < n->end && n->end <= source.n);
	FUZZ_CHECK(n->depth == depth && depth <= CEL_DEPTH_HARD_MAX);
	FUZZ_CHECK(n->type == NULL && n->slot == CEL_SLOT_NONE);
	FUZZ_CHECK(!n->is_braced || (source.p[n->begin] == '(' && source.p[n->end - 1] == ')'));
	FUZZ_CHECK(n->kind != CEL_N_CONST || n->constant.kind != CEL_V_STRING ||
		   str_is_utf8(cel_str(n->constant)));
	return depth;
}

static void check_diags(const struct cel_diags *d, struct str source)
{
	struct buf out = BUF_INIT(1 << 20);

	FUZZ_CHECK(d->n > 0 && d->n <= CEL_DIAGS_MAX);
	for (size_t i = 0; i < d->n; i++) {
		FUZZ_CHECK(d->v[i].offset <= source.n);
		FUZZ_CHECK(i == 0 || d->v[i - 1].offset <= d->v[i].offset);
		FUZZ_CHECK(d->v[i].text[0] != '\0' && cel_code_name(d->v[i].code));
		cel_diag_print(&out, &d->v[i], "<input>", source, true);
	}
	buf_fini(&out);
}

static void print(const struct cel_node *root, struct buf *out)
{
	cel_ast_print(out, root, CEL_AST_PLAIN);
	cel_ast_print(out, root, CEL_AST_PARSED);
	cel_ast_print(out, root, CEL_AST_CHECKED);
}

static void again_with_less(struct str source, bool with_money, size_t used)
{
	struct cel_diags d = { 0 };
	struct arena *a;

	if (used == 0 || arena_new(&a, used - 1) != 0)
		return;
	FUZZ_CHECK(!cel_parse(source, with_money, &limits, a, &d));
	FUZZ_CHECK(d.n == 1 && d.v[0].code == CEL_E_TOO_LARGE);
	arena_free(a);
}

static void one(struct arena *a, struct str source, bool with_money)
{
	struct buf first = BUF_INIT(1 << 24), second = BUF_INIT(1 << 24);
	struct cel_diags d = { 0 };
	struct cel_node *root;

	arena_reset(a);
	root = cel_parse(source, with_money, &limits, a, &d);
	if (root) {
		FUZZ_CHECK(d.n == 0);
		check_node(root, source);
		again_with_less(source, with_money, arena_used(a));
		print(root, &first);
		root = cel_parse(source, with_money, &limits, a, &d);
		if (root) { /* the arena has what is left of it */
			print(root, &second);
			FUZZ_CHECK(str_eq(buf_str(&first), buf_str(&second)));
		}
	} else {
		check_diags(&d, source);
	}
	buf_fini(&first);
	buf_fini(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena *a;

	if (!a && arena_new(&a, ARENA) != 0)
		return 0;
	one(a, (struct str){ (const char *)data, size }, true);
	one(a, (struct str){ (const char *)data, size }, false);
	return 0;
}
