#pragma once

/*
 * One interest event from the moment it is read until its results are acknowledged: what it says,
 * where its answer goes, and the messages that carry it. A revision is an event that nobody sent:
 * it takes the same way out.
 */
#include <stdbool.h>
#include <sys/queue.h>

#include "common/base/arena.h"
#include "common/io/bus.h"
#include "common/model/interest.h"
#include "pricing/live.h"
#include "pricing/metrics.h"

#define EVENT_BYTES_MAX (64 * 1024) /* a larger value cannot be an interest */

struct partition;
struct event;
struct event_list;

enum message_state { MESSAGE_NONE, MESSAGE_READY, MESSAGE_SENT, MESSAGE_DONE };

struct message {
	struct event *event;
	enum message_state state;
	bool is_owned; /* goes through owner_send() */
	struct bus_message m;
	struct bus_header headers[BUS_HEADERS_MAX];
};

enum event_stage {
	EVENT_WAITING, /* for its decision */
	EVENT_SENDING,
	EVENT_DONE,
};

struct event {
	TAILQ_ENTRY(event) link; /* of its partition, in offset order; of the orphans afterwards */
	struct partition *partition; /* NULL: dropped, waits among @orphans for its reports */
	struct event_list *orphans;
	enum event_stage stage;
	bool is_joined; /* in the batch that is being read */
	int64_t offset;
	int64_t received_us; /* monotonic; of a revision, when the change was heard of */
	int64_t epoch;       /* owner epoch that its answer was made under */

	struct arena *arena; /* the texts below */
	struct interest interest;
	struct str bad;        /* set: why it is refused */
	int64_t ts;            /* the event's, else the record's */
	int64_t deadline_ms;   /* 0 = none */
	struct reply_to reply; /* headers as received */

	bool is_timed;            /* a revision that was given to the bus */
	bool is_revision;         /* of a live offer: no record was read, the texts are @offer's */
	struct live_offer *offer; /* that it began or revises, NULL: none. A reference of its own */

	char *bytes; /* of the messages: outlives the arena */
	struct message messages[2];
};
TAILQ_HEAD(event_list, event);

/* Copies what is needed of @r. An event whose id, user or session cannot be read comes back
 * EVENT_SENDING, with its dead letter ready. NULL: out of memory. */
struct event *event_new(struct partition *p, const struct bus_record *r, int64_t received_us,
	struct pricing_metrics *m);
/* A revision of @o, which it references; decided at once. NULL: out of memory. */
struct event *event_new_revision(struct partition *p, struct live_offer *o, int64_t changed_us);
struct event *event_free(struct event *e);

/* Prepares message @i: copies key, value and headers (at most BUS_HEADERS_MAX) of @m behind those
 * that are there. 0 or -ENOMEM. */
MUST_CHECK int event_put_messages(struct event *e, const struct bus_message *m, size_t n);

/* Its answer is to be made anew: EVENT_WAITING again. No report is due. */
void event_take_back(struct event *e);

/* Whether it has messages that still have to be sent. */
bool event_has_unsent(const struct event *e);
/* Messages on their way, whose reports will come even if the event is dropped. */
size_t event_reports_due(const struct event *e);
/* Reports of what went through the owner come no more: the owner is gone. */
void event_forget_owner(struct event *e);
