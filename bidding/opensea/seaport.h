#pragma once

/*
 * Seaport order parameters, as far as a price needs them: who pays what to whom, and for which
 * token.
 *
 * A bid offers money and wants the token and fees as consideration; a listing offers the token and
 * wants money, part of it fees. Item types 0 and 1 are money (native, ERC-20), 2 and 3 tokens
 * (ERC-721, ERC-1155); 4 and 5 are criteria, whose identifier is a Merkle root and no token id.
 */
#include <stdbool.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/cleanup.h"
#include "common/model/money.h"

struct seaport {
	bool is_sound; /* every money item was readable, within 2^96 - 1, and of one token */
	struct str money_token;        /* lower case; absent without money */
	u128 paid_start, paid_end;     /* money offered */
	u128 asked_start, asked_end;   /* money asked for */
	u128 others_start, others_end; /* of that, what goes to others than the offerer */
	struct str nft_token, nft_id;  /* the first token on either side; absent if there is none */
	bool is_private;         /* a listing that wants its own token delivered to somebody */
	int64_t starts, expires; /* ms, 0 = absent */
};

/* @json: protocol_data.parameters; @maker: the offerer where it is not named. Never fails: what
 * cannot be read is absent or not sound. Texts lie in @a. */
void seaport_parse(struct seaport *ret, struct str json, struct str maker, struct arena *a);
