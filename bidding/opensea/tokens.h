#pragma once

/*
 * What a payment token is: its identity is (chain, address), never the symbol that a frame gives
 * (Polygon's WETH has been recorded as "ETH").
 */
#include "common/base/str.h"
#include "common/model/money.h"

#define OPENSEA_NATIVE "0x0000000000000000000000000000000000000000"

/* @chain CAIP-2, @address lower case. 0: a token we know no currency of. */
currency opensea_token_currency(struct str chain, struct str address);

/* OpenSea's name of a chain ("ethereum", "matic") as CAIP-2; p == NULL: unknown. */
struct str opensea_chain(struct str name);
