#include "common/base/time_text.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

#define END_MS INT64_C(253402300800000) /* 10000-01-01 */

int time_text(char ret[TIME_TEXT_MAX], int64_t ms)
{
	time_t seconds = (time_t)(ms / 1000);
	struct tm tm;
	size_t n;

	ret[0] = '\0';
	if (ms < 0 || ms >= END_MS || !gmtime_r(&seconds, &tm))
		return -ERANGE;
	n = strftime(ret, TIME_TEXT_MAX, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(ret + n, TIME_TEXT_MAX - n, ".%03uZ", (unsigned)(ms % 1000));
	return 0;
}
