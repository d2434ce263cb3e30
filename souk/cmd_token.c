/* `souk token`: a session token for trying things by hand. Signed with the same secret that
 * ws-server checks with. */
#include <stdio.h>
#include <time.h>

#include "souk/args.h"
#include "ws-server/ws_server_role.h"

static int run(int argc, char **argv)
{
	const char *user = NULL, *secret_file = NULL, *ttl = NULL, *act_prefix = NULL;
	const struct own_flag own[] = {
		{ .name = "user", .value = &user, .required = true },
		{ .name = "secret-file", .value = &secret_file },
		{ .name = "ttl", .value = &ttl },
		{ .name = "act-as", .value = &act_prefix },
	};
	struct args a;
	struct settings s = { 0 };
	struct fault f = { 0 };
	CLEANUP(buf_fini) struct buf token = BUF_INIT(4096);
	uint64_t ttl_s = 3600;
	int r = args_parse(&a, &command_token, argc, argv, own, ARRAY_LEN(own));

	if (r)
		return r - 1;
	if (ttl && (str_to_u64(str_of(ttl), &ttl_s) || ttl_s == 0 || ttl_s > 31536000)) {
		fprintf(stderr, "souk token: --ttl %s: seconds, 1 to 31536000\n", ttl);
		return EXIT_USAGE;
	}
	r = args_settings(&a, &command_token, NULL, 0, &s);
	if (r)
		return r;
	if (!secret_file)
		secret_file = s.ws.hs256_secret_file;
	if (!secret_file) {
		fprintf(stderr, "souk token: no secret: give --secret-file FILE, or "
				"ws.auth.hs256_secret_file in the configuration\n");
		r = EXIT_USAGE;
	} else if (gateway_token(&token, secret_file, user, act_prefix,
			   ((int64_t)time(NULL) + (int64_t)ttl_s) * 1000, &f)) {
		fprintf(stderr, "souk token: %s\n", f.text);
		r = EXIT_FAILED;
	} else {
		printf(STR_FMT "\n", STR_ARG(buf_str(&token)));
	}
	settings_unload(&s);
	return r;
}

const struct command command_token = { "token", "a session token for a user",
	"--user U [--ttl SECONDS] [--act-as PREFIX] [--secret-file FILE] [--config FILE]", run,
	false };
