/*
 * Names of things: items, users, wallets.
 *
 * Item ids are keys of topics, of Redis rows and of every map here, so one item must have one
 * spelling; the parser therefore checks the CAIP-19 grammar restricted to lower case, and never
 * rewrites. Nothing is known of what a chain or a standard means.
 */
#include "common/model/item.h"

#include <errno.h>

#define USER_MAX          128
#define WALLET_HEX_DIGITS 40

static bool is_lower_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/*
 * Takes min..max bytes of [a-z0-9] and @extra from *at, up to @end_char (0: the end of the text),
 * which is consumed. On failure *at is the offending byte.
 */
static bool take_part(struct str item, size_t *at, const char *extra, size_t min, size_t max,
	char end_char, struct str *ret)
{
	size_t from = *at;

	for (; *at < item.n; (*at)++) {
		char c = item.p[*at];

		if (!is_lower_alnum(c) && (c == '\0' || !strchr(extra, c)))
			break;
		if (*at - from == max)
			return false;
	}
	if (*at - from < min)
		return false;
	*ret = (struct str){ item.p + from, *at - from };
	if (end_char == '\0')
		return *at == item.n;
	if (*at == item.n || item.p[*at] != end_char)
		return false;
	(*at)++;
	return true;
}

int item_parse(struct item_parts *ret, struct str item, size_t *ret_offset)
{
	struct item_parts parts;
	struct str namespace, reference;
	size_t at = 0;

	if (!take_part(item, &at, "-", 3, 8, ':', &namespace) ||
		!take_part(item, &at, "-_", 1, 32, '/', &reference) ||
		!take_part(item, &at, "-", 3, 8, ':', &parts.kind) ||
		!take_part(item, &at, "-.%", 1, 128, '/', &parts.contract) ||
		!take_part(item, &at, "-.%", 1, 78, '\0', &parts.token)) {
		if (ret_offset)
			*ret_offset = at;
		return -EINVAL;
	}
	parts.chain = (struct str){ namespace.p, namespace.n + 1 + reference.n };
	if (ret)
		*ret = parts;
	return 0;
}

bool user_is_valid(struct str user)
{
	if (user.n < 1 || user.n > USER_MAX || !str_is_utf8(user))
		return false;
	for (size_t i = 0; i < user.n; i++) {
		unsigned char c = (unsigned char)user.p[i];

		if (c < 0x20 || c == 0x7f)
			return false;
		/* C1, U+0080..U+009F: the text is valid UTF-8, so a byte follows. */
		if (c == 0xc2 && (unsigned char)user.p[i + 1] < 0xa0)
			return false;
	}
	return true;
}

bool wallet_is_valid(struct str wallet)
{
	if (wallet.n != 2 + WALLET_HEX_DIGITS || !str_starts(wallet, STR("0x")))
		return false;
	for (size_t i = 2; i < wallet.n; i++) {
		char c = wallet.p[i];

		if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f') && !(c >= 'A' && c <= 'F'))
			return false;
	}
	return true;
}
