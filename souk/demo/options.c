#include "souk/demo/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"

#define ORDERS_AUTO UINT32_MAX

const char demo_usage[] =
	"[--for TIME] [--rate N] [--shoppers N] [--json]\n"
	"  --for TIME        stop by itself: 30s, 5m, 1h (default: until Ctrl-C)\n"
	"  --rate N          interest events a second, open loop (default 20)\n"
	"  --shoppers N      simulated sessions (default 50, more with a higher rate)\n"
	"  --order-one-in N  of the offers that shoppers hear they order one in N (default 12, "
	"more "
	"with a higher rate; 0: none)\n"
	"  --speed N         seconds of the auctions' time in one second (default 1440: a day a "
	"minute)\n"
	"  --kafka HOST:PORT use a real Kafka, with topics of this run's own prefix (default: "
	"embedded)\n"
	"  --redis URL       use a real Redis, redis://HOST:PORT/DB or unix:///PATH (default: a "
	"private one)\n"
	"  --port N          WebSocket port (default: a free one)\n"
	"  --http N          port of the storefront (default: a free one)\n"
	"  --seed N          of the shoppers' choices (default 1)\n"
	"  --data FOLDER     where bids.csv, listings.csv and rules.json are\n"
	"  --set KEY=VALUE   configuration for every role, as in souk ROLE --set (at most 16)\n"
	"  --json            machine-readable: one ready line, one summary line\n"
	"  --verbose         the logs of all processes on stderr\n"
	"  --keep            do not remove the run folder (logs, configuration)\n";

/* "30s", "5m", "1h" or plain seconds; milliseconds, or -1. */
static int64_t parse_time(const char *text)
{
	char *end;
	const double v = strtod(text, &end);
	const double unit = *end == '\0' || strcmp(end, "s") == 0 ? 1000
			    : strcmp(end, "ms") == 0              ? 1
			    : strcmp(end, "m") == 0               ? 60000
			    : strcmp(end, "h") == 0               ? 3600000
								  : -1;

	return end == text || unit < 0 || !(v > 0) || v * unit > 1e12 ? -1 : (int64_t)(v * unit);
}

static int parse_int(
	const char *flag, const char *text, int64_t min, int64_t max, int64_t *ret, struct fault *f)
{
	char *end;

	errno = 0;
	*ret = strtoll(text, &end, 10);
	if (errno || end == text || *end || *ret < min || *ret > max)
		return fault_set(f, FAULT_REJECT, -EINVAL,
			"--%s %s: a whole number from %lld to %lld", flag, text, (long long)min,
			(long long)max);
	return 0;
}

static int parse_one(struct demo_options *o, int flag, const char *arg, struct fault *f)
{
	int64_t n = 0;
	int r = 0;

	switch (flag) {
	case 'f':
		o->for_ms = parse_time(arg);
		if (o->for_ms < 0)
			r = fault_set(f, FAULT_REJECT, -EINVAL,
				"--for %s: a time such as 30s, 5m or 1h", arg);
		break;
	case 'r': {
		char *end;

		o->rate = strtod(arg, &end);
		if (end == arg || *end || !(o->rate >= 0.1) || o->rate > 100000)
			r = fault_set(f, FAULT_REJECT, -EINVAL,
				"--rate %s: events a second, 0.1 to 100000", arg);
		break;
	}
	case 's':
		r = parse_int("shoppers", arg, 1, 5000, &n, f);
		o->shoppers = (uint32_t)n;
		break;
	case 'o':
		r = parse_int("order-one-in", arg, 0, 1000000, &n, f);
		o->order_one_in = (uint32_t)n;
		break;
	case 'x':
		r = parse_int("speed", arg, 1, 100000, &o->speed, f);
		break;
	case 'p':
		r = parse_int("port", arg, 0, 65535, &n, f);
		o->ws_port = (int)n;
		break;
	case 'H':
		r = parse_int("http", arg, 0, 65535, &n, f);
		o->http_port = (int)n;
		break;
	case 'e':
		r = parse_int("seed", arg, 0, INT64_MAX, &n, f);
		o->seed = (uint64_t)n;
		break;
	case 'k':
		o->kafka = arg;
		break;
	case 'd':
		o->redis = arg;
		break;
	case 'D':
		o->data = arg;
		break;
	case 'S':
		if (o->n_sets == DEMO_SETS_MAX)
			r = fault_set(f, FAULT_REJECT, -EINVAL, "--set %s: at most %d of them", arg,
				DEMO_SETS_MAX);
		else
			o->sets[o->n_sets++] = arg;
		break;
	case 'j':
		o->json = true;
		break;
	case 'K':
		o->keep = true;
		break;
	case 'v':
		o->verbose = true;
		break;
	}
	return r;
}

int demo_options_parse(struct demo_options *ret, int argc, char **argv, struct fault *f)
{
	static const struct option flags[] = {
		{ "for", required_argument, NULL, 'f' },
		{ "rate", required_argument, NULL, 'r' },
		{ "shoppers", required_argument, NULL, 's' },
		{ "order-one-in", required_argument, NULL, 'o' },
		{ "speed", required_argument, NULL, 'x' },
		{ "port", required_argument, NULL, 'p' },
		{ "http", required_argument, NULL, 'H' },
		{ "seed", required_argument, NULL, 'e' },
		{ "kafka", required_argument, NULL, 'k' },
		{ "redis", required_argument, NULL, 'd' },
		{ "data", required_argument, NULL, 'D' },
		{ "set", required_argument, NULL, 'S' },
		{ "json", no_argument, NULL, 'j' },
		{ "keep", no_argument, NULL, 'K' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct demo_options o = {
		.rate = 20, .speed = 1440, .seed = 1, .order_one_in = 12, .data = SOUK_DEMO_DATA
	};
	int flag, r = 0;

	optind = 1;
	opterr = 0;
	while (!r && (flag = getopt_long(argc, argv, "h", flags, NULL)) != -1) {
		if (flag == 'h')
			return 1;
		if (flag == '?')
			return fault_set(f, FAULT_REJECT, -EINVAL,
				"%s: unknown flag, or its value is missing (see souk demo --help)",
				argv[optind - 1]);
		r = parse_one(&o, flag, optarg, f);
	}
	if (!r && optind < argc)
		return fault_set(f, FAULT_REJECT, -EINVAL, "%s: unexpected (see souk demo --help)",
			argv[optind]);
	/* At most five looks a second each: a session has a rate limit, as a person has eyes. */
	if (!o.shoppers)
		o.shoppers = o.rate / 5 > 1000 ? 1000 : o.rate > 250 ? (uint32_t)(o.rate / 5) : 50;
	/* The story brings about four new items a second: a shop that sells more is soon empty. */
	if (o.order_one_in == ORDERS_AUTO)
		o.order_one_in = o.rate > 40 ? (uint32_t)(o.rate * 12 / 40) : 12;
	*ret = o;
	return r;
}
