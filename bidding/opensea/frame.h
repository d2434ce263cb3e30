#pragma once

/*
 * The envelope of a Phoenix channel, in both of its shapes (phoenix,
 *lib/phoenix/socket/serializers): vsn 2	[join_ref|null, ref|null, topic, event, payload] vsn
 *1	{"topic":…, "event":…, "payload":…, "ref":…} Which one a frame is, its first byte says; the
 *server has answered arrays to clients that asked for objects.
 */
#include "common/base/arena.h"
#include "common/base/buf.h"
#include "common/base/cleanup.h"
#include "common/base/fault.h"
#include "common/base/str.h"

struct opensea_frame {
	struct str join_ref, ref; /* p == NULL: null or absent */
	struct str topic, event;
	struct str payload; /* JSON, any value */
};

enum {
	OPENSEA_FRAME_E_JSON = 1, /* not JSON */
	OPENSEA_FRAME_E_SHAPE,    /* JSON, but neither shape */
	OPENSEA_FRAME_E_SIZE,     /* a limit of json_gate.h, or the arena */
};

/* Borrows from @text and @a. 0 or OPENSEA_FRAME_E_*; @f gives the byte offset where there is one.
 */
MUST_CHECK int opensea_frame_parse(
	struct opensea_frame *ret, struct str text, struct arena *a, struct fault *f);

/* Appends a vsn 2 frame with an empty payload; @join_ref NULL: null. */
void opensea_frame_write(struct buf *out, const char *join_ref, const char *ref, const char *topic,
	const char *event);
