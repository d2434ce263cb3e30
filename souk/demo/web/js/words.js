// What the codes of the protocol mean, in words for the person in front of it.

const NO_OFFER = {
	SOLD_OUT: 'Sold out. Someone was quicker.',
	NO_LISTING: 'It is not listed any more.',
	NOT_FOR_SALE: 'It is not for sale.',
	STALE_PROFILE: 'Your profile is just being brought up to date.',
	STALE_LOYALTY: 'Your membership is just being brought up to date.',
	STALE_INVENTORY: 'The stock is just being counted.',
	STALE_MARKET: 'The market is not heard clearly just now.',
	GUARD_CONFLICT: 'The market has come too close to the list price: there is no room for an offer.',
	CIRCUIT_OPEN: 'The list price jumped. A person looks at it first.',
	PAUSED: 'Sales are paused for a moment.',
	QUOTE_LIMIT: 'Too many offers are open at once.',
	SUPPRESSED: 'No offer is made for this one.',
	BAD_EVENT: 'The shop did not understand this request.',
	EXPIRED: 'The request waited too long.',
	RULE_CHANGE: 'The rules of the shop have changed.',
};

const REFUSAL = {
	BAD_QUOTE: 'The quote does not hold.',
	QUOTE_EXPIRED: 'The offer had run out.',
	OFFER_CHANGED: 'The market moved past this price.',
	SOLD_OUT: 'Someone was quicker.',
	WRONG_USER: 'The offer was made to someone else.',
	WRONG_WALLET: 'The wallet is not the one of the offer.',
	BAD_SIGNATURE: 'The signature does not hold.',
	UNSUPPORTED: 'This way to pay is not there yet.',
	LIMIT: 'Too many orders at once.',
	PAUSED: 'Sales are paused for a moment.',
	CONFLICT: 'The same order was sent with another content.',
	FUNDS: 'The payer has not enough at hand.',
	REVERTED: 'The payment went wrong.',
	UNPAID: 'Nobody paid in time.',
};

export const STATES = {
	SENDING: 'On its way to the shop',
	TAKEN: 'Written down by the shop',
	ACCEPTED: 'Accepted',
	RESERVED: 'Reserved for you',
	SENT: 'Payment sent',
	MINED: 'Payment in a block',
	CONFIRMED: 'Payment confirmed',
	FINAL: 'Yours',
	HELD: 'Held for a check',
	REJECTED: 'Not accepted',
	REVERTED: 'Payment taken back',
	EXPIRED: 'Ran out',
	CANCELLED: 'Cancelled',
	REFUSED: 'Could not be sent',
};

/** The way of a good order, in order. */
export const LADDER = ['ACCEPTED', 'RESERVED', 'SENT', 'MINED', 'CONFIRMED', 'FINAL'];

const TERMINAL = new Set(['FINAL', 'REJECTED', 'REVERTED', 'EXPIRED', 'CANCELLED', 'REFUSED']);
export const isTerminal = (state) => TERMINAL.has(state);

/** Terminal without the piece: it may be ordered again. */
export const isLost = (state) => isTerminal(state) && state !== 'FINAL';

const TRY_AGAIN = new Set(['STALE_PROFILE', 'STALE_LOYALTY', 'STALE_INVENTORY', 'STALE_MARKET', 'PAUSED', 'QUOTE_LIMIT', 'EXPIRED', 'GUARD_CONFLICT', 'CIRCUIT_OPEN', 'RULE_CHANGE']);
export const mayAskAgain = (reason) => TRY_AGAIN.has(reason);

export const noOffer = (reason) => NO_OFFER[reason] ?? 'There is no price for it now.';
/** Why an order stands where it stands; null where the code says nothing to a person. */
export const cause = (state, reason) => REFUSAL[reason] ?? (state === 'REJECTED' ? 'The shop did not take it.' : null);
