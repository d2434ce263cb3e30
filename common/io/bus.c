/*
 * The parts of the bus that every implementation shares. The partitioner has to agree bit for bit
 * with Java's org.apache.kafka.common.utils.Utils.murmur2, seed and signed quirks included: plain
 * Java producers, Kafka Streams and librdkafka's murmur2 partitioner must all put one user's
 * records into the same partition.
 */
#include "common/io/bus.h"

#include <assert.h>

struct str bus_header(const struct bus_record *r, const char *name)
{
	struct str wanted = str_of(name);

	for (size_t i = r->n_headers; i-- > 0;)
		if (str_eq(r->headers[i].name, wanted))
			return r->headers[i].value;
	return STR_NONE;
}

static uint32_t murmur2(const unsigned char *p, size_t n)
{
	const uint32_t m = 0x5bd1e995;
	uint32_t h = 0x9747b28cU ^ (uint32_t)n;

	for (; n >= 4; p += 4, n -= 4) {
		uint32_t k = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
			     (uint32_t)p[3] << 24;

		k *= m;
		k ^= k >> 24;
		k *= m;
		h *= m;
		h ^= k;
	}
	if (n >= 3)
		h ^= (uint32_t)p[2] << 16;
	if (n >= 2)
		h ^= (uint32_t)p[1] << 8;
	if (n >= 1) {
		h ^= p[0];
		h *= m;
	}
	h ^= h >> 13;
	h *= m;
	h ^= h >> 15;
	return h;
}

int32_t bus_partition_of(struct str key, int32_t n_partitions)
{
	assert(n_partitions > 0);

	return (int32_t)(murmur2((const unsigned char *)(key.p ? key.p : ""), key.n) & 0x7fffffff) %
	       n_partitions;
}
