#include "souk/demo/run_folder.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/crypto.h"
#include "souk/demo/frames.h"

const char *const run_roles[RUN_ROLES] = { "ws-server", "pricing", "bidding", "connectors",
	"wallet-bridge" };

/* Payments that one can watch: most are through in two seconds, few go wrong, and one that nobody
 * pays gives its unit back while the run lasts. */
#define WALLET_STEP_MS        400
#define WALLET_RESERVATION_MS 6000
#define WALLET_FAIL_BPS       300
#define WALLET_HOLD_BPS       200
#define WALLET_NEVER_BPS      200

/* A free port, and the socket that keeps it so; -1: none. */
static int hold_port(int *ret_fd)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(a);

	*ret_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (*ret_fd < 0 || bind(*ret_fd, (struct sockaddr *)&a, sizeof(a)) < 0 ||
		getsockname(*ret_fd, (struct sockaddr *)&a, &n) < 0)
		return -1;
	return ntohs(a.sin_port);
}

static int write_file(const char *folder, const char *name, const char *text, struct fault *f)
{
	char path[320];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	const size_t n = strlen(text);

	if (fd < 0)
		return fault_set(f, FAULT_FATAL, -errno, "%s: %s", path, strerror(errno));
	errno = ENOSPC; /* what a short write means */
	const bool is_written = write(fd, text, n) == (ssize_t)n;
	const int error = errno;

	if (close(fd) == 0 && is_written)
		return 0;
	return fault_set(f, FAULT_FATAL, -EIO, "%s: %s", path, strerror(error));
}

static int make_secrets(struct run_folder *r, struct fault *f)
{
	uint8_t bytes[80];
	char text[200], keys[300];

	if (crypto_random(bytes, sizeof(bytes)))
		return fault_set(f, FAULT_FATAL, -EIO, "no randomness");
	base64url_encode(text, bytes, 48);
	int e = write_file(r->path, "jwt.secret", text, f);

	if (e)
		return e;
	base64url_encode(text, bytes + 48, 32);
	snprintf(keys, sizeof(keys), "{\"keys\":[{\"kid\":\"demo-1\",\"secret\":\"%s\"}]}\n", text);
	hex_encode(r->stream_token, bytes, 16);
	return write_file(r->path, "quote.keys", keys, f);
}

/* Fixed for the run, so that a restarted child is found where it was. All are held until the last
 * is found: no two are the same. */
static int pick_ports(struct run_folder *r, const struct demo_options *o)
{
	int *const ports[] = { &r->ws_port, &r->stream_port, &r->http_port, &r->admin_port[0],
		&r->admin_port[1], &r->admin_port[2], &r->admin_port[3], &r->admin_port[4],
		&r->world_admin_port, &r->shoppers_admin_port, &r->storefront_admin_port };
	int fds[ARRAY_LEN(ports)];
	int e = 0;

	for (size_t i = 0; i < ARRAY_LEN(ports); i++)
		if ((*ports[i] = hold_port(&fds[i])) < 0)
			e = -EADDRNOTAVAIL;
	for (size_t i = 0; i < ARRAY_LEN(ports); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	if (o->ws_port)
		r->ws_port = o->ws_port;
	if (o->http_port)
		r->http_port = o->http_port;
	return e;
}

int run_folder_make(
	struct run_folder *r, const struct demo_options *o, int64_t now_ms, struct fault *f)
{
	const char *tmp = getenv("TMPDIR");

	*r = (struct run_folder){ .start_ms = now_ms };
	/* Short: a unix socket's path has 108 bytes. */
	snprintf(r->path, sizeof(r->path), "%s/souk-XXXXXX",
		tmp && *tmp && strlen(tmp) < 60 ? tmp : "/tmp");
	if (!mkdtemp(r->path))
		return fault_set(f, FAULT_FATAL, -errno, "%s: %s", r->path, strerror(errno));
	snprintf(r->config_path, sizeof(r->config_path), "%s/souk.yaml", r->path);
	snprintf(r->secret_path, sizeof(r->secret_path), "%s/jwt.secret", r->path);
	snprintf(r->redis_socket, sizeof(r->redis_socket), "%s/redis.sock", r->path);
	snprintf(r->redis_url, sizeof(r->redis_url), "unix://%s", r->redis_socket);
	if (o->redis)
		snprintf(r->redis_url, sizeof(r->redis_url), "%s", o->redis);
	if (o->kafka) {
		snprintf(r->kafka, sizeof(r->kafka), "%s", o->kafka);
		snprintf(r->prefix, sizeof(r->prefix), "demo-%lld.", (long long)now_ms);
	}
	if (pick_ports(r, o))
		return fault_set(f, FAULT_FATAL, -EADDRNOTAVAIL, "no free port on 127.0.0.1");
	return make_secrets(r, f);
}

static void write_config(FILE *out, const struct run_folder *r, const struct demo_options *o)
{
	fprintf(out, "kafka:\n  bootstrap: \"%s\"\n  topic_prefix: \"%s\"\n", r->kafka, r->prefix);
	/* The mock answers an empty fetch only when its time is over; a real broker at once. */
	if (!o->kafka)
		fprintf(out, "  properties: { fetch.wait.max.ms: 5 }\n");
	fprintf(out, "redis: { url: \"%s\" }\n", r->redis_url);
	fprintf(out, "ws:\n  listen: \"127.0.0.1:%d\"\n", r->ws_port);
	fprintf(out, "  auth: { hs256_secret_file: \"%s\" }\n", r->secret_path);
	fprintf(out, "  limits: { connections_per_address: 0, events_per_s: 1000, events_burst: "
		     "1000, orders_per_s: 1000, queries_per_s: 1000 }\n");
	fprintf(out, "pricing:\n  round: { ETH: \"0.0001\" }\n");
	fprintf(out, "  rules_file: \"%s/rules.json\"\n", o->data);
	fprintf(out, "  quote_keys_file: \"%s/quote.keys\"\n", r->path);
	fprintf(out, "wallet:\n  quote_keys_file: \"%s/quote.keys\"\n", r->path);
	fprintf(out, "  reservation_ms: %d\n", WALLET_RESERVATION_MS);
	fprintf(out, "  dry_run: { step_ms: %d, fail_bps: %d, hold_bps: %d, never_bps: %d }\n",
		WALLET_STEP_MS, WALLET_FAIL_BPS, WALLET_HOLD_BPS, WALLET_NEVER_BPS);
	fprintf(out, "bidding:\n  opensea:\n    api_key_file: \"%s/stream.token\"\n", r->path);
	fprintf(out, "    stream_url: \"ws://127.0.0.1:%d/socket/websocket\"\n", r->stream_port);
	fprintf(out,
		"    collections:\n      - { slug: %s, chain: \"eip155:1\", standard: erc721, ",
		SCHEDULE_SLUG);
	fprintf(out, "contract: \"%s\", fee_bps: %d, currency: ETH }\n", SCHEDULE_CONTRACT,
		FRAME_MARKET_FEE_BPS + FRAME_ARTIST_FEE_BPS);
}

int run_folder_configure(const struct run_folder *r, const struct demo_options *o, struct fault *f)
{
	char *text = NULL;
	size_t n;
	FILE *out = open_memstream(&text, &n);
	int e;

	if (!out)
		return fault_set(f, FAULT_FATAL, -ENOMEM, "out of memory");
	write_config(out, r, o);
	fclose(out);
	e = write_file(r->path, "souk.yaml", text, f);
	free(text);
	return e ? e : write_file(r->path, "stream.token", r->stream_token, f);
}

void run_folder_remove(const struct run_folder *r)
{
	DIR *d = opendir(r->path);
	struct dirent *e;

	while (d && (e = readdir(d)) != NULL)
		unlinkat(dirfd(d), e->d_name, 0);
	if (d)
		closedir(d);
	rmdir(r->path);
}
