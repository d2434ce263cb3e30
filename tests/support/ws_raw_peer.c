#include "tests/support/ws_raw_peer.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/buf.h"

#define IN_MAX (64 * 1024 * 1024)

struct ws_raw_peer {
	int fd;
	struct buf in; /* from the socket, not yet parsed */
	size_t in_at;
	struct buf answer, texts; /* texts: messages, each with its NUL */
	size_t texts_at;
	int status, code;
	char reason[124];
	unsigned pongs;
	bool is_choked, is_ended;
};

struct ws_raw_peer *ws_raw_peer_connect(int port, const char *head)
{
	struct ws_raw_peer *p = calloc(1, sizeof(*p));
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int small = 32768, on = 1, r;

	assert(p);
	p->in = p->answer = p->texts = BUF_INIT(IN_MAX);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	p->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert(p->fd >= 0);
	/* So that choking takes kilobytes and not megabytes. */
	setsockopt(p->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	setsockopt(p->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	r = connect(p->fd, (struct sockaddr *)&to, sizeof(to));
	if (r && errno != EINPROGRESS) {
		p->is_ended = true; /* nobody listens */
		p->code = 1006;
	} else if (head) {
		struct pollfd wait = { .fd = p->fd, .events = POLLOUT };

		poll(&wait, 1, 1000);
		ws_raw_peer_write(p, str_of(head));
	}
	return p;
}

struct ws_raw_peer *ws_raw_peer_free(struct ws_raw_peer *p)
{
	if (!p)
		return NULL;
	if (p->fd >= 0)
		close(p->fd);
	buf_fini(&p->in);
	buf_fini(&p->answer);
	buf_fini(&p->texts);
	free(p);
	return NULL;
}

void ws_raw_peer_write(struct ws_raw_peer *p, struct str bytes)
{
	while (bytes.n && !p->is_ended) {
		ssize_t n = send(p->fd, bytes.p, bytes.n, MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN) {
			struct pollfd wait = { .fd = p->fd, .events = POLLOUT };

			/* The server runs in this thread: what does not fit now never will. */
			if (poll(&wait, 1, 0) != 1)
				return;
			continue;
		}
		if (n < 0)
			return;
		bytes.p += n;
		bytes.n -= (size_t)n;
	}
}

void ws_raw_peer_frame(struct ws_raw_peer *p, int first, struct str payload)
{
	static const unsigned char MASK[4] = { 0x12, 0x34, 0x56, 0x78 };
	CLEANUP(buf_fini) struct buf out = BUF_INIT(IN_MAX);

	buf_putc(&out, (char)first);
	if (payload.n < 126) {
		buf_putc(&out, (char)(0x80 | payload.n));
	} else if (payload.n < 65536) {
		buf_putc(&out, (char)(0x80 | 126));
		buf_putc(&out, (char)(payload.n >> 8));
		buf_putc(&out, (char)payload.n);
	} else {
		buf_putc(&out, (char)(0x80 | 127));
		for (int shift = 56; shift >= 0; shift -= 8)
			buf_putc(&out, (char)((uint64_t)payload.n >> shift));
	}
	buf_put(&out, MASK, 4);
	for (size_t i = 0; i < payload.n; i++)
		buf_putc(&out, (char)((unsigned char)payload.p[i] ^ MASK[i & 3]));
	ws_raw_peer_write(p, buf_str(&out));
}

void ws_raw_peer_close(struct ws_raw_peer *p, int code)
{
	char body[2] = { (char)(code >> 8), (char)code };

	ws_raw_peer_frame(p, 0x88, (struct str){ body, code ? 2 : 0 });
}

void ws_raw_peer_cut(struct ws_raw_peer *p)
{
	struct linger reset = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(p->fd);
	p->fd = -1;
	p->is_ended = true;
	if (!p->code)
		p->code = 1006;
}

void ws_raw_peer_half_close(struct ws_raw_peer *p)
{
	shutdown(p->fd, SHUT_WR);
}

void ws_raw_peer_choke(struct ws_raw_peer *p, bool choked)
{
	p->is_choked = choked;
}

static void on_frame(struct ws_raw_peer *p, int opcode, struct str payload)
{
	if (opcode == 1) {
		buf_puts(&p->texts, payload);
		buf_putc(&p->texts, '\0');
	} else if (opcode == 10) {
		p->pongs++;
	} else if (opcode == 8 && !p->code) {
		p->code = 1005;
		if (payload.n >= 2) {
			p->code = (unsigned char)payload.p[0] << 8 | (unsigned char)payload.p[1];
			memcpy(p->reason, payload.p + 2, payload.n - 2);
			ws_raw_peer_frame(p, 0x88, (struct str){ payload.p, 2 });
		}
	}
}

/* False while the next frame is not whole. Servers send each message in one frame. */
static bool parse_frame(struct ws_raw_peer *p)
{
	const unsigned char *b = (const unsigned char *)p->in.p + p->in_at;
	size_t have = p->in.n - p->in_at, head = 2, n;

	if (have < 2)
		return false;
	n = b[1] & 0x7f;
	if (n >= 126) {
		size_t bytes = n == 126 ? 2 : 8;

		head += bytes;
		if (have < head)
			return false;
		n = 0;
		for (size_t i = 0; i < bytes; i++)
			n = n << 8 | b[2 + i];
	}
	if (have < head + n)
		return false;
	p->in_at += head + n;
	on_frame(p, b[0] & 0xf, (struct str){ (const char *)b + head, n });
	return true;
}

static void parse_answer(struct ws_raw_peer *p)
{
	const char *end;

	if (!p->in.n || !(end = memmem(p->in.p, p->in.n, "\r\n\r\n", 4)))
		return;
	p->status = p->in.n > 12 ? atoi(p->in.p + 9) : -1;
	p->in_at = p->status == 101 ? (size_t)(end + 4 - p->in.p) : p->in.n;
	buf_put(&p->answer, p->in.p, p->in_at);
}

void ws_raw_peer_pump(struct ws_raw_peer *p)
{
	char chunk[16384];
	ssize_t n;

	while (!p->is_choked && !p->is_ended) {
		n = recv(p->fd, chunk, sizeof(chunk), 0);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (n <= 0) {
			p->is_ended = true;
			break;
		}
		if (p->status && p->status != 101)
			buf_put(&p->answer, chunk, (size_t)n);
		else
			buf_put(&p->in, chunk, (size_t)n);
	}
	if (!p->status)
		parse_answer(p);
	while (p->status == 101 && parse_frame(p))
		;
	if (p->is_ended && !p->code)
		p->code = 1006;
}

const char *ws_raw_peer_answer(const struct ws_raw_peer *p)
{
	struct buf *b = (struct buf *)&p->answer;

	buf_putc(b, '\0');
	b->n--;
	return b->p;
}

int ws_raw_peer_status(const struct ws_raw_peer *p)
{
	return p->status;
}

const char *ws_raw_peer_next(struct ws_raw_peer *p)
{
	const char *text;

	if (p->texts_at == p->texts.n)
		return NULL;
	text = p->texts.p + p->texts_at;
	p->texts_at += strlen(text) + 1;
	return text;
}

unsigned ws_raw_peer_pongs(const struct ws_raw_peer *p)
{
	return p->pongs;
}

int ws_raw_peer_code(const struct ws_raw_peer *p)
{
	return p->code;
}

const char *ws_raw_peer_reason(const struct ws_raw_peer *p)
{
	return p->reason;
}

bool ws_raw_peer_is_ended(const struct ws_raw_peer *p)
{
	return p->is_ended;
}
