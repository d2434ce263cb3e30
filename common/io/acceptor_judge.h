#pragma once

/* Whether a head may be upgraded: a pure function of the head. */
#include "common/io/http_head.h"

struct verdict {
	int status;         /* 0 = upgrade, else the HTTP status */
	const char *result; /* label of souk_edge_handshakes_total */
	const char *detail; /* for the answer's body; static */
};

#define VERDICT_GOOD ((struct verdict){ 0, "ok", NULL })

/* @r: what http_head_parse said. In the order of contracts.md section 4, up to the limits. */
struct verdict acceptor_judge(
	const struct http_head *h, int r, const char *path, const char *subprotocol);

/* The traceparent header if it is there once and valid (W3C Trace Context, version 00), else
 * absent. */
struct str acceptor_traceparent(const struct http_head *h);

/* The whole answer. Returns its length; @cap of 1,024 always suffices. */
size_t acceptor_answer(char *ret, size_t cap, const struct verdict *v);
