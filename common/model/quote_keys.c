/*
 * The keys document. It is configuration, read once at start, so Jansson does the parsing; what it
 * may hold is strict, because a mistyped member here (say "form" for "from") would quietly sign
 * with the wrong key.
 *
 * No message quotes anything out of the document but a member's name and a kid: it is a file of
 * secrets, and the text that Jansson gives for a syntax error would repeat a piece of it.
 */
#include "common/model/quote_keys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <jansson.h>
#include <openssl/crypto.h>

#include "common/base/crypto.h"

#define FROM_MAX ((INT64_C(1) << 53) - 1)

struct quote_keys {
	size_t n;
	struct quote_key key[QUOTE_KEYS_MAX];
};

static void json_freep(json_t **j)
{
	json_decref(*j);
}

struct quote_keys *quote_keys_free(struct quote_keys *k)
{
	if (k) {
		OPENSSL_cleanse(k, sizeof(*k));
		free(k);
	}
	return NULL;
}

const struct quote_key *quote_keys_find(const struct quote_keys *keys, struct str kid)
{
	for (size_t i = 0; i < keys->n; i++) {
		if (str_eqz(kid, keys->key[i].kid))
			return &keys->key[i];
	}
	return NULL;
}

const struct quote_key *quote_keys_at(const struct quote_keys *keys, int64_t now_ms)
{
	const struct quote_key *best = NULL;

	for (size_t i = 0; i < keys->n; i++) {
		const struct quote_key *k = &keys->key[i];

		if (k->from <= now_ms && (!best || k->from >= best->from))
			best = k;
	}
	return best;
}

static int refuse(struct fault *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static int refuse(struct fault *f, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fault_vset(f, FAULT_FATAL, -EINVAL, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

static struct str json_text(const json_t *j)
{
	return json_is_string(j) ? (struct str){ json_string_value(j), json_string_length(j) }
				 : STR_NONE;
}

static int check_members(json_t *object, const char *const *known, size_t i, struct fault *f)
{
	const char *name;
	json_t *value;

	json_object_foreach(object, name, value) {
		bool is_known = false;

		for (const char *const *k = known; *k && !is_known; k++)
			is_known = strcmp(name, *k) == 0;
		if (!is_known)
			return refuse(f,
				"keys[%zu].%.40s: unknown member; known are kid, secret, from", i,
				str_is_visible_ascii(str_of(name), 40) ? name : "?");
	}
	return 0;
}

static int parse_kid(struct quote_keys *keys, struct quote_key *k, size_t i, const json_t *member,
	struct fault *f)
{
	struct str kid = json_text(member);

	if (!str_is_visible_ascii(kid, QUOTE_KID_MAX))
		return refuse(f,
			"keys[%zu].kid: must be a text of 1 to %d visible ASCII characters", i,
			QUOTE_KID_MAX);
	if (quote_keys_find(keys, kid))
		return refuse(f, "keys[%zu].kid: \"" STR_FMT "\" is there twice", i, STR_ARG(kid));
	return str_copy(k->kid, sizeof(k->kid), kid);
}

static int parse_secret(struct quote_key *k, size_t i, const json_t *member, struct fault *f)
{
	struct str text = json_text(member);

	if (!str_is_set(text) ||
		base64url_decode(k->secret, sizeof(k->secret), &k->n_secret, text) < 0 ||
		k->n_secret < QUOTE_SECRET_BYTES_MIN)
		return refuse(f, "keys[%zu].secret: must be unpadded base64url of %d to %d bytes",
			i, QUOTE_SECRET_BYTES_MIN, QUOTE_SECRET_BYTES_MAX);
	return 0;
}

static int parse_from(struct quote_key *k, size_t i, const json_t *member, struct fault *f)
{
	if (!member)
		return 0;
	if (!json_is_integer(member) || json_integer_value(member) < 0 ||
		json_integer_value(member) > FROM_MAX)
		return refuse(
			f, "keys[%zu].from: must be an integer of milliseconds, 0 to 2^53 - 1", i);
	k->from = json_integer_value(member);
	return 0;
}

static int parse_key(struct quote_keys *keys, size_t i, json_t *entry, struct fault *f)
{
	static const char *const known[] = { "kid", "secret", "from", NULL };
	struct quote_key *k = &keys->key[i];
	int r;

	if (!json_is_object(entry))
		return refuse(f, "keys[%zu]: must be an object with kid and secret", i);
	r = check_members(entry, known, i, f);
	if (r < 0)
		return r;
	r = parse_kid(keys, k, i, json_object_get(entry, "kid"), f);
	if (r < 0)
		return r;
	r = parse_secret(k, i, json_object_get(entry, "secret"), f);
	if (r < 0)
		return r;
	r = parse_from(k, i, json_object_get(entry, "from"), f);
	if (r < 0)
		return r;
	keys->n++;
	return 0;
}

int quote_keys_parse(struct quote_keys **ret, struct str json, struct fault *f)
{
	CLEANUP(quote_keys_free) struct quote_keys *keys = NULL;
	CLEANUP(json_free) json_t *doc = NULL;
	json_error_t error;
	json_t *list;

	if (json.n > QUOTE_KEYS_FILE_MAX)
		return refuse(f, "over %d bytes", QUOTE_KEYS_FILE_MAX);
	doc = json_loadb(json.p ? json.p : "", json.n, JSON_REJECT_DUPLICATES, &error);
	if (!doc)
		return refuse(f, "line %d, column %d: not JSON, or a member is there twice",
			error.line, error.column);
	list = json_object_get(doc, "keys");
	if (!json_is_array(list) || json_array_size(list) < 1 ||
		json_array_size(list) > QUOTE_KEYS_MAX)
		return refuse(f, "keys: must be an array of 1 to %d keys", QUOTE_KEYS_MAX);
	if (json_object_size(doc) != 1)
		return refuse(f, "unknown member beside keys; only keys is known here");
	keys = calloc(1, sizeof(*keys));
	if (!keys)
		return fault_set(f, FAULT_FATAL, -ENOMEM, "out of memory");
	for (size_t i = 0; i < json_array_size(list); i++) {
		int r = parse_key(keys, i, json_array_get(list, i), f);

		if (r < 0)
			return r;
	}
	*ret = TAKE(keys);
	return 0;
}

/* Reads at most @cap bytes; more are left unread. Returns the number, or -errno. */
static ssize_t read_up_to(const char *path, char *p, size_t cap)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t r = fd < 0 ? -errno : 1;
	size_t n = 0;

	while (r > 0 && n < cap) {
		r = read(fd, p + n, cap - n);
		if (r > 0)
			n += (size_t)r;
		else if (r < 0)
			r = errno == EINTR ? 1 : -errno;
	}
	if (fd >= 0)
		close(fd);
	return r < 0 ? r : (ssize_t)n;
}

int quote_keys_load(struct quote_keys **ret, const char *path, struct fault *f)
{
	size_t cap =
		QUOTE_KEYS_FILE_MAX + 1; /* one more, so that a longer file is seen to be longer */
	struct fault inner = { 0 };
	char *text = malloc(cap);
	ssize_t n;
	int r;

	if (!text)
		return fault_set(f, FAULT_FATAL, -ENOMEM, "%s: out of memory", path);
	n = read_up_to(path, text, cap);
	if (n < 0) {
		r = fault_set(f, FAULT_FATAL, (int)n, "%s: cannot read the quote keys: %s", path,
			strerror((int)-n));
	} else {
		r = quote_keys_parse(ret, (struct str){ text, (size_t)n }, &inner);
		OPENSSL_cleanse(text, (size_t)n);
		if (r < 0)
			fault_set(f, inner.kind, inner.code, "%s: %s", path, inner.text);
	}
	free(text);
	return r;
}
