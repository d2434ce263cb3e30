#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>
#include <stdlib.h>

#include "common/model/topics.h"

static bool has_config(const struct topic_spec *t, const char *line)
{
	for (size_t i = 0; t->config[i]; i++) {
		if (!strcmp(t->config[i], line))
			return true;
	}
	return false;
}

static const struct topic_spec *find(const char *name)
{
	const struct topic_spec *t = topic_find(str_of(name));

	cr_assert(t != NULL, "%s", name);
	return t;
}

Test(topics, names_are_unique_and_every_topic_has_a_policy)
{
	for (size_t i = 0; i < topic_specs_n; i++) {
		const struct topic_spec *t = &topic_specs[i];

		cr_expect(topic_find(str_of(t->name)) == t, "%s", t->name);
		cr_expect(t->partitions >= t->partitions_demo && t->partitions_demo > 0, "%s",
			t->name);
		cr_expect(has_config(t, "cleanup.policy=compact") !=
				  has_config(t, "cleanup.policy=delete"),
			"%s", t->name);
	}
	cr_expect(eq(ptr, (void *)topic_find(STR("nft.interest")), NULL));
}

Test(topics, logs_that_share_partition_numbers_have_as_many)
{
	const char *const pairs[][2] = { { TOPIC_INTEREST, TOPIC_DECISIONS },
		{ TOPIC_ORDERS, TOPIC_PAYMENT_REQUESTS },
		{ TOPIC_PAYMENT_REQUESTS, TOPIC_PAYMENT_RESULTS },
		{ TOPIC_PAYMENT_REQUESTS, TOPIC_STOCK } };

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		cr_expect(eq(i32, find(pairs[i][0])->partitions, find(pairs[i][1])->partitions));
		cr_expect(eq(i32, find(pairs[i][0])->partitions_demo,
			find(pairs[i][1])->partitions_demo));
	}
}

Test(topics, a_dead_letter_topic_has_its_sources_partitions)
{
	size_t n = 0;

	for (size_t i = 1; i < topic_specs_n; i++) {
		struct str name = str_of(topic_specs[i].name);
		const struct topic_spec *source;

		if (name.n < 4 || strcmp(name.p + name.n - 4, TOPIC_DLQ_SUFFIX) != 0)
			continue;
		n++;
		source = topic_find((struct str){ name.p, name.n - 4 });
		cr_assert(source != NULL, "%s", name.p);
		cr_expect(eq(i32, topic_specs[i].partitions, source->partitions));
		cr_expect(has_config(&topic_specs[i], "retention.ms=1209600000"));
	}
	cr_expect(ge(sz, n, 6));
}

Test(topics, policies_are_those_of_the_contract)
{
	cr_expect(has_config(find(TOPIC_INTEREST), "retention.ms=86400000"));
	cr_expect(has_config(find(TOPIC_DECISIONS), "retention.ms=604800000"));
	cr_expect(has_config(find(TOPIC_OFFERS), "retention.ms=900000"));
	cr_expect(has_config(find(TOPIC_OFFERS), "segment.ms=900000"));
	cr_expect(has_config(find(TOPIC_ORDERS), "message.timestamp.type=LogAppendTime"));
	cr_expect(has_config(find(TOPIC_LEDGER), "retention.ms=-1"));
	cr_expect(eq(i32, find(TOPIC_RULES)->partitions, 1));
}

/* Each channel's binding names its topic and, on the next line, its partitions. */
Test(topics, the_protocol_document_says_the_same)
{
	char path[1024], line[512], name[64] = "";
	size_t n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/docs/protocol/asyncapi.yaml", getenv("SOUK_SOURCE_DIR"));
	f = fopen(path, "r");
	cr_assert(f != NULL, "%s", path);
	while (fgets(line, sizeof(line), f)) {
		int partitions;

		if (sscanf(line, " topic: %63s", name) == 1 ||
			sscanf(line, " partitions: %d", &partitions) != 1)
			continue;
		cr_expect(find(name)->partitions == partitions, "%s: %d", name, partitions);
		n++;
	}
	fclose(f);
	cr_expect(ge(sz, n, 12));
}
