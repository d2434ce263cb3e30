#include <stdio.h>

#include <hiredis/hiredis.h>
#include <librdkafka/rdkafka.h>
#include <libwebsockets.h>

#include "souk/args.h"

static int run(int argc, char **argv)
{
	struct args a;
	int r = args_parse(&a, &command_version, argc, argv, NULL, 0);

	if (r)
		return r - 1;
	if (a.json)
		printf("{\"souk\":\"%s\",\"librdkafka\":\"%s\",\"hiredis\":\"%d.%d.%d\","
		       "\"libwebsockets\":\"%s\"}\n",
			SOUK_VERSION, rd_kafka_version_str(), HIREDIS_MAJOR, HIREDIS_MINOR,
			HIREDIS_PATCH, LWS_LIBRARY_VERSION);
	else
		printf("souk %s (librdkafka %s, hiredis %d.%d.%d, libwebsockets %s)\n",
			SOUK_VERSION, rd_kafka_version_str(), HIREDIS_MAJOR, HIREDIS_MINOR,
			HIREDIS_PATCH, LWS_LIBRARY_VERSION);
	return EXIT_DONE;
}

const struct command command_version = { "version", "versions of souk and its libraries",
	"[--json]", run, false };
