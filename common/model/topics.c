/*
 * Every setting that matters is written out, also where it is a broker's default, because `souk
 * topics check` compares and defaults differ between installations. Dead letters exist for what
 * others than Souk write, or where one wrong record must not stop a partition.
 */
#include "common/model/topics.h"

/* clang-format off */
#define DELETE(ms)  "cleanup.policy=delete", "retention.ms=" ms
#define COMPACT     "cleanup.policy=compact"
#define HOURS_24    "86400000"
#define DAYS_7      "604800000"
#define DAYS_14     "1209600000"
#define DAYS_30     "2592000000"
#define MINUTES_15  "900000"
#define FOREVER     "-1"

#define DLQ(topic, production, demo) { topic TOPIC_DLQ_SUFFIX, production, demo, { DELETE(DAYS_14) } }

const struct topic_spec topic_specs[] = {
	{ TOPIC_INTEREST, 24, 4, { DELETE(HOURS_24) } },
	DLQ(TOPIC_INTEREST, 24, 4),
	{ TOPIC_DECISIONS, 24, 4, { DELETE(DAYS_7) } },
	/* A gateway that starts reads its partition from the end; a segment as short as the retention
	 * lets old offers go. */
	{ TOPIC_OFFERS, 64, 8, { DELETE(MINUTES_15), "segment.ms=" MINUTES_15 } },
	{ TOPIC_RULES, 1, 1, { COMPACT } },
	{ TOPIC_PROFILE, 12, 4, { COMPACT } },
	DLQ(TOPIC_PROFILE, 12, 4),
	{ TOPIC_LOYALTY, 12, 4, { COMPACT } },
	DLQ(TOPIC_LOYALTY, 12, 4),
	{ TOPIC_IDENTITY, 12, 4, { COMPACT } },
	DLQ(TOPIC_IDENTITY, 12, 4),
	{ TOPIC_INVENTORY, 12, 4, { COMPACT } },
	DLQ(TOPIC_INVENTORY, 12, 4),
	{ TOPIC_BESTBID, 12, 4, { COMPACT } },
	DLQ(TOPIC_BESTBID, 12, 4),
	{ TOPIC_MARKET_EVENTS, 12, 4, { DELETE(DAYS_7) } },
	/* Whether a quote was in time is judged by the broker's clock. */
	{ TOPIC_ORDERS, 12, 4, { DELETE(DAYS_30), "message.timestamp.type=LogAppendTime" } },
	DLQ(TOPIC_ORDERS, 12, 4),
	{ TOPIC_PAYMENT_REQUESTS, 12, 4, { DELETE(DAYS_30) } },
	{ TOPIC_PAYMENT_RESULTS, 12, 4, { DELETE(DAYS_30) } },
	{ TOPIC_LEDGER, 12, 4, { DELETE(FOREVER) } },
	{ TOPIC_STOCK, 12, 4, { COMPACT } },
};
/* clang-format on */

const size_t topic_specs_n = sizeof(topic_specs) / sizeof(topic_specs[0]);

const struct topic_spec *topic_find(struct str name)
{
	for (size_t i = 0; i < topic_specs_n; i++) {
		if (str_eqz(name, topic_specs[i].name))
			return &topic_specs[i];
	}
	return NULL;
}
