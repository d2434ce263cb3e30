/* Tokens, good and forged: the forgeries are built here from their parts. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/crypto.h"
#include "ws-server/auth.h"

#define SECRET "0123456789abcdef0123456789abcdef"
#define NOW_MS INT64_C(1795334400000)
#define GOOD   "{\"sub\":\"u_42\",\"aud\":\"souk\",\"exp\":1795334401}"
#define HS256  "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"

static struct auth *make(const char *secret, int *ret)
{
	char path[] = "/tmp/souk-auth-XXXXXX";
	int fd = mkstemp(path);
	struct auth *a = NULL;

	cr_assert(ge(int, fd, 0));
	cr_assert(eq(long, (long)write(fd, secret, strlen(secret)), (long)strlen(secret)));
	close(fd);
	*ret = auth_new(&a, path, NULL);
	unlink(path);
	return a;
}

static struct auth *good_auth(void)
{
	int r;
	struct auth *a = make(SECRET "\r\n", &r);

	cr_assert(zero(int, r));
	return a;
}

/* header.claims.signature by @secret */
static const char *sign(const char *header, const char *claims, const char *secret)
{
	static char text[20000];
	uint8_t mac[SHA256_BYTES];
	size_t n = base64url_encode(text, header, strlen(header));

	text[n++] = '.';
	n += base64url_encode(text + n, claims, strlen(claims));
	cr_assert(zero(int, crypto_hmac_sha256(mac, secret, strlen(secret), text, n)));
	text[n++] = '.';
	base64url_encode(text + n, mac, sizeof(mac));
	return text;
}

static int verify(const char *token, struct auth_claims *ret)
{
	CLEANUP(auth_free) struct auth *a = good_auth();
	struct auth_claims ignored;

	return auth_verify(a, str_of(token), NOW_MS, ret ? ret : &ignored);
}

static int verify_claims(const char *claims)
{
	return verify(sign(HS256, claims, SECRET), NULL);
}

Test(auth, good_token_names_its_user)
{
	struct auth_claims c;

	cr_assert(zero(int, verify(sign(HS256, GOOD, SECRET), &c)));
	cr_expect(eq(str, c.user, "u_42"));
	cr_expect(eq(long, c.expires_ms, 1795334401000));
	cr_expect(not(c.is_act_as));
}

Test(auth, minted_token_is_taken)
{
	CLEANUP(auth_free) struct auth *a = good_auth();
	CLEANUP(buf_fini) struct buf b = BUF_INIT(4096);
	struct auth_claims in = { .user = "g",
		.expires_ms = NOW_MS + 5000,
		.is_act_as = true,
		.act_prefix = "g1:" },
			   c;

	cr_assert(zero(int, auth_mint(a, &b, &in)));
	cr_assert(zero(int, auth_verify(a, buf_str(&b), NOW_MS, &c)));
	cr_expect(eq(str, c.user, "g"));
	cr_expect(c.is_act_as);
	cr_expect(eq(str, c.act_prefix, "g1:"));
}

Test(auth, only_hs256_is_taken_whatever_the_header_says)
{
	cr_expect(
		eq(int, verify(sign("{\"alg\":\"none\"}", GOOD, SECRET), NULL), AUTH_E_ALGORITHM));
	cr_expect(
		eq(int, verify(sign("{\"alg\":\"RS256\"}", GOOD, SECRET), NULL), AUTH_E_ALGORITHM));
	cr_expect(
		eq(int, verify(sign("{\"alg\":\"hs256\"}", GOOD, SECRET), NULL), AUTH_E_ALGORITHM));
	cr_expect(
		eq(int, verify(sign("{\"alg\":\"HS512\"}", GOOD, SECRET), NULL), AUTH_E_ALGORITHM));
	cr_expect(
		eq(int, verify(sign("{\"alg\":\"HS256\",\"crit\":[\"exp\"]}", GOOD, SECRET), NULL),
			AUTH_E_ALGORITHM));
	cr_expect(eq(int, verify(sign("{\"alg\":\"HS256\",\"alg\":\"none\"}", GOOD, SECRET), NULL),
		AUTH_E_MALFORMED));
	cr_expect(eq(int, verify(sign("{\"typ\":\"JWT\"}", GOOD, SECRET), NULL), AUTH_E_MALFORMED));
}

Test(auth, foreign_or_missing_signature_is_refused)
{
	char text[1024];

	cr_expect(eq(int, verify(sign(HS256, GOOD, "another secret of thirty-two bytes"), NULL),
		AUTH_E_SIGNATURE));
	strcpy(text, sign(HS256, GOOD, SECRET));
	strrchr(text, '.')[1] = '\0';
	cr_expect(eq(int, verify(text, NULL), AUTH_E_SIGNATURE));
	strcpy(text, sign(HS256, GOOD, SECRET));
	*strchr(text, '.') = '\0';
	cr_expect(eq(int, verify(text, NULL), AUTH_E_MALFORMED));
}

Test(auth, what_is_no_token_is_malformed)
{
	const char *const bad[] = { "", ".", "..", "...", "a.b.c", "a.b.c.d", "eyJ .e30.x",
		"\x01" };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		cr_expect(eq(int, verify(bad[i], NULL), AUTH_E_MALFORMED), "%s", bad[i]);
}

Test(auth, token_over_eight_kib_is_not_looked_at)
{
	static char text[AUTH_TOKEN_MAX + 2];

	memset(text, 'a', AUTH_TOKEN_MAX + 1);
	cr_expect(eq(int, verify(text, NULL), AUTH_E_TOO_LARGE));
	text[AUTH_TOKEN_MAX] = '\0';
	cr_expect(eq(int, verify(text, NULL), AUTH_E_MALFORMED));
}

Test(auth, expiry_is_required_and_has_no_grace)
{
	cr_expect(eq(int, verify_claims("{\"sub\":\"u\",\"aud\":\"souk\"}"), AUTH_E_MALFORMED));
	cr_expect(eq(int, verify_claims("{\"sub\":\"u\",\"aud\":\"souk\",\"exp\":\"1795334401\"}"),
		AUTH_E_MALFORMED));
	cr_expect(eq(int, verify_claims("{\"sub\":\"u\",\"aud\":\"souk\",\"exp\":1795334400}"),
		AUTH_E_EXPIRED));
	cr_expect(eq(int, verify_claims("{\"sub\":\"u\",\"aud\":\"souk\",\"exp\":-1}"),
		AUTH_E_MALFORMED));
	cr_expect(
		zero(int, verify_claims("{\"sub\":\"u\",\"aud\":\"souk\",\"exp\":1795334401.5}")));
	cr_expect(
		zero(int, verify_claims(
				  "{\"sub\":\"u\",\"aud\":\"souk\",\"exp\":9223372036854775807}")),
		"far, not wrapped");
}

Test(auth, not_before_allows_for_clocks_a_little_apart)
{
	cr_expect(zero(int,
		verify_claims(
			"{\"sub\":\"u\",\"aud\":\"souk\",\"exp\":1795339999,\"nbf\":1795334405}")));
	cr_expect(eq(int,
		verify_claims(
			"{\"sub\":\"u\",\"aud\":\"souk\",\"exp\":1795339999,\"nbf\":1795334406}"),
		AUTH_E_NOT_YET));
}

Test(auth, audience_must_hold_souk)
{
	static const struct {
		const char *aud;
		int want;
	} cases[] = {
		{ "\"souk\"", 0 },
		{ "[\"a\",\"souk\"]", 0 },
		{ "[\"souk\",\"a\"]", 0 },
		{ "[ \"a\" , \"souk\" ]", 0 },
		{ "\"Souk\"", AUTH_E_AUDIENCE },
		{ "\"souks\"", AUTH_E_AUDIENCE },
		{ "[]", AUTH_E_AUDIENCE },
		{ "[\"a\\\",\\\"souk\\\"\"]", AUTH_E_AUDIENCE },
		{ "[\"\\\\\",\"x\"]", AUTH_E_AUDIENCE },
		{ "{\"souk\":1}", AUTH_E_AUDIENCE },
		{ "[[\"souk\"]]", AUTH_E_AUDIENCE },
		{ "7", AUTH_E_AUDIENCE },
	};
	char claims[256];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		snprintf(claims, sizeof(claims), "{\"sub\":\"u\",\"exp\":1795339999,\"aud\":%s}",
			cases[i].aud);
		cr_expect(eq(int, verify_claims(claims), cases[i].want), "%s", cases[i].aud);
	}
	cr_expect(eq(int, verify_claims("{\"sub\":\"u\",\"exp\":1795339999}"), AUTH_E_AUDIENCE));
}

Test(auth, subject_must_be_a_user)
{
	char claims[400], user[200];

	cr_expect(eq(int, verify_claims("{\"aud\":\"souk\",\"exp\":1795339999}"), AUTH_E_SUBJECT));
	cr_expect(eq(int, verify_claims("{\"sub\":\"\",\"aud\":\"souk\",\"exp\":1795339999}"),
		AUTH_E_SUBJECT));
	cr_expect(eq(int, verify_claims("{\"sub\":\"a\\nb\",\"aud\":\"souk\",\"exp\":1795339999}"),
		AUTH_E_SUBJECT));
	memset(user, 'u', 129);
	user[129] = '\0';
	snprintf(claims, sizeof(claims), "{\"sub\":\"%s\",\"aud\":\"souk\",\"exp\":1795339999}",
		user);
	cr_expect(eq(int, verify_claims(claims), AUTH_E_SUBJECT));
	user[128] = '\0';
	snprintf(claims, sizeof(claims), "{\"sub\":\"%s\",\"aud\":\"souk\",\"exp\":1795339999}",
		user);
	cr_expect(zero(int, verify_claims(claims)));
}

Test(auth, repeated_claim_is_refused)
{
	cr_expect(eq(int,
		verify_claims("{\"sub\":\"a\",\"sub\":\"b\",\"aud\":\"souk\",\"exp\":1795339999}"),
		AUTH_E_MALFORMED));
}

Test(auth, acting_for_others_needs_the_scope_and_a_prefix)
{
	static const struct {
		const char *more;
		bool want;
	} cases[] = {
		{ "\"scope\":\"a souk:act-as b\",\"souk_act_prefix\":\"g1:\"", true },
		{ "\"scope\":\"souk:act-as\",\"souk_act_prefix\":\"\"", false },
		{ "\"scope\":\"souk:act-as\"", false },
		{ "\"scope\":\"souk:act-asx\",\"souk_act_prefix\":\"g1:\"", false },
		{ "\"souk_act_prefix\":\"g1:\"", false },
	};
	char claims[256];
	struct auth_claims c;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		snprintf(claims, sizeof(claims),
			"{\"sub\":\"u\",\"aud\":\"souk\",\"exp\":1795339999,%s}", cases[i].more);
		cr_assert(zero(int, verify(sign(HS256, claims, SECRET), &c)));
		cr_expect(eq(int, c.is_act_as, cases[i].want), "%s", cases[i].more);
	}
}

Test(auth, secret_has_at_least_thirty_two_bytes)
{
	int r;
	struct auth *a = make("0123456789abcdef0123456789abcde\n", &r);

	cr_expect(eq(int, r, -EINVAL), "the line end does not count");
	cr_expect(zero(ptr, a));
	r = auth_new(&a, "/nowhere/at/all", NULL);
	cr_expect(eq(int, r, -ENOENT));
}
