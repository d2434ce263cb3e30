#pragma once

/*
 * Item id: a CAIP-19 asset id in lower case, `eip155:1/erc721:0x3b3e…5405/77`; game items without a
 * chain use the same grammar with a namespace of their own (`game:azeroth/sword:iron/17`).
 *	chain     [-a-z0-9]{3,8} ":" [-_a-z0-9]{1,32}
 *	asset     [-a-z0-9]{3,8} ":" [-.%a-z0-9]{1,128}
 *	token id  [-.%a-z0-9]{1,78}
 * CAIP-19 itself allows upper case; Souk refuses it so that one item has one spelling.
 */
#include "common/base/str.h"

#define ITEM_MAX 260

struct item_parts {
	struct str chain; /* "eip155:1" */
	struct str kind;  /* "erc721" */
	struct str contract;
	struct str token;
};

/* 0 or -EINVAL; @ret (may be NULL) borrows from @item; *ret_offset (may be NULL) = where it went
 * wrong. */
int item_parse(struct item_parts *ret, struct str item, size_t *ret_offset);
static inline bool item_is_valid(struct str item)
{
	return item_parse(NULL, item, NULL) == 0;
}

/* User: 1..128 bytes UTF-8, no control characters. */
bool user_is_valid(struct str user);
/* `0x` + 40 hex digits. */
bool wallet_is_valid(struct str wallet);
