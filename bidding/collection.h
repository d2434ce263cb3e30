#pragma once

/*
 * A collection to follow, as configured. Its chain, contract, token standard and fees are
 * configuration, because frames of the stream do not always say them.
 */
#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/fault.h"
#include "common/base/str.h"
#include "common/model/money.h"

#define COLLECTION_SLUG_MAX 128
#define COLLECTION_KEY_MAX  (41 + 1 + COLLECTION_SLUG_MAX)

struct collection {
	char slug[COLLECTION_SLUG_MAX + 1];
	char chain[42];    /* CAIP-2, "eip155:1" */
	char standard[9];  /* "erc721" | "erc1155" */
	char contract[43]; /* lower case */
	int32_t fee_bps;   /* what a seller pays in all, where an order does not say */
	currency currency; /* market values are given in it */
	char key[COLLECTION_KEY_MAX + 1]; /* "<chain>:<slug>": key on market.events.v1 */
};

/* Every text in @f begins `bidding.opensea.collections[<index>]` and names the member. */
enum {
	COLLECTION_E_SYNTAX = 1, /* not `k=v;k=v` */
	COLLECTION_E_UNKNOWN,    /* no such member */
	COLLECTION_E_REPEATED,
	COLLECTION_E_MISSING,
	COLLECTION_E_VALUE, /* a member's value is not one */
};

/* @text: "slug=foundation;chain=eip155:1;standard=erc721;contract=0x…;fee_bps=750;currency=ETH",
 * members in any order, all required. 0 or COLLECTION_E_*. */
MUST_CHECK int collection_parse(
	struct collection *ret, size_t index, struct str text, struct fault *f);
