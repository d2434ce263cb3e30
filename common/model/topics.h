#pragma once

/*
 * The topics: names, partitions, policy. One table for `souk topics create|check`, the demo's
 * broker and the documentation.
 *
 * Names are without the prefix of `kafka.topic_prefix`. Partition numbers are part of the contract
 * where two topics are written "at the same partition number" (interest and decisions; orders,
 * requests and results): they must then agree, whatever the number is.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/str.h"

#define TOPIC_INTEREST         "nft.interest.v1"
#define TOPIC_DECISIONS        "nft.decisions.v1"
#define TOPIC_OFFERS           "nft.offers.v1"
#define TOPIC_RULES            "nft.rules.v1"
#define TOPIC_PROFILE          "crm.profile.v1"
#define TOPIC_LOYALTY          "loyalty.v1"
#define TOPIC_IDENTITY         "identity.v1"
#define TOPIC_INVENTORY        "inventory.v1"
#define TOPIC_BESTBID          "market.bestbid.v1"
#define TOPIC_MARKET_EVENTS    "market.events.v1"
#define TOPIC_ORDERS           "orders.v1"
#define TOPIC_PAYMENT_REQUESTS "payments.requests.v1"
#define TOPIC_PAYMENT_RESULTS  "payments.results.v1"
#define TOPIC_LEDGER           "payments.ledger.v1"
#define TOPIC_STOCK            "stock.v1"
#define TOPIC_DLQ_SUFFIX       ".dlq"

#define TOPIC_CONFIG_MAX 4

struct topic_spec {
	const char *name;
	int32_t partitions;                       /* production */
	int32_t partitions_demo;                  /* souk demo */
	const char *config[TOPIC_CONFIG_MAX + 1]; /* "cleanup.policy=compact", …, NULL */
};

/* Dead-letter topics are rows of their own, each right after its source. */
extern const struct topic_spec topic_specs[];
extern const size_t topic_specs_n;

/* NULL if there is none of that name. */
const struct topic_spec *topic_find(struct str name);
