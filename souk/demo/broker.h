#pragma once

/*
 * The demo's Kafka: librdkafka's mock cluster, in the supervisor's process. In memory, 5 MiB a
 * partition, one node, no durability: for a demo, never for a claim. The banner says so.
 */
#include "common/base/cleanup.h"
#include "common/base/fault.h"

struct broker;

/* Creates the catalogue's topics with their demo partition counts. 0 or -EIO with @f. */
MUST_CHECK int broker_start(struct broker **ret, struct fault *f);
struct broker *broker_free(struct broker *b);
const char *broker_bootstrap(const struct broker *b);
