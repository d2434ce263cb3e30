/*
 * The conformance suite and the faults that only a real server has, against a private redis-server
 * on a unix socket (and, for one case, a TCP port) in a temporary folder. Prints TAP. Needs
 * redis-server in PATH; skips everything without it.
 */
#include <errno.h>
#include <hiredis/hiredis.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/metrics.h"
#include "common/io/cache.h"
#include "tests/conformance/cache_suite.h"

#define VER_1 "00000000000000000001.00000000000000000000.00000000000000000000.00000000000000000000"
#define VER_2 "00000000000000000002.00000000000000000000.00000000000000000000.00000000000000000000"

static struct server {
	char folder[64];
	char socket[96];
	char url[128];
	char port[8];
	pid_t pid;
	struct loop *loop;
	struct metrics *metrics;
	struct loop_timer *stop;
} server;

static int n_tests, n_failed;
static bool is_case_bad;

static void report(const char *name, const char *failure)
{
	bool is_ok = !failure[0];

	printf("%s %d - %s%s%s\n", is_ok ? "ok" : "not ok", ++n_tests, name, is_ok ? "" : " # ",
		failure);
	fflush(stdout);
	n_failed += !is_ok;
}

#define CHECK(cond) \
	do { \
		if (!(cond)) { \
			printf("# line %d: %s\n", __LINE__, #cond); \
			is_case_bad = true; \
		} \
	} while (0)

/* ---- the server ---- */

static redisReply *ask(const char *command)
{
	redisContext *ctx = redisConnectUnix(server.socket);
	redisReply *reply = NULL;

	if (ctx && !ctx->err)
		reply = redisCommand(ctx, command);
	redisFree(ctx);
	return reply;
}

static bool tell(const char *command)
{
	redisReply *reply = ask(command);
	bool is_ok = reply && reply->type != REDIS_REPLY_ERROR;

	if (reply)
		freeReplyObject(reply);
	return is_ok;
}

static bool server_start(void)
{
	server.pid = fork();
	if (server.pid == 0) {
		if (!freopen("/dev/null", "w", stdout))
			_exit(126);
		execlp("redis-server", "redis-server", "--port", server.port, "--bind", "127.0.0.1",
			"--unixsocket", server.socket, "--save", "", "--appendonly", "no", "--dir",
			server.folder, "--maxmemory-policy", "noeviction", (char *)NULL);
		_exit(127);
	}
	for (int i = 0; i < 500; i++) {
		if (tell("PING"))
			return true;
		if (waitpid(server.pid, NULL, WNOHANG) == server.pid)
			break;
		usleep(10000);
	}
	return false;
}

static void server_stop(void)
{
	if (server.pid <= 0)
		return;
	kill(server.pid, SIGKILL);
	waitpid(server.pid, NULL, 0);
	server.pid = 0;
	unlink(server.socket);
}

/* A port that was free a moment ago. */
static int free_port(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, n) ||
		getsockname(fd, (struct sockaddr *)&a, &n))
		a.sin_port = 0;
	close(fd);
	return ntohs(a.sin_port);
}

/* ---- harness ---- */

static void on_stop(void *ctx)
{
	(void)ctx;
	loop_stop(server.loop);
}

static void pump(void *ctx)
{
	(void)ctx;
	loop_timer_start(server.stop, 10);
	loop_run(server.loop);
}

static struct cache *make_url(const char *url)
{
	struct cache *c = NULL;
	struct fault f = { .kind = FAULT_NONE };

	if (cache_redis_new(&c, server.loop, url, server.metrics, &f)) {
		printf("Bail out! %s\n", f.text);
		exit(1);
	}
	return c;
}

static struct cache *make(void *ctx)
{
	(void)ctx;
	return make_url(server.url);
}

static void down(void *ctx)
{
	(void)ctx;
	server_stop();
}

static void up(void *ctx)
{
	(void)ctx;
	if (!server_start()) {
		printf("Bail out! redis-server did not start again\n");
		exit(1);
	}
}

static void flush(void *ctx)
{
	(void)ctx;
	CHECK(tell("FLUSHALL"));
}

static void run_suite(void)
{
	static const struct {
		const char *name;
		void (*fn)(struct cache_harness *h);
	} cases[] = {
#define X(name) { #name, cache_suite_##name },
		CACHE_SUITE(X)
#undef X
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct cache_harness h = {
			.make = make, .pump = pump, .down = down, .up = up, .flush = flush
		};

		tell("FLUSHALL");
		cases[i].fn(&h);
		report(cases[i].name, h.failure);
	}
}

/* ---- what only a real server does ---- */

static bool wait_up(struct cache *c, bool up_wanted)
{
	for (int i = 0; i < 600 && cache_is_up(c) != up_wanted; i++)
		pump(NULL);
	return cache_is_up(c) == up_wanted;
}

struct log {
	char seen[16];
	size_t n;
	int err;
};

static void on_write(void *ctx, int err, enum cache_outcome outcome)
{
	struct log *l = ctx;

	l->err = err;
	l->seen[l->n++] = err ? 'e' : outcome == CACHE_APPLIED ? 'a' : 's';
}

static void on_read(void *ctx, int err, const struct cache_row *rows, size_t n)
{
	struct log *l = ctx;

	l->err = err;
	l->seen[l->n++] = err || !n                        ? 'e'
			  : rows[0].state == CACHE_MISSING ? '-'
							   : row_get(&rows[0].row, "a").p[0];
}

static void on_bool(void *ctx, int err, bool yes)
{
	struct log *l = ctx;

	l->err = err;
	l->seen[l->n++] = err ? 'e' : yes ? 'y' : 'n';
}

static void write_a(struct cache *c, const char *ver, struct str value, struct log *l)
{
	struct row row = { .n = 1, .field[0] = { STR("a"), value } };
	struct cache_write w = {
		.key = STR("profile:{u}"), .ver = str_of(ver), .gen = 1, .row = &row
	};

	CHECK(cache_write(c, &w, on_write, l) == 0);
}

static void read_a(struct cache *c, struct log *l)
{
	struct str key = STR("profile:{u}");

	CHECK(cache_read(c, &key, 1, on_read, l) == 0);
}

static void await(struct log *l, size_t n)
{
	for (int i = 0; i < 600 && l->n < n; i++)
		pump(NULL);
	CHECK(l->n == n);
}

static void lost_scripts_are_loaded_again_and_order_is_kept(void)
{
	CLEANUP(cache_free) struct cache *c = make(NULL);
	struct log l = { .n = 0 };

	CHECK(wait_up(c, true));
	CHECK(tell("SCRIPT FLUSH"));
	read_a(c, &l);
	write_a(c, VER_1, STR("1"), &l);
	read_a(c, &l);
	write_a(c, VER_1, STR("x"), &l);
	CHECK(cache_lease_take(c, STR("gw:{1}"), STR("v"), 60000, on_bool, &l) == 0);
	write_a(c, VER_2, STR("2"), &l);
	read_a(c, &l);
	await(&l, 7);
	CHECK(!strcmp(l.seen, "-a1sya2"));
	CHECK(cache_in_flight(c) == 0);
	CHECK(metrics_value(server.metrics, "souk_cache_resends_total", NULL) == 1);
}

/* While the long pipe is emptied, new commands come; they must stay behind it. */
static void commands_given_while_scripts_are_loaded_again_wait_their_turn(void)
{
	static struct str keys[CACHE_KEYS_MAX];
	CLEANUP(cache_free) struct cache *c = make(NULL);
	struct log l = { .n = 0 };

	for (size_t i = 0; i < CACHE_KEYS_MAX; i++)
		keys[i] = STR("profile:{u}");
	CHECK(wait_up(c, true));
	CHECK(tell("SCRIPT FLUSH"));
	write_a(c, VER_1, STR("1"), &l);
	for (int i = 0; i < 10; i++)
		CHECK(cache_read(c, keys, CACHE_KEYS_MAX, on_read, &l) == 0);
	pump(NULL);
	CHECK(l.n == 0);
	write_a(c, VER_2, STR("2"), &l);
	read_a(c, &l);
	await(&l, 13);
	CHECK(!strcmp(l.seen, "a1111111111a2"));
	CHECK(cache_in_flight(c) == 0);
}

static void a_silent_server_is_given_up_after_two_seconds(void)
{
	CLEANUP(cache_free) struct cache *c = make(NULL);
	struct log l = { .n = 0 };

	CHECK(wait_up(c, true));
	kill(server.pid, SIGSTOP);
	read_a(c, &l);
	await(&l, 1);
	CHECK(l.err == -ECONNRESET);
	CHECK(!cache_is_up(c));
	kill(server.pid, SIGCONT);
	CHECK(wait_up(c, true));
}

static void a_silent_server_is_noticed_without_a_command(void)
{
	CLEANUP(cache_free) struct cache *c = make(NULL);

	CHECK(wait_up(c, true));
	kill(server.pid, SIGSTOP);
	CHECK(wait_up(c, false));
	kill(server.pid, SIGCONT);
	CHECK(wait_up(c, true));
}

static void on_changed(void *ctx, struct str key)
{
	struct log *l = ctx;

	if (l->n < sizeof(l->seen) - 1)
		l->seen[l->n++] = str_is_set(key) ? 'k' : '*';
}

static void a_killed_invalidation_connection_forgets_everything(void)
{
	static const char *const prefixes[] = { "profile:", "feed:" };
	CLEANUP(cache_free) struct cache *c = make(NULL);
	struct log changes = { .n = 0 }, l = { .n = 0 };

	CHECK(cache_track(c, prefixes, 2, on_changed, &changes) == 0);
	CHECK(wait_up(c, true));
	CHECK(tell("CLIENT KILL TYPE pubsub"));
	await(&changes, 3);
	CHECK(wait_up(c, true));
	write_a(c, VER_1, STR("1"), &l);
	await(&changes, 4);
	CHECK(!strcmp(changes.seen, "***k"));
}

static void an_idle_connection_is_kept(void)
{
	static const char *const prefixes[] = { "profile:" };
	CLEANUP(cache_free) struct cache *c = make(NULL);
	struct log changes = { .n = 0 };

	CHECK(cache_track(c, prefixes, 1, on_changed, &changes) == 0);
	CHECK(wait_up(c, true));
	for (int i = 0; i < 350; i++)
		pump(NULL);
	CHECK(cache_is_up(c));
	CHECK(changes.n == 1);
}

static void a_server_out_of_memory_refuses_and_loses_nothing(void)
{
	CLEANUP(cache_free) struct cache *c = make(NULL);
	struct log l = { .n = 0 };

	CHECK(wait_up(c, true));
	write_a(c, VER_1, STR("1"), &l);
	await(&l, 1);
	CHECK(tell("CONFIG SET maxmemory 1"));
	write_a(c, VER_2, STR("2"), &l);
	await(&l, 2);
	CHECK(l.err == -ENOSPC);
	CHECK(tell("CONFIG SET maxmemory 0"));
	read_a(c, &l);
	await(&l, 3);
	CHECK(!strcmp(l.seen, "ae1"));
}

static void a_lease_is_not_a_hash(void)
{
	CLEANUP(cache_free) struct cache *c = make(NULL);
	struct str key = STR("gw:{1}");
	struct log l = { .n = 0 };

	CHECK(wait_up(c, true));
	CHECK(cache_lease_take(c, key, STR("v"), 60000, on_bool, &l) == 0);
	CHECK(cache_read(c, &key, 1, on_read, &l) == 0);
	await(&l, 2);
	CHECK(l.err == -EIO);
	CHECK(cache_is_up(c));
}

static void a_password_lets_in_and_a_wrong_one_does_not(void)
{
	char url[256];

	CHECK(tell("CONFIG SET requirepass p@ss"));
	snprintf(url, sizeof(url), "unix://%s?password=p%%40ss", server.socket);
	CLEANUP(cache_free) struct cache *good = make_url(url);
	snprintf(url, sizeof(url), "redis://:wrong@127.0.0.1:%s/0", server.port);
	CLEANUP(cache_free) struct cache *bad = make_url(url);
	CLEANUP(cache_free) struct cache *none = make(NULL);
	int64_t refused = metrics_value(server.metrics, "souk_cache_lost_total", "refused");

	CHECK(wait_up(good, true));
	for (int i = 0; i < 20; i++)
		pump(NULL);
	CHECK(!cache_is_up(bad) && !cache_is_up(none));
	CHECK(metrics_value(server.metrics, "souk_cache_lost_total", "refused") > refused);
	snprintf(url, sizeof(url), "redis://default:p%%40ss@localhost:%s", server.port);
	CLEANUP(cache_free) struct cache *user = make_url(url);

	CHECK(wait_up(user, true));
	server_stop();
	CHECK(server_start());
}

static void tcp_and_a_database_of_its_own(void)
{
	char url[128];
	struct log l = { .n = 0 };

	snprintf(url, sizeof(url), "redis://127.0.0.1:%s/3", server.port);
	CLEANUP(cache_free) struct cache *three = make_url(url);
	CLEANUP(cache_free) struct cache *zero = make(NULL);

	CHECK(wait_up(three, true) && wait_up(zero, true));
	write_a(three, VER_1, STR("3"), &l);
	await(&l, 1);
	read_a(zero, &l);
	await(&l, 2);
	read_a(three, &l);
	await(&l, 3);
	CHECK(!strcmp(l.seen, "a-3"));
}

static void a_bad_url_is_a_fault_without_the_password(void)
{
	static const char *const bad[] = { "", "http://x", "redis://", "redis://:secret@",
		"redis://h:0", "redis://h:65536", "redis://h:6379/x", "redis://secret@h",
		"redis://:se%zzcret@h", "unix://x", "unix://", "unix:///s?db=secret",
		"unix:///s?secret=1", "redis://[::1", "redis://h:6379/65536" };
	struct cache *c = NULL;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct fault f = { .kind = FAULT_NONE };

		if (cache_redis_new(&c, server.loop, bad[i], server.metrics, &f) != -EINVAL)
			printf("# %s was taken\n", bad[i]);
		CHECK(f.kind == FAULT_FATAL && f.text[0] && !strstr(f.text, "secret"));
	}
	CHECK(c == NULL);
}

static void a_server_that_is_not_there_yet_is_found_later(void)
{
	server_stop();
	CLEANUP(cache_free) struct cache *c = make(NULL);

	for (int i = 0; i < 20; i++)
		pump(NULL);
	CHECK(!cache_is_up(c));
	CHECK(server_start());
	CHECK(wait_up(c, true));
}

static void run_faults(void)
{
#define X(name) { #name, name },
	static const struct {
		const char *name;
		void (*fn)(void);
	} cases[] = {
		X(lost_scripts_are_loaded_again_and_order_is_kept) X(
			commands_given_while_scripts_are_loaded_again_wait_their_turn)
			X(a_silent_server_is_given_up_after_two_seconds) X(
				a_silent_server_is_noticed_without_a_command)
				X(a_killed_invalidation_connection_forgets_everything) X(
					an_idle_connection_is_kept)
					X(a_server_out_of_memory_refuses_and_loses_nothing) X(
						a_lease_is_not_a_hash)
						X(a_password_lets_in_and_a_wrong_one_does_not) X(
							tcp_and_a_database_of_its_own)
							X(a_bad_url_is_a_fault_without_the_password)
								X(a_server_that_is_not_there_yet_is_found_later)
	};
#undef X

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		is_case_bad = false;
		tell("FLUSHALL");
		cases[i].fn();
		report(cases[i].name, is_case_bad ? "see above" : "");
	}
}

int main(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(server.folder, sizeof(server.folder), "%.30s/souk-redis-XXXXXX",
		tmp ? tmp : "/tmp");
	if (!mkdtemp(server.folder))
		return 1;
	snprintf(server.socket, sizeof(server.socket), "%s/s", server.folder);
	snprintf(server.url, sizeof(server.url), "unix://%s?db=0", server.socket);
	snprintf(server.port, sizeof(server.port), "%d", free_port());
	if (!server_start()) {
		printf("1..0 # SKIP no redis-server\n");
		rmdir(server.folder);
		return 0;
	}
	if (loop_ev_new(&server.loop) || metrics_new(&server.metrics, 64))
		return 1;
	server.stop = loop_timer_new(server.loop, on_stop, NULL);
	run_suite();
	run_faults();
	printf("1..%d\n", n_tests);
	loop_timer_free(server.stop);
	metrics_free(server.metrics);
	loop_free(server.loop);
	server_stop();
	rmdir(server.folder);
	return n_failed ? 1 : 0;
}
