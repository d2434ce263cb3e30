/*
 * libjwt does the signature, and only that: it accepts whatever algorithm the header names, so the
 * header is read first and anything but HS256 ends there. Claims are read from the verified text
 * with our own decoder, which refuses repeated members and bounds every field; libjwt's view of
 * them would silently take the last of two.
 */
#include "ws-server/auth.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <jwt.h>

#include "common/base/arena.h"
#include "common/base/config.h"
#include "common/base/crypto.h"
#include "common/base/json_out.h"
#include "common/model/decode.h"
#include "common/model/item.h"

#define SECRET_FILE_MAX 4096
#define SCRATCH         (4 * AUTH_TOKEN_MAX)
#define AUDIENCE        "souk"
#define SCOPE_ACT_AS    "souk:act-as"
#define SECONDS_MAX     INT64_C(9007199254740) /* (2^53 - 1) ms */

struct auth {
	char *secret;
	size_t n_secret;
	struct arena *arena;
};

struct jose_header {
	struct str alg;
	struct str crit;
};

static const struct field header_fields[] = {
	{ "alg", FIELD_STR, FIELD_REQUIRED, offsetof(struct jose_header, alg), 16, NULL },
	{ "crit", FIELD_RAW, 0, offsetof(struct jose_header, crit), 1024, NULL },
};
static const struct record_type header_type = {
	.name = "token header",
	.fields = header_fields,
	.n_fields = ARRAY_LEN(header_fields),
	.size = sizeof(struct jose_header),
};

/* Raw: what issuers write in more than one way. */
struct jwt_claims {
	struct str sub;
	struct str exp;
	struct str nbf;
	struct str aud;
	struct str scope;
	struct str act_prefix;
};

static const struct field claims_fields[] = {
	{ "sub", FIELD_STR, 0, offsetof(struct jwt_claims, sub), 1024, NULL },
	{ "exp", FIELD_RAW, 0, offsetof(struct jwt_claims, exp), 64, NULL },
	{ "nbf", FIELD_RAW, 0, offsetof(struct jwt_claims, nbf), 64, NULL },
	{ "aud", FIELD_RAW, 0, offsetof(struct jwt_claims, aud), AUTH_TOKEN_MAX, NULL },
	{ "scope", FIELD_STR, 0, offsetof(struct jwt_claims, scope), AUTH_TOKEN_MAX, NULL },
	{ "souk_act_prefix", FIELD_STR, 0, offsetof(struct jwt_claims, act_prefix), AUTH_TOKEN_MAX,
		NULL },
};
static const struct record_type claims_type = {
	.name = "token",
	.fields = claims_fields,
	.n_fields = ARRAY_LEN(claims_fields),
	.size = sizeof(struct jwt_claims),
};

const char *auth_error(int code)
{
	static const char *const texts[] = {
		[AUTH_E_TOO_LARGE] = "the token is larger than 8 KiB",
		[AUTH_E_MALFORMED] = "the token is not a JSON Web Token",
		[AUTH_E_ALGORITHM] = "the token's algorithm is not HS256",
		[AUTH_E_SIGNATURE] = "the token's signature does not match",
		[AUTH_E_EXPIRED] = "the token has expired",
		[AUTH_E_NOT_YET] = "the token is not valid yet",
		[AUTH_E_AUDIENCE] = "the token's aud does not contain \"souk\"",
		[AUTH_E_SUBJECT] = "the token's sub is not a user of 1 to 128 bytes",
	};

	return texts[code];
}

int auth_new(struct auth **ret, const char *secret_file, struct fault *f)
{
	CLEANUP(auth_free) struct auth *a = calloc(1, sizeof(*a));
	int r;

	if (!a)
		return -ENOMEM;
	r = file_read(secret_file, SECRET_FILE_MAX, &a->secret, &a->n_secret, f);
	if (r < 0)
		return r;
	if (a->n_secret && a->secret[a->n_secret - 1] == '\n')
		a->n_secret--;
	if (a->n_secret && a->secret[a->n_secret - 1] == '\r')
		a->n_secret--;
	if (a->n_secret < AUTH_SECRET_MIN)
		return fault_set(f, FAULT_FATAL, -EINVAL,
			"%s: the HS256 secret has %zu bytes; at least %d are needed", secret_file,
			a->n_secret, AUTH_SECRET_MIN);
	r = arena_new(&a->arena, SCRATCH);
	if (r < 0)
		return r;
	*ret = TAKE(a);
	return 0;
}

struct auth *auth_free(struct auth *a)
{
	if (!a)
		return NULL;
	if (a->secret)
		explicit_bzero(a->secret, a->n_secret);
	free(a->secret);
	arena_free(a->arena);
	free(a);
	return NULL;
}

/* header "." payload "." signature */
static int split(struct str token, struct str ret[3])
{
	const char *p = token.p, *end = token.p + token.n;

	for (int i = 0; i < 3; i++) {
		const char *dot = memchr(p, '.', (size_t)(end - p));

		if ((i < 2) != (dot != NULL))
			return AUTH_E_MALFORMED;
		ret[i] = (struct str){ p, (size_t)((dot ? dot : end) - p) };
		p = dot ? dot + 1 : end;
	}
	return 0;
}

static int decode_part(struct auth *a, const struct record_type *type, void *ret, struct str part)
{
	char *json = arena_alloc(a->arena, part.n + 1);
	size_t n;

	if (!json || base64url_decode(json, part.n + 1, &n, part) < 0 ||
		decode(type, ret, (struct str){ json, n }, a->arena, NULL) != 0)
		return AUTH_E_MALFORMED;
	return 0;
}

static int verify_signature(struct auth *a, struct str token)
{
	struct str text = arena_copy(a->arena, token); /* NUL-terminated */
	jwt_t *jwt = NULL;
	int r;

	if (!str_is_set(text))
		return AUTH_E_MALFORMED;
	r = jwt_decode(&jwt, text.p, (const unsigned char *)a->secret, (int)a->n_secret);
	if (r != 0)
		return AUTH_E_SIGNATURE;
	r = jwt_get_alg(jwt) == JWT_ALG_HS256 ? 0 : AUTH_E_ALGORITHM;
	jwt_free(jwt);
	return r;
}

/* A NumericDate: seconds, perhaps with a fraction, which is left off. */
static int numeric_date(struct str text, int64_t *ret_ms)
{
	const char *dot = memchr(text.p, '.', text.n);
	struct str whole = { text.p, dot ? (size_t)(dot - text.p) : text.n };
	uint64_t seconds;

	for (size_t i = whole.n + 1; dot && i < text.n; i++)
		if (text.p[i] < '0' || text.p[i] > '9')
			return AUTH_E_MALFORMED;
	if (str_to_u64(whole, &seconds) < 0)
		return AUTH_E_MALFORMED;
	*ret_ms = (seconds < SECONDS_MAX ? (int64_t)seconds : SECONDS_MAX) * 1000;
	return 0;
}

static int check_times(const struct jwt_claims *c, int64_t now_ms, int64_t *ret_expires_ms)
{
	int64_t not_before_ms;

	if (!str_is_set(c->exp) || numeric_date(c->exp, ret_expires_ms) != 0)
		return AUTH_E_MALFORMED;
	if (*ret_expires_ms <= now_ms)
		return AUTH_E_EXPIRED;
	if (!str_is_set(c->nbf))
		return 0;
	if (numeric_date(c->nbf, &not_before_ms) != 0)
		return AUTH_E_MALFORMED;
	return not_before_ms > now_ms + AUTH_NBF_LEEWAY_MS ? AUTH_E_NOT_YET : 0;
}

/* "souk", or an array with it. The text is compact JSON: a quoted text ends at the next quote that
 * no backslash precedes. */
static bool has_audience(struct str aud)
{
	static const struct str wanted = { "\"" AUDIENCE "\"", sizeof("\"" AUDIENCE "\"") - 1 };

	if (!str_is_set(aud) || (aud.p[0] != '"' && aud.p[0] != '['))
		return false;
	for (size_t i = aud.p[0] == '['; i < aud.n;) {
		struct str rest = { aud.p + i, aud.n - i };
		size_t n = 1;

		if (rest.p[0] != '"') {
			if (rest.p[0] != ',' && rest.p[0] != ']')
				return false; /* not an array of texts */
			i++;
			continue;
		}
		if (str_starts(rest, wanted))
			return true;
		while (n < rest.n && rest.p[n] != '"')
			n += rest.p[n] == '\\' ? 2 : 1;
		i += n + 1;
	}
	return false;
}

static bool has_scope(struct str scopes, struct str wanted)
{
	size_t from = 0;

	for (size_t i = 0; i <= scopes.n; i++) {
		if (i < scopes.n && scopes.p[i] != ' ')
			continue;
		if (str_eq((struct str){ scopes.p + from, i - from }, wanted))
			return true;
		from = i + 1;
	}
	return false;
}

static int take_claims(const struct jwt_claims *c, int64_t now_ms, struct auth_claims *ret)
{
	struct auth_claims claims = { 0 };
	int r = check_times(c, now_ms, &claims.expires_ms);

	if (r != 0)
		return r;
	if (!has_audience(c->aud))
		return AUTH_E_AUDIENCE;
	if (!str_is_set(c->sub) || !user_is_valid(c->sub) ||
		str_copy(claims.user, sizeof(claims.user), c->sub) < 0)
		return AUTH_E_SUBJECT;
	if (str_is_set(c->scope) && has_scope(c->scope, STR(SCOPE_ACT_AS)) && c->act_prefix.n > 0)
		claims.is_act_as =
			user_is_valid(c->act_prefix) &&
			str_copy(claims.act_prefix, sizeof(claims.act_prefix), c->act_prefix) == 0;
	*ret = claims;
	return 0;
}

int auth_verify(struct auth *a, struct str token, int64_t now_ms, struct auth_claims *ret)
{
	struct jose_header header;
	struct jwt_claims claims;
	struct str parts[3];
	int r;

	if (token.n > AUTH_TOKEN_MAX)
		return AUTH_E_TOO_LARGE;
	if (!str_is_visible_ascii(token, AUTH_TOKEN_MAX) || split(token, parts) != 0)
		return AUTH_E_MALFORMED;
	arena_reset(a->arena);
	r = decode_part(a, &header_type, &header, parts[0]);
	if (r != 0)
		return r;
	if (!str_eqz(header.alg, "HS256") || str_is_set(header.crit))
		return AUTH_E_ALGORITHM;
	arena_reset(a->arena);
	r = verify_signature(a, token);
	if (r != 0)
		return r;
	arena_reset(a->arena);
	r = decode_part(a, &claims_type, &claims, parts[1]);
	return r != 0 ? r : take_claims(&claims, now_ms, ret);
}

/* ---- making one ---- */

static void put_base64url(struct buf *out, const void *p, size_t n)
{
	char text[1024];

	if ((n * 4 + 2) / 3 + 1 > sizeof(text)) {
		out->failed = true;
		return;
	}
	buf_put(out, text, base64url_encode(text, p, n));
}

static void claims_json(struct buf *b, const struct auth_claims *c)
{
	struct json_out j = JSON_OUT(b);

	json_begin(&j, NULL);
	json_strz(&j, "sub", c->user);
	json_strz(&j, "aud", AUDIENCE);
	json_i64(&j, "exp", c->expires_ms / 1000);
	if (c->is_act_as) {
		json_strz(&j, "scope", SCOPE_ACT_AS);
		json_strz(&j, "souk_act_prefix", c->act_prefix);
	}
	json_end(&j);
}

int auth_mint(const struct auth *a, struct buf *out, const struct auth_claims *c)
{
	static const struct str header = { "{\"alg\":\"HS256\",\"typ\":\"JWT\"}", 27 };
	CLEANUP(buf_fini) struct buf claims = BUF_INIT(1024);
	uint8_t mac[SHA256_BYTES];
	size_t from = out->n;

	claims_json(&claims, c);
	put_base64url(out, header.p, header.n);
	buf_putc(out, '.');
	put_base64url(out, claims.p, claims.n);
	if (claims.failed || out->failed ||
		crypto_hmac_sha256(mac, a->secret, a->n_secret, out->p + from, out->n - from) < 0)
		return -EIO;
	buf_putc(out, '.');
	put_base64url(out, mac, sizeof(mac));
	return out->failed ? -EIO : 0;
}
