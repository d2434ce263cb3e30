#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/io/acceptor_judge.h"

#define LINE  "GET /v1/ws HTTP/1.1\r\n"
#define HOST  "Host: souk.example\r\n"
#define UP    "Upgrade: websocket\r\nConnection: Upgrade\r\n"
#define KEY   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define VER   "Sec-WebSocket-Version: 13\r\n"
#define PROTO "Sec-WebSocket-Protocol: souk.v1.json\r\n"
#define GOOD  LINE HOST UP KEY VER PROTO
#define END   "\r\n"

static struct verdict judge(const char *text)
{
	struct http_head head;

	return acceptor_judge(
		&head, http_head_parse(&head, str_of(text)), "/v1/ws", "souk.v1.json");
}

struct row {
	const char *what, *text;
	int status;
};

static const struct row ROWS[] = {
	{ "the usual head", GOOD END, 0 },
	{ "a query", "GET /v1/ws?token=a&b=%20 HTTP/1.1\r\n" HOST UP KEY VER PROTO END, 0 },
	{ "names in any case",
		LINE "hOST: x\r\nUPGRADE: WebSocket\r\ncONNECTION: keep-alive, uPGRADE\r\n"
		     "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version:13\r\n"
		     "sec-websocket-protocol: souk.v1.json\r\n" END,
		0 },
	{ "no space after the colon, tabs around values",
		LINE "Host:x\r\nUpgrade:\twebsocket\t\r\nConnection:Upgrade\r\n" KEY VER PROTO END,
		0 },
	{ "a later minor version", "GET /v1/ws HTTP/1.2\r\n" HOST UP KEY VER PROTO END, 0 },
	{ "ours among several subprotocols",
		LINE HOST UP KEY VER "Sec-WebSocket-Protocol: a, souk.v1.json ,b\r\n" END, 0 },
	{ "subprotocols in two headers",
		LINE HOST UP KEY VER "Sec-WebSocket-Protocol: a\r\n" PROTO END, 0 },
	{ "connection in two headers",
		LINE HOST
		"Upgrade: websocket\r\nConnection: keep-alive\r\nConnection: Upgrade\r\n" KEY VER
			PROTO END,
		0 },
	{ "an empty body", GOOD "Content-Length: 0\r\n" END, 0 },
	{ "extensions are not looked at",
		GOOD "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n" END,
		0 },
	{ "bytes above ASCII in a value", GOOD "X-Name: J\xc3\xb6rg\r\n" END, 0 },

	{ "another path", "GET /v1/wss HTTP/1.1\r\n" HOST UP KEY VER PROTO END, 404 },
	{ "a path prefix", "GET /v1/ws/ HTTP/1.1\r\n" HOST UP KEY VER PROTO END, 404 },
	{ "an encoded path is another path", "GET /v1/%77s HTTP/1.1\r\n" HOST UP KEY VER PROTO END,
		404 },
	{ "the path comes before the method", "POST / HTTP/1.0\r\n" END, 404 },

	{ "another method", "POST /v1/ws HTTP/1.1\r\n" HOST UP KEY VER PROTO END, 400 },
	{ "a method in lower case", "get /v1/ws HTTP/1.1\r\n" HOST UP KEY VER PROTO END, 400 },
	{ "HTTP/1.0", "GET /v1/ws HTTP/1.0\r\n" HOST UP KEY VER PROTO END, 400 },
	{ "HTTP/2.0", "GET /v1/ws HTTP/2.0\r\n" HOST UP KEY VER PROTO END, 400 },
	{ "no host", LINE UP KEY VER PROTO END, 400 },
	{ "two hosts", LINE HOST HOST UP KEY VER PROTO END, 400 },
	{ "a body", GOOD "Content-Length: 5\r\n" END, 400 },
	{ "two lengths", GOOD "Content-Length: 0\r\nContent-Length: 0\r\n" END, 400 },
	{ "a chunked body", GOOD "Transfer-Encoding: chunked\r\n" END, 400 },
	{ "two authorizations", GOOD "Authorization: Bearer a\r\nAuthorization: Bearer b\r\n" END,
		400 },
	{ "no upgrade", LINE HOST "Connection: Upgrade\r\n" KEY VER PROTO END, 400 },
	{ "an upgrade to h2c",
		LINE HOST "Upgrade: h2c\r\nConnection: Upgrade\r\n" KEY VER PROTO END, 400 },
	{ "no connection", LINE HOST "Upgrade: websocket\r\n" KEY VER PROTO END, 400 },
	{ "a connection without upgrade",
		LINE HOST "Upgrade: websocket\r\nConnection: keep-alive\r\n" KEY VER PROTO END,
		400 },
	{ "no key", LINE HOST UP VER PROTO END, 400 },
	{ "two keys", GOOD KEY END, 400 },
	{ "a short key", LINE HOST UP "Sec-WebSocket-Key: dGhlIHNhbXBsZQ==\r\n" VER PROTO END,
		400 },
	{ "a key that is not base64",
		LINE HOST UP "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j*Q==\r\n" VER PROTO END, 400 },
	{ "a key without padding",
		LINE HOST UP "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQab\r\n" VER PROTO END, 400 },

	{ "no version", LINE HOST UP KEY PROTO END, 426 },
	{ "an old version", LINE HOST UP KEY "Sec-WebSocket-Version: 8\r\n" PROTO END, 426 },
	{ "a version that begins like ours",
		LINE HOST UP KEY "Sec-WebSocket-Version: 130\r\n" PROTO END, 426 },
	{ "two versions", GOOD VER END, 426 },
	{ "the version comes before the subprotocol", LINE HOST UP KEY END, 426 },
	{ "the key comes before the version", LINE HOST UP PROTO END, 400 },
	{ "the method comes before the version", "PUT /v1/ws HTTP/1.1\r\n" HOST UP KEY END, 400 },

	{ "no subprotocol", LINE HOST UP KEY VER END, 400 },
	{ "another subprotocol",
		LINE HOST UP KEY VER "Sec-WebSocket-Protocol: souk.v2.json\r\n" END, 400 },
	{ "a subprotocol in another case",
		LINE HOST UP KEY VER "Sec-WebSocket-Protocol: SOUK.v1.json\r\n" END, 400 },
	{ "a subprotocol that begins like ours",
		LINE HOST UP KEY VER "Sec-WebSocket-Protocol: souk.v1.json2\r\n" END, 400 },

	{ "an empty head", END, 400 },
	{ "an empty line first", "\r\n" GOOD END, 400 },
	{ "no version in the request line", "GET /v1/ws\r\n" HOST UP KEY VER PROTO END, 400 },
	{ "two spaces", "GET  /v1/ws HTTP/1.1\r\n" HOST UP KEY VER PROTO END, 400 },
	{ "a space at the end of the request line",
		"GET /v1/ws HTTP/1.1 \r\n" HOST UP KEY VER PROTO END, 400 },
	{ "a target of an absolute form",
		"GET http://x/v1/ws HTTP/1.1\r\n" HOST UP KEY VER PROTO END, 400 },
	{ "a fragment in the target", "GET /v1/ws#x HTTP/1.1\r\n" HOST UP KEY VER PROTO END, 400 },
	{ "a byte above ASCII in the target",
		"GET /v1/ws\xff HTTP/1.1\r\n" HOST UP KEY VER PROTO END, 400 },
	{ "a folded header", LINE HOST "X-A: b\r\n c\r\n" UP KEY VER PROTO END, 400 },
	{ "a header folded with a tab", GOOD "X-A: b\r\n\tc\r\n" END, 400 },
	{ "a space before the colon", LINE "Host : x\r\n" UP KEY VER PROTO END, 400 },
	{ "a header without a colon", GOOD "nonsense\r\n" END, 400 },
	{ "a header without a name", GOOD ": x\r\n" END, 400 },
	{ "a control byte in a value", GOOD "X-A: b\x01\r\n" END, 400 },
	{ "a carriage return in a value", GOOD "X-A: b\rX-B: c\r\n" END, 400 },
	{ "a bare line feed", LINE HOST UP KEY VER "Sec-WebSocket-Protocol: souk.v1.json\n" END,
		400 },
	{ "bytes after the end", GOOD END "x", 400 },
	{ "no end", GOOD, 400 },
	{ "a malformed header on another path", "GET /other HTTP/1.1\r\nbad\r\n" END, 400 },
};

Test(http_head, each_head_gets_its_verdict)
{
	for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
		struct verdict v = judge(ROWS[i].text);

		cr_expect(eq(int, v.status, ROWS[i].status), "%s", ROWS[i].what);
		cr_expect(eq(int, v.detail != NULL, v.status != 0), "%s", ROWS[i].what);
	}
}

Test(http_head, a_nul_byte_is_refused_anywhere)
{
	struct http_head head;
	char text[] = GOOD END;

	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		char was = text[i];
		struct verdict v;

		text[i] = '\0';
		v = acceptor_judge(&head,
			http_head_parse(&head, (struct str){ text, sizeof(text) - 1 }), "/v1/ws",
			"souk.v1.json");
		cr_expect(ne(int, v.status, 0), "byte %zu", i);
		text[i] = was;
	}
}

Test(http_head, more_headers_than_the_maximum_are_431)
{
	char text[8192] = GOOD;

	for (int i = 0; i < HTTP_HEADERS_MAX - 6; i++)
		strcat(text, "X: y\r\n");
	strcat(text, END);
	cr_expect(zero(int, judge(text).status));
	text[strlen(text) - 2] = '\0';
	strcat(text, "X: y\r\n" END);
	cr_expect(eq(int, judge(text).status, 431));
}

Test(http_head, without_a_configured_subprotocol_none_is_needed)
{
	struct http_head head;
	struct verdict v = acceptor_judge(
		&head, http_head_parse(&head, STR(LINE HOST UP KEY VER END)), "/v1/ws", NULL);

	cr_expect(zero(int, v.status));
}

Test(http_head, the_end_is_found_however_the_bytes_arrive)
{
	const char text[] = GOOD END "frames";
	size_t length = sizeof(GOOD END) - 1;

	for (size_t split = 0; split < sizeof(text) - 1; split++) {
		size_t first = http_head_length(text, split, 0);

		cr_assert(eq(sz, first, split >= length ? length : 0), "split %zu", split);
		if (!first)
			cr_assert(eq(sz, http_head_length(text, sizeof(text) - 1, split), length),
				"split %zu", split);
	}
	for (size_t n = 0, from = 0; n < length; n++, from = n)
		cr_assert(zero(sz, http_head_length(text, n, from)));
	cr_expect(zero(sz, http_head_length("\r\n\r", 3, 0)));
	cr_expect(eq(sz, http_head_length("\r\r\n\r\n", 5, 0), 5));
}

Test(http_head, takes_the_target_and_the_headers_apart)
{
	struct http_head h;
	struct str v;

	cr_assert(zero(
		int, http_head_parse(&h,
			     STR("GET /a/b?x=1?&y HTTP/1.1\r\nHost: h\r\n"
				 "Origin:   https://x.example  \r\nEmpty:\r\norigin: z\r\n\r\n"))));
	cr_expect(str_eqz(h.path, "/a/b"));
	cr_expect(str_eqz(h.query, "x=1?&y"));
	cr_expect(eq(sz, http_head_get(&h, "origin", &v), 2));
	cr_expect(str_eqz(v, "https://x.example"));
	cr_expect(eq(sz, http_head_get(&h, "empty", &v), 1));
	cr_expect(v.p != NULL && v.n == 0);
	cr_expect(zero(sz, http_head_get(&h, "orig", &v)));
	cr_expect(v.p == NULL);
}

Test(http_head, an_empty_query_is_not_an_absent_one)
{
	struct http_head h;

	cr_assert(zero(int, http_head_parse(&h, STR("GET /a? HTTP/1.1\r\n\r\n"))));
	cr_expect(h.query.p != NULL && h.query.n == 0);
	cr_assert(zero(int, http_head_parse(&h, STR("GET /a HTTP/1.1\r\n\r\n"))));
	cr_expect(h.query.p == NULL);
}

#define TRACE_ID  "0af7651916cd43dd8448eb211c80319c"
#define PARENT_ID "b7ad6b7169203331"

Test(http_head, traceparent_is_taken_only_if_valid)
{
	static const struct {
		const char *value;
		bool is_valid;
	} CASES[] = {
		{ "00-" TRACE_ID "-" PARENT_ID "-01", true },
		{ "00-" TRACE_ID "-" PARENT_ID "-00", true },
		{ "01-" TRACE_ID "-" PARENT_ID "-01", false },
		{ "00-" TRACE_ID "-" PARENT_ID "-0", false },
		{ "00-" TRACE_ID "-" PARENT_ID "-011", false },
		{ "00-" TRACE_ID "-" PARENT_ID "-0G", false },
		{ "00-00000000000000000000000000000000-" PARENT_ID "-01", false },
		{ "00-" TRACE_ID "-0000000000000000-01", false },
		{ "00-0AF7651916CD43DD8448EB211C80319C-" PARENT_ID "-01", false },
		{ "00_" TRACE_ID "_" PARENT_ID "_01", false },
		{ "", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		char text[256];
		struct http_head h;

		snprintf(text, sizeof(text), "GET / HTTP/1.1\r\ntraceparent: %s\r\n\r\n",
			CASES[i].value);
		cr_assert(zero(int, http_head_parse(&h, str_of(text))));
		cr_expect(eq(int, str_is_set(acceptor_traceparent(&h)), CASES[i].is_valid), "%s",
			CASES[i].value);
	}
}

Test(http_head, a_repeated_traceparent_counts_as_none)
{
	struct http_head h;
	const char *text = "GET / HTTP/1.1\r\ntraceparent: 00-" TRACE_ID "-" PARENT_ID "-01\r\n"
			   "traceparent: 00-" TRACE_ID "-" PARENT_ID "-01\r\n\r\n";

	cr_assert(zero(int, http_head_parse(&h, str_of(text))));
	cr_expect(not(str_is_set(acceptor_traceparent(&h))));
}

Test(http_head, answers_are_complete_http)
{
	static const int STATUSES[] = { 400, 401, 403, 404, 426, 429, 431, 503, 599 };

	for (size_t i = 0; i < ARRAY_LEN(STATUSES); i++) {
		char text[1024], start[32];
		size_t n = acceptor_answer(
			text, sizeof(text), &(struct verdict){ STATUSES[i], "r", "why it is so" });
		const char *body = strstr(text, "\r\n\r\n"),
			   *length = strstr(text, "Content-Length: ");

		cr_assert(n == strlen(text) && body && length);
		snprintf(start, sizeof(start), "HTTP/1.1 %d ", STATUSES[i]);
		cr_expect(zero(int, strncmp(text, start, strlen(start))));
		cr_expect(strstr(text, "Connection: close") != NULL);
		cr_expect(strstr(text, "application/problem+json") != NULL);
		cr_expect(eq(sz, (size_t)atoi(length + 16), strlen(body + 4)));
		cr_expect(eq(int, strstr(text, "Sec-WebSocket-Version: 13\r\n") != NULL,
			STATUSES[i] == 426));
		cr_expect(eq(int, strstr(text, "Retry-After: ") != NULL,
			STATUSES[i] == 429 || STATUSES[i] == 503));
	}
}
