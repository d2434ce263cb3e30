#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "common/io/bus_kafka.h"

static int64_t idle(const char *json)
{
	return kafka_stats_idle_us(json, strlen(json));
}

Test(bus_kafka, the_least_heard_leader_counts)
{
	cr_expect(eq(i64,
		idle("{ \"brokers\":{ \"a:1/1\": { \"rxidle\":120, \"toppars\":{ \"t-0\": { "
		     "\"topic\":\"t\"} } } , "
		     "\"b:1/2\": { \"rxidle\":5000, \"toppars\":{ \"t-1\": {}} } }, \"topics\":{} "
		     "}"),
		5000));
}

Test(bus_kafka, brokers_that_lead_nothing_do_not_count)
{
	cr_expect(eq(i64,
		idle("{ \"brokers\":{ \"boot\": { \"rxidle\":-1, \"toppars\":{ } } , \"a\": { "
		     "\"rxidle\":7, "
		     "\"toppars\":{ \"t-0\": {} } } } }"),
		7));
	cr_expect(eq(i64, idle("{ \"brokers\":{ \"a\": { \"rxidle\":7, \"toppars\":{} } } }"), -2));
	cr_expect(eq(i64, idle("{}"), -2));
	cr_expect(eq(i64, idle(""), -2));
}

Test(bus_kafka, partition_without_a_leader_was_never_heard)
{
	cr_expect(eq(i64,
		idle("{ \"brokers\":{ \"a\": { \"rxidle\":7, \"toppars\":{ \"t-0\":{} } }, "
		     "\":0/internal\": { "
		     "\"rxidle\":-1, \"toppars\":{ \"t-1\":{} } } } }"),
		-1));
}

Test(bus_kafka, cut_statistics_are_no_news)
{
	cr_expect(eq(i64, idle("{ \"brokers\":{ \"a\": { \"rxidle\":7"), -2));
	cr_expect(eq(i64, idle("{ \"brokers\":{ \"a\": { \"rxidle\""), -2));
}

Test(bus_kafka, users_settings_win_over_ours_but_not_over_what_the_code_needs)
{
	const char *properties[] = { "linger.ms=7", "linger.ms=9", "ssl.ca.location=/etc/ca.pem" };
	struct bus_kafka_config config = {
		.bootstrap = "h:1", .properties = properties, .n_properties = 3
	};
	struct fault f = { 0 };
	char value[64];
	size_t n = sizeof(value);

	rd_kafka_conf_t *conf = kafka_conf(&config, KAFKA_PRODUCER, NULL, &f);
	cr_assert(not(zero(ptr, conf)));
	cr_assert(zero(int, (int)rd_kafka_conf_get(conf, "linger.ms", value, &n)));
	cr_expect(eq(int, atoi(value), 9));
	n = sizeof(value);
	cr_assert(zero(int, (int)rd_kafka_conf_get(conf, "enable.idempotence", value, &n)));
	cr_expect(eq(str, value, "true"));
	rd_kafka_conf_destroy(conf);

	properties[1] = "acks=1";
	cr_expect(zero(ptr, kafka_conf(&config, KAFKA_PRODUCER, NULL, &f)));
	cr_expect(not(zero(ptr, strstr(f.text, "acks"))));
}
