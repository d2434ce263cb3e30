#include "tests/conformance/ws_suite.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "tests/conformance/check.h"

#define OK(condition) CHECK(&s->failures, condition)

#define MESSAGE_MAX 16384
#define TURNS_MAX   5000
#define SESSIONS    8

/* The role: remembers what it was told, and does one thing when told so. */
struct session {
	struct role *role;
	struct ws_conn *conn;
	struct buf texts; /* joined with '|' */
	unsigned n_texts, n_heard, n_writable, n_closed;
	int code;
};

struct role {
	struct session sessions[SESSIONS];
	unsigned n_opened;
	bool refuses, echoes;
	const char *greeting;
	int closes_with; /* at the first text; 0 = does not */
	int closes_on_open_with;
};

static void *on_opened(void *ctx, struct ws_conn *c, const struct ws_conn_info *info)
{
	struct role *r = ctx;
	struct session *session = &r->sessions[r->n_opened++];

	(void)info;
	session->role = r;
	session->conn = c;
	session->texts = BUF_INIT(64 * 1024 * 1024);
	if (r->greeting)
		(void)!ws_conn_write(c, str_of(r->greeting));
	if (r->closes_on_open_with)
		ws_conn_close(c, r->closes_on_open_with, STR("at once"));
	return r->refuses ? NULL : session;
}

static void on_text(void *ctx, struct str message)
{
	struct session *session = ctx;
	struct role *r = session->role;

	session->n_texts++;
	buf_puts(&session->texts, message);
	buf_putc(&session->texts, '|');
	if (r->echoes)
		(void)!ws_conn_write(session->conn, message);
	if (r->closes_with)
		ws_conn_close(session->conn, r->closes_with, STR("as told"));
}

static void on_heard(void *ctx)
{
	((struct session *)ctx)->n_heard++;
}

static void on_writable(void *ctx)
{
	((struct session *)ctx)->n_writable++;
}

static void on_closed(void *ctx, int code)
{
	struct session *session = ctx;

	session->n_closed++;
	session->code = code;
	session->conn = NULL;
}

static const struct ws_server_ops OPS = { .opened = on_opened,
	.text = on_text,
	.heard = on_heard,
	.writable = on_writable,
	.closed = on_closed };

static struct ws_server *start(struct ws_suite *s, struct role *r)
{
	struct ws_server_config config = { .listen = "127.0.0.1:0",
		.path = "/v1/ws",
		.subprotocol = "souk.v1.json",
		.message_max = MESSAGE_MAX,
		.conns_max = SESSIONS };

	return s->start(s, &config, &OPS, r);
}

static void role_fini(struct role *r)
{
	for (unsigned i = 0; i < r->n_opened; i++)
		buf_fini(&r->sessions[i].texts);
}

/* Turns the loop until the condition holds; the check fails if it never does. */
#define EVENTUALLY(condition) \
	do { \
		bool ok_ = (condition); \
\
		for (int turn_ = 0; turn_ < TURNS_MAX && !ok_; turn_++) { \
			s->turn(s); \
			ok_ = (condition); \
		} \
		check_is(ok_, &s->failures, __FILE__, __LINE__, "eventually " #condition); \
	} while (0)

static void turns(struct ws_suite *s, int n)
{
	while (n-- > 0)
		s->turn(s);
}

static bool says(const char *got, const char *wanted)
{
	return got && strcmp(got, wanted) == 0;
}

static bool heard_texts(const struct session *session, const char *joined)
{
	return str_eqz(buf_str(&session->texts), joined);
}

/* ---- coming and going ---- */

static void a_peer_comes_and_goes(struct ws_suite *s)
{
	struct role r = { 0 };
	struct ws_server *server = start(s, &r);
	void *peer = s->connect(s, server);

	OK(ws_server_count(server) == 0);
	EVENTUALLY(r.n_opened == 1);
	OK(ws_server_count(server) == 1);
	s->close(peer, 1000);
	EVENTUALLY(r.sessions[0].n_closed == 1);
	OK(r.sessions[0].code == 1000);
	OK(ws_server_count(server) == 0);
	turns(s, 3);
	OK(r.sessions[0].n_closed == 1);
	s->drop(s, peer);
	ws_server_free(server);
	role_fini(&r);
}

static void a_private_close_code_of_the_peer_is_delivered(struct ws_suite *s)
{
	struct role r = { 0 };
	struct ws_server *server = start(s, &r);
	void *peer = s->connect(s, server);

	EVENTUALLY(r.n_opened == 1);
	s->close(peer, 4000);
	EVENTUALLY(r.sessions[0].n_closed == 1);
	OK(r.sessions[0].code == 4000);
	s->drop(s, peer);
	ws_server_free(server);
	role_fini(&r);
}

static void a_cut_wire_is_1006(struct ws_suite *s)
{
	struct role r = { 0 };
	struct ws_server *server = start(s, &r);
	void *peer = s->connect(s, server);

	EVENTUALLY(r.n_opened == 1);
	s->cut(peer);
	EVENTUALLY(r.sessions[0].n_closed == 1);
	OK(r.sessions[0].code == 1006);
	OK(ws_server_count(server) == 0);
	s->drop(s, peer);
	ws_server_free(server);
	role_fini(&r);
}

static void a_session_that_is_not_wanted_is_1011(struct ws_suite *s)
{
	struct role r = { .refuses = true };
	struct ws_server *server = start(s, &r);
	void *peer = s->connect(s, server);

	EVENTUALLY(s->code(peer) != 0);
	OK(s->code(peer) == 1011);
	EVENTUALLY(ws_server_count(server) == 0);
	OK(r.n_opened == 1 && r.sessions[0].n_closed == 0);
	s->drop(s, peer);
	ws_server_free(server);
	role_fini(&r);
}

static void peers_are_kept_apart(struct ws_suite *s)
{
	struct role r = { .echoes = true };
	struct ws_server *server = start(s, &r);
	void *a = s->connect(s, server), *b;
	const char *text = NULL;

	EVENTUALLY(r.n_opened == 1);
	b = s->connect(s, server);
	EVENTUALLY(r.n_opened == 2);
	OK(ws_server_count(server) == 2);
	s->send(b, "to b");
	EVENTUALLY((text = s->next(b)) != NULL);
	OK(says(text, "to b"));
	OK(!s->next(a));
	s->cut(b);
	EVENTUALLY(r.sessions[1].n_closed == 1);
	s->send(a, "to a");
	EVENTUALLY((text = s->next(a)) != NULL);
	OK(says(text, "to a"));
	s->drop(s, a);
	s->drop(s, b);
	ws_server_free(server);
	role_fini(&r);
}

static void freeing_closes_all_with_1001_and_tells_nobody(struct ws_suite *s)
{
	struct role r = { 0 };
	struct ws_server *server = start(s, &r);
	void *peer = s->connect(s, server);

	EVENTUALLY(r.n_opened == 1);
	if (!s->frame) { /* in memory the peers go with the server */
		ws_server_free(server);
	} else {
		ws_server_free(server);
		EVENTUALLY(s->code(peer) != 0);
		OK(s->code(peer) == 1001);
		s->drop(s, peer);
	}
	OK(r.sessions[0].n_closed == 0);
	role_fini(&r);
}

/* ---- messages ---- */

static void a_message_is_answered(struct ws_suite *s)
{
	struct role r = { .echoes = true };
	struct ws_server *server = start(s, &r);
	void *peer = s->connect(s, server);
	const char *text = NULL;

	EVENTUALLY(r.n_opened == 1);
	s->send(peer, "{\"h\xc3\xa9llo\":1}");
	EVENTUALLY((text = s->next(peer)) != NULL);
	OK(says(text, "{\"h\xc3\xa9llo\":1}"));
	OK(r.sessions[0].n_heard >= 1);
	s->send(peer, "");
	EVENTUALLY((text = s->next(peer)) != NULL);
	OK(says(text, ""));
	OK(r.sessions[0].n_texts == 2);
	s->drop(s, peer);
	ws_server_free(server);
	role_fini(&r);
}

static void opened_may_write(struct ws_suite *s)
{
	struct role r = { .greeting = "welcome" };
	struct ws_server *server = start(s, &r);
	void *peer = s->connect(s, server);
	const char *text = NULL;

	EVENTUALLY((text = s->next(peer)) != NULL);
	OK(says(text, "welcome"));
	s->drop(s, peer);
	ws_server_free(server);
	role_fini(&r);
}

static void many_messages_keep_their_order(struct ws_suite *s)
{
	enum { N = 300 };
	struct role r = { .echoes = true };
	struct ws_server *server = start(s, &r);
	void *peer = s->connect(s, server);
	int n = 0;

	EVENTUALLY(r.n_opened == 1);
	for (int i = 0; i < N; i++) {
		char text[32];

		snprintf(text, sizeof(text), "message %d", i);
		s->send(peer, text);
	}
	for (int turn = 0; turn < TURNS_MAX && n < N; turn++) {
		const char *text;

		s->turn(s);
		while ((text = s->next(peer)) && n < N) {
			char wanted[32];

			snprintf(wanted, sizeof(wanted), "message %d", n++);
			if (!OK(says(text, wanted)))
				n = N;
		}
	}
	OK(n == N);
	s->drop(s, peer);
	ws_server_free(server);
	role_fini(&r);
}

static void the_largest_message_comes_and_goes_whole(struct ws_suite *s)
{
	struct role r = { .echoes = true };
	struct ws_server *server = start(s, &r);
	void *peer = s->connect(s, server);
	static char large[MESSAGE_MAX + 1];
	const char *text = NULL;

	for (size_t i = 0; i < MESSAGE_MAX; i++)
		large[i] = (char)('a' + i % 26);
	EVENTUALLY(r.n_opened == 1);
	s->send(peer, large);
	EVENTUALLY((text = s->next(peer)) != NULL);
	OK(says(text, large));
	s->drop(s, peer);
	ws_server_free(server);
	role_fini(&r);
}

static void a_control_frame_is_heard(struct ws_suite *s)
{
	struct role r = { 0 };
	struct ws_server *server = start(s, &r);
	void *peer = s->connect(s, server);

	EVENTUALLY(r.n_opened == 1);
	turns(s, 3);
	r.sessions[0].n_heard = 0;
	s->pong(peer);
	EVENTUALLY(r.sessions[0].n_heard == 1);
	OK(r.sessions[0].n_texts == 0);
	s->drop(s, peer);
	ws_server_free(server);
	role_fini(&r);
}

/* ---- closing ---- */

static void a_close_code_and_its_reason_reach_the_peer(struct ws_suite *s)
{
	struct role r = { 0 };
	struct ws_server *server = start(s, &r);
	void *peer = s->connect(s, server);
	struct ws_conn *c;

	EVENTUALLY(r.n_opened == 1);
	c = r.sessions[0].conn;
	ws_conn_close(c, 4001, STR("invalid token"));
	OK(r.sessions[0].n_closed == 0);
	ws_conn_close(c, 4004, STR("another"));
	OK(ws_conn_write(c, STR("too late")) == -EPIPE);
	EVENTUALLY(s->code(peer) != 0);
	OK(s->code(peer) == 4001);
	OK(says(s->reason(peer), "invalid token"));
	EVENTUALLY(r.sessions[0].n_closed == 1);
	OK(r.sessions[0].code == 4001);
	OK(!s->next(peer));
	OK(ws_server_count(server) == 0);
	s->drop(s, peer);
	ws_server_free(server);
	role_fini(&r);
}

static void a_reason_of_123_bytes_is_whole(struct ws_suite *s)
{
	struct role r = { 0 };
	struct ws_server *server = start(s, &r);
	void *peer = s->connect(s, server);
	char reason[124];

	memset(reason, 'r', 123);
	reason[123] = '\0';
	EVENTUALLY(r.n_opened == 1);
	ws_conn_close(r.sessions[0].conn, 4112, str_of(reason));
	EVENTUALLY(s->code(peer) != 0);
	OK(s->code(peer) == 4112);
	OK(says(s->reason(peer), reason));
	s->drop(s, peer);
	ws_server_free(server);
	role_fini(&r);
}

static void what_was_taken_before_the_close_arrives_before_it(struct ws_suite *s)
{
	struct role r = { 0 };
	struct ws_server *server = start(s, &r);
	void *peer = s->connect(s, server);

	EVENTUALLY(r.n_opened == 1);
	OK(ws_conn_write(r.sessions[0].conn, STR("one")) == 0);
	OK(ws_conn_write(r.sessions[0].conn, STR("two")) == 0);
	ws_conn_close(r.sessions[0].conn, 1001, STR_NONE);
	EVENTUALLY(s->code(peer) == 1001);
	OK(says(s->next(peer), "one"));
	OK(says(s->next(peer), "two"));
	OK(!s->next(peer));
	s->drop(s, peer);
	ws_server_free(server);
	role_fini(&r);
}

static void closing_from_inside_text_ends_the_deliveries(struct ws_suite *s)
{
	struct role r = { .closes_with = 4008 };
	struct ws_server *server = start(s, &r);
	void *peer = s->connect(s, server);

	EVENTUALLY(r.n_opened == 1);
	for (int i = 0; i < 5; i++)
		s->send(peer, "x");
	EVENTUALLY(r.sessions[0].n_closed == 1);
	OK(r.sessions[0].n_texts == 1);
	OK(r.sessions[0].code == 4008);
	EVENTUALLY(s->code(peer) == 4008);
	OK(says(s->reason(peer), "as told"));
	s->drop(s, peer);
	ws_server_free(server);
	role_fini(&r);
}

static void opened_may_write_and_close(struct ws_suite *s)
{
	struct role r = { .greeting = "go away", .closes_on_open_with = 4029 };
	struct ws_server *server = start(s, &r);
	void *peer = s->connect(s, server);

	EVENTUALLY(s->code(peer) != 0);
	OK(s->code(peer) == 4029);
	OK(says(s->reason(peer), "at once"));
	OK(says(s->next(peer), "go away"));
	EVENTUALLY(r.sessions[0].n_closed == 1);
	OK(r.sessions[0].code == 4029);
	s->drop(s, peer);
	ws_server_free(server);
	role_fini(&r);
}

/* ---- back-pressure ---- */

/* Writes until refused; returns how many were taken. */
static unsigned fill(struct ws_suite *s, struct ws_conn *c, unsigned from)
{
	char text[1024], number[16];
	unsigned n = 0;
	int r = 0;

	memset(text, '.', sizeof(text));
	while (r == 0 && n < 100000) {
		snprintf(number, sizeof(number), "%08u", from + n);
		memcpy(text, number, 8);
		r = ws_conn_write(c, (struct str){ text, sizeof(text) });
		if (r == 0)
			n++;
	}
	OK(r == -EAGAIN);
	return n;
}

static unsigned drain(struct ws_suite *s, void *peer, unsigned from)
{
	const char *text;

	while ((text = s->next(peer))) {
		if (!OK((unsigned)atoi(text) == from))
			break;
		from++;
	}
	return from;
}

static void a_choked_peer_refuses_and_says_when_it_takes_again(struct ws_suite *s)
{
	struct role r = { 0 };
	struct ws_server *server = start(s, &r);
	void *peer = s->connect(s, server);
	struct session *session = &r.sessions[0];
	unsigned sent = 0, seen = 0;

	EVENTUALLY(r.n_opened == 1);
	for (int round = 0; round < 3; round++) {
		s->choke(peer, true);
		sent += fill(s, session->conn, sent);
		turns(s, 3);
		OK(session->n_writable == 0);
		OK(ws_conn_write(session->conn, STR("no")) == -EAGAIN);
		s->choke(peer, false);
		EVENTUALLY(session->n_writable == 1);
		session->n_writable = 0;
		/* One more in the same turn: the promise of writable(). */
		if (OK(ws_conn_write(session->conn, STR("99999999")) == 0))
			for (int i = 0; i < TURNS_MAX && seen < sent; i++) {
				s->turn(s);
				const char *text;

				while (seen < sent && (text = s->next(peer))) {
					if (!OK((unsigned)atoi(text) == seen))
						seen = sent;
					seen++;
				}
			}
		const char *last = NULL;

		EVENTUALLY((last = s->next(peer)) != NULL);
		OK(says(last, "99999999"));
		turns(s, 3);
		OK(session->n_writable == 0);
	}
	OK(seen == sent);
	s->drop(s, peer);
	ws_server_free(server);
	role_fini(&r);
}

static void a_close_waits_for_what_a_choked_peer_was_promised(struct ws_suite *s)
{
	struct role r = { 0 };
	struct ws_server *server = start(s, &r);
	void *peer = s->connect(s, server);
	unsigned sent, seen = 0;

	EVENTUALLY(r.n_opened == 1);
	s->choke(peer, true);
	sent = fill(s, r.sessions[0].conn, 0);
	ws_conn_close(r.sessions[0].conn, 4108, STR("slow consumer"));
	OK(ws_conn_write(r.sessions[0].conn, STR("no")) == -EPIPE);
	turns(s, 3);
	s->choke(peer, false);
	for (int i = 0; i < TURNS_MAX && s->code(peer) == 0; i++)
		s->turn(s);
	seen = drain(s, peer, 0);
	OK(seen == sent);
	OK(s->code(peer) == 4108);
	OK(says(s->reason(peer), "slow consumer"));
	EVENTUALLY(r.sessions[0].n_closed == 1);
	OK(r.sessions[0].code == 4108);
	OK(r.sessions[0].n_writable == 0);
	s->drop(s, peer);
	ws_server_free(server);
	role_fini(&r);
}

static void a_choked_peer_may_vanish(struct ws_suite *s)
{
	struct role r = { 0 };
	struct ws_server *server = start(s, &r);
	void *peer = s->connect(s, server);

	EVENTUALLY(r.n_opened == 1);
	s->choke(peer, true);
	fill(s, r.sessions[0].conn, 0);
	s->cut(peer);
	EVENTUALLY(r.sessions[0].n_closed == 1);
	OK(r.sessions[0].code == 1006);
	OK(r.sessions[0].n_writable == 0);
	s->drop(s, peer);
	ws_server_free(server);
	role_fini(&r);
}

/* ---- pause ---- */

static void a_pause_keeps_new_peers_out_and_old_ones_in(struct ws_suite *s)
{
	struct role r = { .echoes = true };
	struct ws_server *server = start(s, &r);
	void *old = s->connect(s, server), *fresh;
	const char *text = NULL;

	EVENTUALLY(r.n_opened == 1);
	ws_server_pause(server, true);
	fresh = s->connect(s, server);
	EVENTUALLY(s->code(fresh) == 1006);
	OK(r.n_opened == 1);
	s->drop(s, fresh);
	s->send(old, "still here");
	EVENTUALLY((text = s->next(old)) != NULL);
	OK(says(text, "still here"));
	ws_server_pause(server, false);
	fresh = s->connect(s, server);
	EVENTUALLY(r.n_opened == 2);
	s->drop(s, fresh);
	s->drop(s, old);
	ws_server_free(server);
	role_fini(&r);
}

/* ---- on the wire ---- */

#define FIN_TEXT   0x81
#define FIN_BINARY 0x82
#define TEXT       0x01
#define MORE       0x00
#define FIN_MORE   0x80
#define PING       0x89

static void fragments_make_one_message_with_a_ping_between(struct ws_suite *s)
{
	struct role r = { 0 };
	struct ws_server *server = start(s, &r);
	void *peer = s->connect(s, server);

	EVENTUALLY(r.n_opened == 1);
	s->frame(peer, TEXT, STR("one \xe2"));
	s->frame(peer, PING, STR("are you there"));
	s->frame(peer, MORE, STR("\x82"));
	s->frame(peer, MORE, STR(""));
	s->frame(peer, FIN_MORE, STR("\xac two"));
	s->frame(peer, FIN_TEXT, STR("next"));
	EVENTUALLY(r.sessions[0].n_texts == 2);
	OK(heard_texts(&r.sessions[0], "one \xe2\x82\xac two|next|"));
	EVENTUALLY(s->pongs(peer) == 1);
	OK(s->code(peer) == 0);
	s->drop(s, peer);
	ws_server_free(server);
	role_fini(&r);
}

static void a_ping_is_answered_and_heard(struct ws_suite *s)
{
	struct role r = { 0 };
	struct ws_server *server = start(s, &r);
	void *peer = s->connect(s, server);

	EVENTUALLY(r.n_opened == 1);
	turns(s, 3);
	r.sessions[0].n_heard = 0;
	s->frame(peer, PING, STR("p"));
	EVENTUALLY(s->pongs(peer) == 1);
	EVENTUALLY(r.sessions[0].n_heard == 1);
	s->drop(s, peer);
	ws_server_free(server);
	role_fini(&r);
}

static void expect_close(struct ws_suite *s, const char *what, int code, const int *firsts,
	const struct str *payloads, size_t n)
{
	struct role r = { 0 };
	struct ws_server *server = start(s, &r);
	void *peer = s->connect(s, server);
	unsigned before = s->failures;

	EVENTUALLY(r.n_opened == 1);
	for (size_t i = 0; i < n; i++)
		s->frame(peer, firsts[i], payloads[i]);
	EVENTUALLY(s->code(peer) != 0);
	OK(s->code(peer) == code);
	EVENTUALLY(r.sessions[0].n_closed == 1);
	OK(r.sessions[0].code == code);
	OK(r.sessions[0].n_texts == 0);
	if (s->failures != before)
		fprintf(stderr, "# %s: wanted %d, got %d and %d\n", what, code, s->code(peer),
			r.sessions[0].code);
	s->drop(s, peer);
	ws_server_free(server);
	role_fini(&r);
}

static void expect_close_1(
	struct ws_suite *s, const char *what, int code, int first, struct str payload)
{
	expect_close(s, what, code, &first, &payload, 1);
}

static void too_large_is_1009(struct ws_suite *s)
{
	static char large[MESSAGE_MAX + 1];
	const int firsts[] = { TEXT, MORE, FIN_MORE };
	struct str parts[] = { { large, MESSAGE_MAX / 2 }, { large, MESSAGE_MAX / 2 },
		{ large, 1 } };

	memset(large, 'x', sizeof(large));
	expect_close_1(s, "one byte more", 1009, FIN_TEXT, (struct str){ large, sizeof(large) });
	expect_close(s, "in fragments", 1009, firsts, parts, 3);
}

static void binary_is_1003(struct ws_suite *s)
{
	expect_close_1(s, "binary", 1003, FIN_BINARY, STR("\x01\x02"));
	expect_close_1(s, "empty binary", 1003, FIN_BINARY, STR(""));
}

static void bad_utf8_is_1007(struct ws_suite *s)
{
	const int firsts[] = { TEXT, FIN_MORE };
	const struct str split[] = { STR("ok \xe2\x82"), STR("\x28") };
	const struct str open_end[] = { STR("ok"), STR(" \xe2\x82") };

	expect_close_1(s, "a stray byte", 1007, FIN_TEXT, STR("ab\xff"));
	expect_close_1(s, "overlong", 1007, FIN_TEXT, STR("\xc0\xaf"));
	expect_close_1(s, "a surrogate", 1007, FIN_TEXT, STR("\xed\xa0\x80"));
	expect_close_1(s, "a character cut short", 1007, FIN_TEXT, STR("ab\xe2\x82"));
	expect_close(s, "over fragments", 1007, firsts, split, 2);
	expect_close(s, "cut short in the last fragment", 1007, firsts, open_end, 2);
}

static void bad_framing_is_1002(struct ws_suite *s)
{
	expect_close_1(s, "a reserved opcode", 1002, 0x83, STR("x"));
	expect_close_1(s, "a reserved bit", 1002, 0xc1, STR("x"));
	expect_close_1(s, "a stray continuation", 1002, FIN_MORE, STR("x"));
	expect_close_1(s, "a fragmented ping", 1002, 0x09, STR("x"));
}

static void a_close_without_a_code_is_1005(struct ws_suite *s)
{
	struct role r = { 0 };
	struct ws_server *server = start(s, &r);
	void *peer = s->connect(s, server);

	EVENTUALLY(r.n_opened == 1);
	s->frame(peer, 0x88, STR(""));
	EVENTUALLY(r.sessions[0].n_closed == 1);
	OK(r.sessions[0].code == 1005);
	s->drop(s, peer);
	ws_server_free(server);
	role_fini(&r);
}

static void a_full_server_says_503_and_a_crowded_address_429(struct ws_suite *s)
{
	struct role r = { 0 };
	struct ws_server_config config = { .listen = "127.0.0.1:0",
		.path = "/v1/ws",
		.subprotocol = "souk.v1.json",
		.message_max = MESSAGE_MAX,
		.conns_max = 2,
		.conns_per_address = 3 };

	for (int round = 0; round < 2; round++) {
		struct ws_server *server = s->start(s, &config, &OPS, &r);
		void *a = s->connect(s, server), *b, *c;
		unsigned n = r.n_opened;

		EVENTUALLY(r.n_opened == n + 1);
		b = s->connect(s, server);
		EVENTUALLY(r.n_opened == n + 2);
		c = s->connect(s, server);
		EVENTUALLY(s->status(c) != 0);
		OK(s->status(c) == (round == 0 ? 503 : 429));
		OK(r.n_opened == n + 2);
		s->drop(s, c);
		/* A place that becomes free is given again. */
		s->close(a, 1000);
		EVENTUALLY(r.sessions[n].n_closed == 1);
		c = s->connect(s, server);
		EVENTUALLY(r.n_opened == n + 3);
		s->drop(s, a);
		s->drop(s, b);
		s->drop(s, c);
		ws_server_free(server);
		config.conns_max = 3;
		config.conns_per_address = 2;
	}
	role_fini(&r);
}

#define CASE(fn) \
	{ \
#fn, false, fn \
	}
#define WIRE_CASE(fn) \
	{ \
#fn, true, fn \
	}

const struct ws_suite_case WS_SUITE_CASES[] = {
	CASE(a_peer_comes_and_goes),
	CASE(a_private_close_code_of_the_peer_is_delivered),
	CASE(a_cut_wire_is_1006),
	CASE(a_session_that_is_not_wanted_is_1011),
	CASE(peers_are_kept_apart),
	CASE(freeing_closes_all_with_1001_and_tells_nobody),
	CASE(a_message_is_answered),
	CASE(opened_may_write),
	CASE(many_messages_keep_their_order),
	CASE(the_largest_message_comes_and_goes_whole),
	CASE(a_control_frame_is_heard),
	CASE(a_close_code_and_its_reason_reach_the_peer),
	CASE(a_reason_of_123_bytes_is_whole),
	CASE(what_was_taken_before_the_close_arrives_before_it),
	CASE(closing_from_inside_text_ends_the_deliveries),
	CASE(opened_may_write_and_close),
	CASE(a_choked_peer_refuses_and_says_when_it_takes_again),
	CASE(a_close_waits_for_what_a_choked_peer_was_promised),
	CASE(a_choked_peer_may_vanish),
	CASE(a_pause_keeps_new_peers_out_and_old_ones_in),
	WIRE_CASE(fragments_make_one_message_with_a_ping_between),
	WIRE_CASE(a_ping_is_answered_and_heard),
	WIRE_CASE(too_large_is_1009),
	WIRE_CASE(binary_is_1003),
	WIRE_CASE(bad_utf8_is_1007),
	WIRE_CASE(bad_framing_is_1002),
	WIRE_CASE(a_close_without_a_code_is_1005),
	WIRE_CASE(a_full_server_says_503_and_a_crowded_address_429),
};
const size_t N_WS_SUITE_CASES = sizeof(WS_SUITE_CASES) / sizeof(WS_SUITE_CASES[0]);
