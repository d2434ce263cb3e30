/*
 * hiredis 0.14 has no time limits in its asynchronous API and no handshake; both are here. It also
 * frees a context by itself after it reported a failed connect or a disconnect, and only then, so
 * each path has one owner: we free what we close, hiredis what it lost. Whatever it still calls for
 * a context that is not ours any more finds `data` empty.
 *
 * A subscribed connection takes no PING: hiredis 0.14 would queue the answer's callback for ever.
 * Subscribing again to the same channel is answered, changes nothing, and serves the purpose.
 *
 * Names are resolved by hiredis with getaddrinfo(), which blocks: give addresses, or names that the
 * host itself knows.
 */
#include "common/io/cache_redis_link.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <hiredis/adapters/libev.h>

enum { TAG_HELLO = -1, TAG_HELLO_LAST = -2, TAG_PING = -3 };

/* ---- address ---- */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A NUL-terminated copy with %XX decoded; NULL when out of memory or malformed (errno). */
static char *text_of(struct str s, bool decode)
{
	char *text = malloc(s.n + 1);
	size_t n = 0;

	if (!text) {
		errno = ENOMEM;
		return NULL;
	}
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (decode && c == '%') {
			int high = i + 2 < s.n ? hex_digit(s.p[i + 1]) : -1;
			int low = i + 2 < s.n ? hex_digit(s.p[i + 2]) : -1;

			c = (char)(high * 16 + low);
			i += 2;
			if (high < 0 || low < 0)
				c = '\0';
		}
		if (!c) {
			free(text);
			errno = EINVAL;
			return NULL;
		}
		text[n++] = c;
	}
	text[n] = '\0';
	return text;
}

/* Cuts @s at the first @c: returns what is before it, leaves what is behind. Everything if there is
 * none, and *s becomes absent. */
static struct str cut(struct str *s, char c)
{
	const char *at = s->p ? memchr(s->p, c, s->n) : NULL;
	struct str head = *s;

	if (!at) {
		*s = STR_NONE;
		return head;
	}
	head.n = (size_t)(at - s->p);
	*s = (struct str){ at + 1, s->n - head.n - 1 };
	return head;
}

static int parse_db(struct redis_address *a, struct str text)
{
	uint64_t db;

	if (text.n == 0)
		return 0;
	if (str_to_u64(text, &db) || db > 65535)
		return -EINVAL;
	a->db = (int64_t)db;
	return 0;
}

static int parse_host(struct redis_address *a, struct str s)
{
	const char *end = s.n && s.p[0] == '[' ? memchr(s.p, ']', s.n) : NULL;
	struct str host, port;
	uint64_t number = 6379;

	if (end) {
		host = (struct str){ s.p + 1, (size_t)(end - s.p) - 1 };
		port = (struct str){ end + 1, s.n - host.n - 2 };
		if (port.n && *port.p != ':')
			return -EINVAL;
		cut(&port, ':');
	} else {
		port = s;
		host = cut(&port, ':');
	}
	if (host.n == 0 || (port.n && (str_to_u64(port, &number) || number == 0 || number > 65535)))
		return -EINVAL;
	a->port = (int)number;
	a->host = text_of(host, false);
	return a->host ? 0 : -errno;
}

static int parse_tcp(struct redis_address *a, struct str s)
{
	struct str authority, login = STR_NONE;
	const char *at;
	int err;

	authority = cut(&s, '/');
	at = memrchr(authority.p, '@', authority.n);
	if (at) {
		login = (struct str){ authority.p, (size_t)(at - authority.p) };
		authority = (struct str){ at + 1, authority.n - login.n - 1 };
	}
	err = parse_host(a, authority);
	if (err)
		return err;
	if (str_is_set(login)) {
		struct str user = cut(&login, ':');

		if (!str_is_set(login))
			return -EINVAL;
		if (user.n && !(a->user = text_of(user, true)))
			return -errno;
		if (login.n && !(a->password = text_of(login, true)))
			return -errno;
	}
	return parse_db(a, s);
}

static int parse_unix(struct redis_address *a, struct str s)
{
	struct str path = cut(&s, '?');

	if (path.n == 0 || path.p[0] != '/')
		return -EINVAL;
	a->path = text_of(path, false);
	if (!a->path)
		return -errno;
	while (str_is_set(s)) {
		struct str value = cut(&s, '&');
		struct str name = cut(&value, '=');

		if (str_eqz(name, "db") && !parse_db(a, value))
			continue;
		if (!str_eqz(name, "password") || value.n == 0 || a->password)
			return -EINVAL;
		a->password = text_of(value, true);
		if (!a->password)
			return -errno;
	}
	return 0;
}

int redis_address_parse(struct redis_address *ret, const char *url, struct fault *f)
{
	struct str s = str_of(url);
	int err = -EINVAL;

	*ret = (struct redis_address){ .port = 0 };
	if (str_starts(s, STR("redis://")))
		err = parse_tcp(ret, (struct str){ s.p + 8, s.n - 8 });
	else if (str_starts(s, STR("unix://")))
		err = parse_unix(ret, (struct str){ s.p + 7, s.n - 7 });
	if (!err)
		return 0;
	redis_address_fini(ret);
	if (err == -ENOMEM)
		return fault_set(f, FAULT_RETRY, err, "redis.url: out of memory");
	return fault_set(f, FAULT_FATAL, err,
		"redis.url: not redis://[[user]:password@]host[:port][/db] or "
		"unix:///path[?db=n&password=p]");
}

void redis_address_fini(struct redis_address *a)
{
	free(a->host);
	free(a->path);
	free(a->user);
	free(a->password);
	*a = (struct redis_address){ .port = 0 };
}

/* ---- link ---- */

static void lost(struct redis_link *l, enum redis_lost why)
{
	redis_link_close(l);
	l->ops->lost(l->ctx, why);
}

static void progress(struct redis_link *l)
{
	l->progress_us = loop_mono_us(l->loop);
}

static void on_reply(redisAsyncContext *ac, void *r, void *privdata)
{
	struct redis_link *l = ac->data;
	const redisReply *reply = r;
	int tag = (int)(intptr_t)privdata;

	if (!l || !reply)
		return;
	assert(l->due > 0);
	l->due--;
	progress(l);
	if (tag >= 0)
		l->ops->reply(l->ctx, tag, reply);
	else if (reply->type == REDIS_REPLY_ERROR)
		lost(l, REDIS_LOST_REFUSED);
	else if (tag == TAG_HELLO_LAST)
		l->ops->ready(l->ctx);
}

static void on_push(redisAsyncContext *ac, void *r, void *privdata)
{
	struct redis_link *l = ac->data;
	const redisReply *reply = r;
	const redisReply *kind;

	(void)privdata;
	if (!l || !reply)
		return;
	progress(l);
	kind = reply->type == REDIS_REPLY_ARRAY && reply->elements == 3 ? reply->element[0] : NULL;
	if (!kind || kind->type != REDIS_REPLY_STRING) {
		lost(l, REDIS_LOST_REFUSED);
	} else if (!strcmp(kind->str, "message")) {
		l->ops->message(l->ctx, reply->element[2]);
	} else if (!strcmp(kind->str, "subscribe")) {
		bool is_first = !l->is_subscribed;

		if (l->due)
			l->due--;
		l->is_subscribed = true;
		if (is_first)
			l->ops->message(l->ctx, NULL);
	}
}

static void on_connect(const redisAsyncContext *ac, int status)
{
	struct redis_link *l = ac->data;

	if (!l || status == REDIS_OK)
		return;
	l->ac->data = NULL;
	l->ac = NULL; /* hiredis frees it */
	lost(l, REDIS_LOST_CONNECT);
}

static void on_disconnect(const redisAsyncContext *ac, int status)
{
	struct redis_link *l = ac->data;

	(void)status;
	if (!l)
		return;
	l->ac->data = NULL;
	l->ac = NULL; /* hiredis frees it */
	lost(l, REDIS_LOST_CLOSED);
}

void redis_link_init(struct redis_link *l, struct loop *loop, const struct redis_address *address,
	const struct redis_link_ops *ops, void *ctx)
{
	*l = (struct redis_link){ .loop = loop, .address = address, .ops = ops, .ctx = ctx };
}

static int command(struct redis_link *l, int tag, int argc, const char **argv)
{
	void *privdata = (void *)(intptr_t)tag;

	if (redisAsyncCommandArgv(l->ac, on_reply, privdata, argc, argv, NULL) != REDIS_OK)
		return -EIO;
	if (l->due++ == 0)
		progress(l);
	return 0;
}

static int hello(struct redis_link *l)
{
	const struct redis_address *a = l->address;
	char db[24];
	int err = 0;

	if (a->password && a->user)
		err = command(l, TAG_HELLO, 3, (const char *[]){ "AUTH", a->user, a->password });
	else if (a->password)
		err = command(l, TAG_HELLO, 2, (const char *[]){ "AUTH", a->password });
	if (!err && a->db) {
		snprintf(db, sizeof(db), "%lld", (long long)a->db);
		err = command(l, TAG_HELLO, 2, (const char *[]){ "SELECT", db });
	}
	/* A server that is still loading its data, or wants a password, says so here. */
	if (!err)
		err = command(l, TAG_HELLO_LAST, 1, (const char *[]){ "PING" });
	return err;
}

int redis_link_open(struct redis_link *l)
{
	const struct redis_address *a = l->address;
	redisAsyncContext *ac;
	int err;

	assert(!l->ac);
	errno = 0;
	ac = a->path ? redisAsyncConnectUnix(a->path) : redisAsyncConnect(a->host, a->port);
	if (!ac)
		return -ENOMEM;
	if (ac->err) {
		err = ac->err == REDIS_ERR_IO && errno ? -errno : -ECONNREFUSED;
		redisAsyncFree(ac);
		return err;
	}
	l->ac = ac;
	l->due = 0;
	l->channel = NULL;
	l->is_subscribed = false;
	progress(l);
	ac->data = l;
	redisLibevAttach(loop_ev(l->loop), ac);
	redisAsyncSetConnectCallback(ac, on_connect);
	redisAsyncSetDisconnectCallback(ac, on_disconnect);
	err = hello(l);
	if (err)
		redis_link_close(l);
	return err;
}

void redis_link_close(struct redis_link *l)
{
	redisAsyncContext *ac = TAKE(l->ac);

	if (!ac)
		return;
	ac->data = NULL;
	redisAsyncFree(ac);
}

int redis_link_send(struct redis_link *l, int tag, const char *wire, size_t n)
{
	void *privdata = (void *)(intptr_t)tag;

	assert(tag >= 0 && !l->channel);
	if (redisAsyncFormattedCommand(l->ac, on_reply, privdata, wire, n) != REDIS_OK)
		return -EIO;
	if (l->due++ == 0)
		progress(l);
	return 0;
}

int redis_link_subscribe(struct redis_link *l, const char *channel)
{
	const char *argv[] = { "SUBSCRIBE", channel };

	l->channel = channel;
	if (redisAsyncCommandArgv(l->ac, on_push, NULL, 2, argv, NULL) != REDIS_OK)
		return -EIO;
	if (l->due++ == 0)
		progress(l);
	return 0;
}

void redis_link_tick(struct redis_link *l)
{
	int64_t silent_ms;
	int err = 0;

	if (!l->ac)
		return;
	silent_ms = (loop_mono_us(l->loop) - l->progress_us) / 1000;
	if (l->due && silent_ms >= REDIS_LINK_LIMIT_MS) {
		lost(l, REDIS_LOST_TIMEOUT);
		return;
	}
	if (l->due || silent_ms < REDIS_LINK_IDLE_MS)
		return;
	if (l->is_subscribed)
		err = redis_link_subscribe(l, l->channel);
	else
		err = command(l, TAG_PING, 1, (const char *[]){ "PING" });
	if (err)
		lost(l, REDIS_LOST_CLOSED);
}

void redis_link_forgive(struct redis_link *l)
{
	progress(l);
}
