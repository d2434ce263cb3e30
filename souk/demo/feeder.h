#pragma once

/*
 * Feeds the table topics from the data: bidders as users, tiers from what they really spent,
 * consigned listings as inventory.
 *
 * Versions are `<start of the run, ms>.<n>`, n a pure function of the schedule (1 + the index of
 * the last event that the row reflects), so that a restarted feeder repeats itself and changes
 * nothing. A raise of a list price carries x-souk-confirm: it is the consignor's own act.
 */
#include "common/io/bus.h"
#include "common/model/tables.h"
#include "common/model/version.h"
#include "souk/demo/schedule.h"

struct feeder;

struct feeder_config {
	int64_t start_ms;
	uint32_t n_users; /* the most active bidders */
};

MUST_CHECK int feeder_new(struct feeder **ret, struct bus *bus, const struct schedule *s,
	const struct feeder_config *config);
struct feeder *feeder_free(struct feeder *fd); /* before the bus, after its last report */

/* Sends every user's rows and every item's row as of event @upto (exclusive), a piece at each call:
 * false while there is more. */
bool feeder_load(struct feeder *fd, uint32_t upto);

/* The row of the event's item after it (a raise of the list price, a new listing, sold), and the
 * winner's loyalty. 0 or bus_send's errors: call again. */
int feeder_send(struct feeder *fd, uint32_t event, int64_t now_ms);

/* Version of the row that reflects event @event. */
struct version feeder_version(const struct feeder *fd, uint32_t event);

/* All events below @upto have been sent, or need no row ahead of time. */
void feeder_passed(struct feeder *fd, uint32_t upto);

/* What the rows say of a bidder: the tier that so much spending gives, and whether the profile
 * allows pricing. */
enum loyalty_tier feeder_tier(u128 spent);
bool feeder_allows_pricing(const struct schedule_user *u);

/* The rows of all events below this index are in Kafka. Sends again what Kafka did not take: to be
 * called now and then until nothing waits. */
uint32_t feeder_settled(struct feeder *fd);
size_t feeder_waiting(const struct feeder *fd); /* rows that are not in Kafka yet */
