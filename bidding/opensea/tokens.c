#include "bidding/opensea/tokens.h"

#include "common/base/cleanup.h"

static const struct token {
	const char *chain, *address, *code;
} TOKENS[] = {
	{ "eip155:1", OPENSEA_NATIVE, "ETH" },
	{ "eip155:1", "0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2", "WETH" },
	{ "eip155:1", "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48", "USDC" },
	{ "eip155:137", "0x7ceb23fd6bc0add59e62ac25578270cff1b9f619", "WETH" },
};

static const struct chain {
	const char *name, *id;
} CHAINS[] = {
	{ "ethereum", "eip155:1" },
	{ "matic", "eip155:137" },
	{ "polygon", "eip155:137" },
	{ "base", "eip155:8453" },
	{ "arbitrum", "eip155:42161" },
	{ "optimism", "eip155:10" },
	{ "sepolia", "eip155:11155111" },
};

currency opensea_token_currency(struct str chain, struct str address)
{
	for (size_t i = 0; i < ARRAY_LEN(TOKENS); i++) {
		if (str_eqz(address, TOKENS[i].address) && str_eqz(chain, TOKENS[i].chain))
			return currency_find(str_of(TOKENS[i].code));
	}
	return 0;
}

struct str opensea_chain(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(CHAINS); i++) {
		if (str_eqz(name, CHAINS[i].name))
			return str_of(CHAINS[i].id);
	}
	return STR_NONE;
}
