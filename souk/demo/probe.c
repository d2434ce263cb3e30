/* Only while starting, when the supervisor has nothing else to do: a short blocking request is
 * simpler than a state machine. */
#include "souk/demo/probe.h"

#include <stdio.h>
#include <string.h>

#include <curl/curl.h>

struct body {
	char *p;
	size_t n, cap;
};

static size_t take(char *p, size_t size, size_t n, void *ctx)
{
	struct body *b = ctx;
	size_t room = b->cap - 1 - b->n, want = size * n < room ? size * n : room;

	memcpy(b->p + b->n, p, want);
	b->n += want;
	return size * n;
}

bool probe_ready(int port, char *why, size_t cap)
{
	CURL *c = curl_easy_init();
	struct body body = { why, 0, cap };
	char url[64];
	long status = 0;

	if (!c)
		return false;
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/readyz", port);
	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, 300L);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, &body);
	CURLcode r = curl_easy_perform(c);

	if (!r)
		curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
	else
		body.n = (size_t)snprintf(why, cap, "does not answer yet\n");
	curl_easy_cleanup(c);
	why[body.n < cap ? body.n : cap - 1] = '\0';
	return status == 200;
}
