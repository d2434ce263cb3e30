/*
 * One table, so that what may follow what can be read in one look.
 *
 * Outcomes may be lost on the way to us and repeated, so a step forward over states in between is
 * taken, and a step back is a repeat unless it is one that the chain can make: MINED or CONFIRMED
 * back to SENT. A payment that was seen on the chain is never given up by EXPIRED or CANCELLED
 * alone, as the unit would be sold again: it is REVERTED, or a reorg takes it back to SENT first.
 * HELD hides what was before; whoever holds knows.
 *
 * Of a terminal state, what can have come before it is a repeat; the rest contradicts it and is
 * worth a counter.
 */
#include "wallet-bridge/order_states.h"

#include <assert.h>

#define N_STATES (ORDER_CANCELLED + 1)

/* E enter, R enter once released, S same, N never */
enum { E = ORDER_ENTER, R = ORDER_ENTER_RELEASE, S = ORDER_SAME, N = ORDER_NEVER };

/* clang-format off */
static const unsigned char table[N_STATES][N_STATES] = {
	/*                    ACC RES SEN MIN CON FIN HEL REJ REV EXP CAN */
	[ORDER_ACCEPTED]  = { S,  E,  E,  E,  E,  E,  E,  E,  R,  R,  R },
	[ORDER_RESERVED]  = { S,  S,  E,  E,  E,  E,  E,  N,  R,  R,  R },
	[ORDER_SENT]      = { S,  S,  S,  E,  E,  E,  E,  N,  R,  R,  R },
	[ORDER_MINED]     = { S,  S,  E,  S,  E,  E,  E,  N,  R,  N,  N },
	[ORDER_CONFIRMED] = { S,  S,  E,  S,  S,  E,  E,  N,  R,  N,  N },
	[ORDER_FINAL]     = { S,  S,  S,  S,  S,  S,  S,  N,  N,  N,  N },
	[ORDER_HELD]      = { S,  E,  E,  E,  E,  E,  S,  N,  R,  R,  R },
	[ORDER_REJECTED]  = { S,  N,  N,  N,  N,  N,  N,  S,  N,  N,  N },
	[ORDER_REVERTED]  = { S,  S,  S,  S,  S,  N,  S,  N,  S,  N,  N },
	[ORDER_EXPIRED]   = { S,  S,  S,  N,  N,  N,  S,  N,  N,  S,  N },
	[ORDER_CANCELLED] = { S,  S,  S,  N,  N,  N,  S,  N,  N,  N,  S },
};
/* clang-format on */

enum order_verdict order_states_judge(enum order_state from, enum order_state to)
{
	assert(from < N_STATES && to < N_STATES);
	return (enum order_verdict)table[from][to];
}

bool order_state_is_terminal(enum order_state s)
{
	switch (s) {
	case ORDER_REJECTED:
	case ORDER_REVERTED:
	case ORDER_EXPIRED:
	case ORDER_CANCELLED:
	case ORDER_FINAL:
		return true;
	default:
		return false;
	}
}

static const enum order_state freeing[] = { ORDER_REVERTED, ORDER_EXPIRED, ORDER_CANCELLED };

const char *order_state_release_reason(enum order_state s)
{
	for (size_t i = 0; i < ARRAY_LEN(freeing); i++)
		if (freeing[i] == s)
			return order_state_names[s];
	return NULL;
}

int order_state_of_release(struct str reason)
{
	for (size_t i = 0; i < ARRAY_LEN(freeing); i++)
		if (str_eqz(reason, order_state_names[freeing[i]]))
			return (int)freeing[i];
	return -1;
}
