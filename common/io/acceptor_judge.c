#include "common/io/acceptor_judge.h"

#include <stdio.h>
#include <string.h>

#include "common/base/cleanup.h"

/* Long enough that a crowd is not back at once, short enough for a person who waits. */
#define RETRY_AFTER_S 5

static bool is_key(struct str key)
{
	if (key.n != 24 || key.p[22] != '=' || key.p[23] != '=')
		return false;
	for (size_t i = 0; i < 22; i++) {
		char c = key.p[i];

		if (!(c >= 'A' && c <= 'Z') && !(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') &&
			c != '+' && c != '/')
			return false;
	}
	return true;
}

static struct verdict bad(const char *detail)
{
	return (struct verdict){ 400, "bad_request", detail };
}

/* A body would be read as the first frames. */
static bool has_body(const struct http_head *h)
{
	struct str length;
	size_t n = http_head_get(h, "content-length", &length);

	return n > 1 || (n == 1 && !str_eq(length, STR("0"))) ||
	       http_head_get(h, "transfer-encoding", NULL) > 0;
}

static struct verdict judge_request(const struct http_head *h)
{
	if (!str_eq(h->method, STR("GET")) || h->minor < 1)
		return bad("want GET and HTTP/1.1");
	if (http_head_get(h, "host", NULL) != 1)
		return bad("want one Host header");
	if (has_body(h))
		return bad("an upgrade has no body");
	if (http_head_get(h, "authorization", NULL) > 1)
		return bad("want one Authorization header at most");
	return VERDICT_GOOD;
}

static struct verdict judge_upgrade(const struct http_head *h, const char *subprotocol)
{
	struct str key, version;

	if (!http_head_has_token(h, "upgrade", STR("websocket"), true))
		return bad("want Upgrade: websocket");
	if (!http_head_has_token(h, "connection", STR("upgrade"), true))
		return bad("want Connection: Upgrade");
	if (http_head_get(h, "sec-websocket-key", &key) != 1 || !is_key(key))
		return bad("want one Sec-WebSocket-Key of 16 bytes in base64");
	if (http_head_get(h, "sec-websocket-version", &version) != 1 || !str_eq(version, STR("13")))
		return (struct verdict){ 426, "bad_version", "want Sec-WebSocket-Version: 13" };
	if (subprotocol &&
		!http_head_has_token(h, "sec-websocket-protocol", str_of(subprotocol), false))
		return (struct verdict){ 400, "bad_subprotocol",
			"none of the offered subprotocols is spoken here" };
	return VERDICT_GOOD;
}

struct verdict acceptor_judge(
	const struct http_head *h, int r, const char *path, const char *subprotocol)
{
	struct verdict v;

	if (r == HTTP_HEAD_E_LARGE)
		return (struct verdict){ 431, "too_large", "too many headers" };
	if (r)
		return bad("not a well-formed HTTP/1.1 head");
	if (!str_eqz(h->path, path))
		return (struct verdict){ 404, "not_found", "no such path" };
	v = judge_request(h);
	return v.status ? v : judge_upgrade(h, subprotocol);
}

static bool is_hex_id(const char *p, size_t n)
{
	bool is_zero = true;

	for (size_t i = 0; i < n; i++) {
		if (!(p[i] >= '0' && p[i] <= '9') && !(p[i] >= 'a' && p[i] <= 'f'))
			return false;
		is_zero = is_zero && p[i] == '0';
	}
	return !is_zero;
}

struct str acceptor_traceparent(const struct http_head *h)
{
	struct str t;
	bool is_flags;

	if (http_head_get(h, "traceparent", &t) != 1 || t.n != 55 || memcmp(t.p, "00-", 3) != 0 ||
		t.p[35] != '-' || t.p[52] != '-')
		return STR_NONE;
	is_flags = is_hex_id(t.p + 53, 2) || memcmp(t.p + 53, "00", 2) == 0;
	return is_flags && is_hex_id(t.p + 3, 32) && is_hex_id(t.p + 36, 16) ? t : STR_NONE;
}

static const char *title_of(int status)
{
	static const struct {
		int status;
		const char *title;
	} TITLES[] = { { 400, "Bad Request" }, { 401, "Unauthorized" }, { 403, "Forbidden" },
		{ 404, "Not Found" }, { 409, "Conflict" }, { 426, "Upgrade Required" },
		{ 429, "Too Many Requests" }, { 431, "Request Header Fields Too Large" },
		{ 502, "Bad Gateway" }, { 503, "Service Unavailable" } };

	for (size_t i = 0; i < ARRAY_LEN(TITLES); i++)
		if (TITLES[i].status == status)
			return TITLES[i].title;
	return "Refused";
}

size_t acceptor_answer(char *ret, size_t cap, const struct verdict *v)
{
	char body[256], extra[64] = "";
	int body_n, n;

	if (v->status == 426)
		snprintf(extra, sizeof(extra),
			"Sec-WebSocket-Version: 13\r\nUpgrade: websocket\r\n");
	else if (v->status == 429 || v->status == 503)
		snprintf(extra, sizeof(extra), "Retry-After: %d\r\n", RETRY_AFTER_S);
	/* RFC 9457; the texts are ours and need no escaping. */
	body_n = snprintf(body, sizeof(body),
		"{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%d,\"detail\":\"%s\"}",
		title_of(v->status), v->status, v->detail);
	n = snprintf(ret, cap,
		"HTTP/1.1 %d %s\r\nConnection: %s\r\n%sContent-Type: application/problem+json\r\n"
		"Content-Length: %d\r\n\r\n%s",
		v->status, title_of(v->status), v->status == 426 ? "close, Upgrade" : "close",
		extra, body_n, body);
	return n < 0 || (size_t)n >= cap ? 0 : (size_t)n;
}
