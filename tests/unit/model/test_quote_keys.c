#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/model/quote.h"
#include "common/model/quote_keys.h"

#define SECRET              "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" /* bytes 0 to 31 */
#define SHORT               "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg"  /* 31 bytes */
#define KEY(kid)            "{\"kid\":\"" kid "\",\"secret\":\"" SECRET "\"}"
#define KEY_FROM(kid, from) "{\"kid\":\"" kid "\",\"secret\":\"" SECRET "\",\"from\":" from "}"

static struct quote_keys *parse(const char *json)
{
	struct quote_keys *keys = NULL;
	struct fault f = { 0 };

	cr_assert(zero(int, quote_keys_parse(&keys, str_of(json), &f)), "%s", f.text);
	return keys;
}

static const char *kid_at(const struct quote_keys *keys, int64_t now_ms)
{
	const struct quote_key *k = quote_keys_at(keys, now_ms);

	return k ? k->kid : "none";
}

Test(quote_keys, the_highest_from_that_has_passed_signs)
{
	CLEANUP(quote_keys_free)
	struct quote_keys *keys = parse("{\"keys\":[" KEY_FROM("next", "3000") "," KEY_FROM(
		"now", "2000") "," KEY("first") "]}");

	cr_expect(eq(str, (char *)kid_at(keys, 0), "first"));
	cr_expect(eq(str, (char *)kid_at(keys, 1999), "first"));
	cr_expect(eq(str, (char *)kid_at(keys, 2000), "now"));
	cr_expect(eq(str, (char *)kid_at(keys, 2999), "now"));
	cr_expect(eq(str, (char *)kid_at(keys, 3000), "next"));
}

Test(quote_keys, of_equal_from_the_last_in_the_document_signs)
{
	CLEANUP(quote_keys_free)
	struct quote_keys *keys =
		parse("{\"keys\":[" KEY("a") "," KEY("b") "," KEY_FROM("c", "0") "]}");

	cr_expect(eq(str, (char *)kid_at(keys, 5), "c"));
}

Test(quote_keys, a_key_of_the_future_is_found_by_name_but_does_not_sign)
{
	CLEANUP(quote_keys_free)
	struct quote_keys *keys = parse("{\"keys\":[" KEY_FROM("later", "9007199254740991") "]}");

	cr_expect(eq(str, (char *)kid_at(keys, 5), "none"));
	cr_expect(ne(ptr, (void *)quote_keys_find(keys, STR("later")), NULL));
	cr_expect(eq(ptr, (void *)quote_keys_find(keys, STR("late")), NULL));
	cr_expect(eq(ptr, (void *)quote_keys_find(keys, STR_NONE), NULL));
}

static void expect_refused(const char *json, const char *want)
{
	struct quote_keys *keys = NULL;
	struct fault f = { 0 };

	cr_expect(eq(int, quote_keys_parse(&keys, str_of(json), &f), -EINVAL), "%s", json);
	cr_expect(eq(ptr, keys, NULL), "%s", json);
	cr_expect(eq(int, f.kind, FAULT_FATAL));
	cr_expect(
		zero(int, strncmp(f.text, want, strlen(want))), "\"%s\", not \"%s\"", f.text, want);
	cr_expect(eq(ptr, strstr(f.text, "AAEC"), NULL), "a secret in \"%s\"", f.text);
}

Test(quote_keys, every_refusal_names_the_member)
{
	expect_refused("", "line 1");
	expect_refused("{\"keys\":[{\"kid\":\"a\",\n\"secret\":\"" SECRET "}]}", "line 2");
	expect_refused("{\"keys\":[" KEY("a") "],\"keys\":[]}", "line 1");
	expect_refused("[]", "keys: must be an array");
	expect_refused("{}", "keys: must be an array");
	expect_refused("{\"keys\":{}}", "keys: must be an array");
	expect_refused("{\"keys\":[]}", "keys: must be an array of 1 to 16");
	expect_refused("{\"keys\":[" KEY("a") "],\"other\":1}", "unknown member");
	expect_refused("{\"keys\":[1]}", "keys[0]: must be an object");
	expect_refused("{\"keys\":[" KEY("a") ",{\"kid\":\"b\",\"secret\":\"" SECRET
					      "\",\"form\":1}]}",
		"keys[1].form: unknown member");
	expect_refused("{\"keys\":[{\"secret\":\"" SECRET "\"}]}", "keys[0].kid:");
	expect_refused("{\"keys\":[{\"kid\":7,\"secret\":\"" SECRET "\"}]}", "keys[0].kid:");
	expect_refused("{\"keys\":[" KEY("") "]}", "keys[0].kid:");
	expect_refused("{\"keys\":[" KEY("a b") "]}", "keys[0].kid:");
	expect_refused("{\"keys\":[" KEY("\xc3\xa9") "]}", "keys[0].kid:");
	expect_refused(
		"{\"keys\":[" KEY("a") "," KEY("a") "]}", "keys[1].kid: \"a\" is there twice");
	expect_refused("{\"keys\":[{\"kid\":\"a\"}]}", "keys[0].secret:");
	expect_refused("{\"keys\":[{\"kid\":\"a\",\"secret\":null}]}", "keys[0].secret:");
	expect_refused("{\"keys\":[{\"kid\":\"a\",\"secret\":\"" SHORT "\"}]}", "keys[0].secret:");
	expect_refused(
		"{\"keys\":[{\"kid\":\"a\",\"secret\":\"" SECRET "=\"}]}", "keys[0].secret:");
	expect_refused(
		"{\"keys\":[{\"kid\":\"a\",\"secret\":\"+" SECRET "\"}]}", "keys[0].secret:");
	expect_refused("{\"keys\":[" KEY_FROM("a", "-1") "]}", "keys[0].from:");
	expect_refused("{\"keys\":[" KEY_FROM("a", "1.5") "]}", "keys[0].from:");
	expect_refused("{\"keys\":[" KEY_FROM("a", "\"1\"") "]}", "keys[0].from:");
	expect_refused("{\"keys\":[" KEY_FROM("a", "9007199254740992") "]}", "keys[0].from:");
}

/* @n keys of kids with @n_kid characters and secrets of @n_secret base64url characters. */
static void write_keys(struct buf *b, int n, int n_kid, int n_secret)
{
	buf_puts(b, STR("{\"keys\":["));
	for (int i = 0; i < n; i++) {
		buf_printf(b, "%s{\"kid\":\"%0*d\",\"secret\":\"", i ? "," : "", n_kid, i);
		for (int k = 0; k < n_secret; k++)
			buf_putc(b, 'A');
		buf_puts(b, STR("\"}"));
	}
	buf_puts(b, STR("]}"));
}

static int try_keys(int n, int n_kid, int n_secret)
{
	CLEANUP(buf_fini) struct buf b = BUF_INIT(65536);
	CLEANUP(quote_keys_free) struct quote_keys *keys = NULL;

	write_keys(&b, n, n_kid, n_secret);
	cr_assert(not(b.failed));
	return quote_keys_parse(&keys, buf_str(&b), NULL);
}

Test(quote_keys, the_limits_are_inclusive)
{
	cr_expect(zero(int, try_keys(16, 64, 342)), "256 bytes are 342 characters");
	cr_expect(eq(int, try_keys(17, 64, 43), -EINVAL));
	cr_expect(eq(int, try_keys(1, 65, 43), -EINVAL));
	cr_expect(eq(int, try_keys(1, 1, 343), -EINVAL));
}

static void write_file(const char *path, const char *text, size_t n_spaces)
{
	FILE *file = fopen(path, "w");

	cr_assert(ne(ptr, file, NULL));
	fputs(text, file);
	for (size_t i = 0; i < n_spaces; i++)
		fputc(' ', file);
	cr_assert(zero(int, fclose(file)));
}

Test(quote_keys, a_file_may_have_64_kib_and_not_a_byte_more)
{
	static const char text[] = "{\"keys\":[" KEY("k1") "]}";
	char path[] = "/tmp/souk-quote-keys-XXXXXX";
	int fd = mkstemp(path);
	CLEANUP(quote_keys_free) struct quote_keys *keys = NULL;
	struct quote_keys *none = NULL;
	struct fault f = { 0 };
	int r_full, r_over;

	cr_assert(ge(int, fd, 0));
	close(fd);
	write_file(path, text, 65536 - (sizeof(text) - 1));
	r_full = quote_keys_load(&keys, path, &f);
	write_file(path, text, 65537 - (sizeof(text) - 1));
	r_over = quote_keys_load(&none, path, &f);
	unlink(path);
	cr_expect(zero(int, r_full));
	cr_expect(ne(ptr, keys, NULL));
	cr_expect(eq(int, r_over, -EINVAL));
	cr_expect(ne(ptr, strstr(f.text, path), NULL), "%s", f.text);
	cr_expect(ne(ptr, strstr(f.text, "65536"), NULL), "%s", f.text);
}

Test(quote_keys, a_missing_file_is_named_with_its_reason)
{
	struct quote_keys *keys = NULL;
	struct fault f = { 0 };

	cr_expect(eq(int, quote_keys_load(&keys, "/nonexistent/keys.json", &f), -ENOENT));
	cr_expect(eq(int, f.kind, FAULT_FATAL));
	cr_expect(ne(ptr, strstr(f.text, "/nonexistent/keys.json"), NULL));
	cr_expect(eq(int, quote_keys_load(&keys, "/", &f), -EISDIR));
	cr_expect(eq(ptr, keys, NULL));
}

Test(quote_keys, free_takes_null)
{
	cr_expect(eq(ptr, quote_keys_free(NULL), NULL));
}
