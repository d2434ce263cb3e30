#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <errno.h>

#include "common/base/json_out.h"
#include "pricing/rules/findings.h"

static struct cel_diags diags_of(uint32_t offset)
{
	struct cel_diags d = { 0 };

	cel_diag_hint(cel_diag_add(&d, CEL_STAGE_CHECK, CEL_E_UNDECLARED, offset,
			      "undeclared reference to '%s'", "customer.teir"),
		"did you mean `customer.tier`?");
	return d;
}

Test(findings, texts_are_copied_and_levels_are_counted)
{
	CLEANUP(findings_fini) struct findings f = FINDINGS_INIT;
	char path[] = "$.groups[0]", code[] = "member";

	findings_add(&f, FINDING_ERROR, path, code, "unknown member \"%s\"", "bsp");
	findings_hint(&f, "did you mean \"%s\"?", "bps");
	findings_add(&f, FINDING_WARNING, path, "label", "w");
	findings_add(&f, FINDING_NOTE, path, "gap", "n");
	path[0] = code[0] = 'X';

	cr_assert(eq(sz, f.n, 3));
	cr_expect(eq(str, f.v[0].path, "$.groups[0]"));
	cr_expect(eq(str, f.v[0].code, "member"));
	cr_expect(eq(str, f.v[0].text, "unknown member \"bsp\""));
	cr_expect(eq(str, f.v[0].hint, "did you mean \"bps\"?"));
	cr_expect(zero(ptr, f.v[1].hint));
	cr_expect(eq(sz, f.n_errors, 1));
	cr_expect(eq(sz, f.n_warnings, 1));
}

Test(findings, who_wants_none_may_pass_null)
{
	struct cel_diags d = diags_of(0);

	findings_add(NULL, FINDING_ERROR, "$", "value", "x");
	findings_hint(NULL, "x");
	findings_add_diags(NULL, "$", STR("x"), &d);
}

Test(findings, beyond_the_maximum_they_are_counted_and_hints_do_not_move_to_others)
{
	CLEANUP(findings_fini) struct findings f = FINDINGS_INIT;

	for (int i = 0; i < FINDINGS_MAX + 3; i++)
		findings_add(&f, FINDING_ERROR, "$", "value", "number %d", i);
	findings_hint(&f, "of the last");

	cr_expect(eq(sz, f.n, FINDINGS_MAX));
	cr_expect(eq(sz, f.n_dropped, 3));
	cr_expect(eq(sz, f.n_errors, FINDINGS_MAX + 3));
	cr_expect(eq(str, f.v[FINDINGS_MAX - 1].text, "number 199"));
	cr_expect(zero(ptr, f.v[FINDINGS_MAX - 1].hint));
}

Test(findings, diagnostics_keep_their_source_and_get_a_position)
{
	CLEANUP(findings_fini) struct findings f = FINDINGS_INIT;
	struct cel_diags d = diags_of(10);

	findings_add_diags(&f, "$.when", STR("true &&\n  customer.teir == 1"), &d);

	cr_assert(eq(sz, f.n, 1));
	cr_expect(eq(str, f.v[0].code, "undeclared"));
	cr_expect(eq(u32, f.v[0].line, 2));
	cr_expect(eq(u32, f.v[0].column, 3));
	cr_expect(eq(str, f.v[0].source, "true &&\n  customer.teir == 1"));
	cr_expect(eq(str, f.v[0].hint, "did you mean `customer.tier`?"));
}

Test(findings, are_printed_in_the_shape_of_the_expression_language_with_the_path_in_front)
{
	CLEANUP(findings_fini) struct findings f = FINDINGS_INIT;
	CLEANUP(buf_fini) struct buf out = BUF_INIT(4096);
	struct cel_diags d = diags_of(3);

	findings_add_diags(&f, "$.groups[0].rules[1].when", STR("a.  customer.teir"), &d);
	findings_add(&f, FINDING_WARNING, "$.groups", "guard-bound", "first\nsecond");
	findings_print(&out, &f, "rules.json");
	buf_putc(&out, '\0');

	cr_expect(eq(str, out.p,
		"ERROR: rules.json: $.groups[0].rules[1].when:1:4: undeclared reference to "
		"'customer.teir'\n"
		" | a.  customer.teir\n"
		" | ...^\n"
		" = undeclared: did you mean `customer.tier`?\n"
		"WARNING: rules.json: $.groups: first\n"
		"   second\n"
		" = guard-bound\n"));
}

Test(findings, what_was_dropped_is_said)
{
	CLEANUP(findings_fini) struct findings f = FINDINGS_INIT;
	CLEANUP(buf_fini) struct buf out = BUF_INIT(64 * 1024);

	for (int i = 0; i < FINDINGS_MAX + 2; i++)
		findings_add(&f, FINDING_NOTE, "$", "gap", "n");
	findings_print(&out, &f, NULL);
	buf_putc(&out, '\0');
	cr_assert(ne(ptr, strstr(out.p, "and 2 more\n"), NULL));
	cr_expect(eq(int, strncmp(out.p, "NOTE: $: n\n = gap\n", 18), 0));
}

Test(findings, as_json_have_what_a_machine_wants)
{
	CLEANUP(findings_fini) struct findings f = FINDINGS_INIT;
	CLEANUP(buf_fini) struct buf out = BUF_INIT(4096);
	struct json_out j = JSON_OUT(&out);
	struct cel_diags d = diags_of(2);

	findings_add_diags(&f, "$.when", STR("x customer.teir"), &d);
	findings_add(&f, FINDING_NOTE, "$", "gap", "n");
	json_begin(&j, NULL);
	findings_json(&j, "findings", &f);
	json_end(&j);
	buf_putc(&out, '\0');

	cr_expect(eq(str, out.p,
		"{\"findings\":[{\"level\":\"error\",\"path\":\"$.when\",\"code\":\"undeclared\","
		"\"text\":\"undeclared reference to 'customer.teir'\","
		"\"hint\":\"did you mean `customer.tier`?\",\"source\":\"x customer.teir\","
		"\"line\":1,\"column\":3},"
		"{\"level\":\"note\",\"path\":\"$\",\"code\":\"gap\",\"text\":\"n\"}]}"));
}

Test(findings, the_first_error_becomes_a_fault)
{
	CLEANUP(findings_fini) struct findings f = FINDINGS_INIT;
	struct fault fault = { 0 };
	struct cel_diags d = diags_of(0);

	findings_add(&f, FINDING_WARNING, "$", "label", "w");
	findings_add_diags(&f, "$.when", STR("customer.teir"), &d);
	findings_add(&f, FINDING_ERROR, "$", "value", "later");

	cr_expect(eq(int, findings_fault(&f, &fault), -EINVAL));
	cr_expect(eq(int, fault.kind, FAULT_REJECT));
	cr_expect(eq(str, fault.text,
		"$.when:1:1: undeclared reference to 'customer.teir' (did you mean "
		"`customer.tier`?)"));
}

Test(findings, errors_are_said_rather_than_warnings_and_notes)
{
	CLEANUP(findings_fini) struct findings f = FINDINGS_INIT;

	findings_add(&f, FINDING_ERROR, "$", "value", "first");
	for (int i = 1; i < FINDINGS_MAX + 5; i++)
		findings_add(&f, FINDING_WARNING, "$", "label", "warning %d", i);
	findings_add(&f, FINDING_ERROR, "$.a", "value", "second");
	findings_add(&f, FINDING_ERROR, "$.b", "value", "third");
	findings_hint(&f, "no hint after one was dropped");
	findings_add(&f, FINDING_NOTE, "$", "gap", "a note takes nobody's place");

	cr_assert(eq(sz, f.n, FINDINGS_MAX));
	cr_expect(eq(sz, f.n_dropped, 8));
	cr_expect(eq(sz, f.n_errors, 3));
	cr_expect(eq(sz, f.n_warnings, FINDINGS_MAX + 4));
	cr_expect(eq(str, f.v[0].text, "first"));
	cr_expect(eq(str, f.v[FINDINGS_MAX - 3].text, "warning 197"));
	cr_expect(eq(str, f.v[FINDINGS_MAX - 2].text, "second"));
	cr_expect(eq(str, f.v[FINDINGS_MAX - 1].text, "third"));
}
