#pragma once

/*
 * Who is at the other end: JSON Web Tokens (RFC 7519), HS256 only.
 *
 * Checked: at most 8 KiB, header `alg` is exactly HS256 (pinned before any key is touched: no
 * `none`, no RS/HS confusion) and has no `crit`, signature, `exp` (required, no grace), `nbf`,
 * `aud` holds "souk", `sub` is a valid user. Scope `souk:act-as` counts only with a
 * `souk_act_prefix` that is not empty. Duplicate members are refused. Secret file: at least 32
 * bytes, its last line end is not part of the secret.
 */
#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/cleanup.h"
#include "common/base/fault.h"
#include "common/base/str.h"

#define AUTH_TOKEN_MAX     8192
#define AUTH_SECRET_MIN    32
#define AUTH_USER_MAX      129 /* 128 bytes and a NUL */
#define AUTH_NBF_LEEWAY_MS 5000

struct auth;

struct auth_claims {
	char user[AUTH_USER_MAX];
	int64_t expires_ms;
	bool is_act_as;
	char act_prefix[AUTH_USER_MAX];
};

enum {
	AUTH_E_TOO_LARGE = 1,
	AUTH_E_MALFORMED,
	AUTH_E_ALGORITHM,
	AUTH_E_SIGNATURE,
	AUTH_E_EXPIRED,
	AUTH_E_NOT_YET,
	AUTH_E_AUDIENCE,
	AUTH_E_SUBJECT,
};

/* What to tell the client for an AUTH_E_*. */
const char *auth_error(int code);

/* 0, -ENOMEM, or -EINVAL / -ENOENT / -EACCES with @f (the file, or a secret that is too short). */
MUST_CHECK int auth_new(struct auth **ret, const char *secret_file, struct fault *f);
struct auth *auth_free(struct auth *a); /* wipes the secret */
DEFINE_CLEANUP(struct auth *, auth_free)

/* 0 or AUTH_E_*; @ret is set on success only. */
MUST_CHECK int auth_verify(
	struct auth *a, struct str token, int64_t now_ms, struct auth_claims *ret);

/* Appends a token that auth_verify() takes until c->expires_ms (whole seconds). 0 or -EIO. */
MUST_CHECK int auth_mint(const struct auth *a, struct buf *out, const struct auth_claims *c);
