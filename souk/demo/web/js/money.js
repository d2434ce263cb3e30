// Money as it travels: {"amount":"1250000000000000000","currency":"ETH"}. Amounts are BigInt here, never numbers: 2^96 does not fit one.

const DECIMALS = { ETH: 18, WETH: 18, GHST: 18, USDC: 6, EUR: 2, USD: 2, JPY: 0 };

/** The amount in the smallest unit. Throws on anything that is not a plain decimal integer text. */
export function amount(money) {
	if (!/^(0|[1-9][0-9]*)$/.test(money.amount)) throw new RangeError(`not an amount: ${money.amount}`);
	return BigInt(money.amount);
}

/** "1.25" from 1250000000000000000 and 18: all digits that say something. */
export function decimal(units, decimals) {
	const sign = units < 0n ? '-' : '';
	const digits = (units < 0n ? -units : units).toString().padStart(decimals + 1, '0');
	const whole = digits.slice(0, digits.length - decimals);
	const part = digits.slice(digits.length - decimals).replace(/0+$/, '');
	return sign + whole + (part ? `.${part}` : '');
}

export function text(money) {
	const decimals = DECIMALS[money.currency];
	if (decimals === undefined) return `${money.amount} ${money.currency}`; // the smallest unit is all we know
	return `${decimal(amount(money), decimals)} ${money.currency}`;
}

/** How far `price` is below `list`, in basis points, toward zero; negative above it. */
export function bpsBelow(list, price) {
	const of = amount(list);
	return of === 0n ? 0 : Number(((of - amount(price)) * 10000n) / of);
}

/** -500 is "−5 %". */
export function percent(bps) {
	const digits = decimal(BigInt(Math.abs(bps)), 2);
	return `${bps < 0 ? '\u2212' : bps > 0 ? '+' : ''}${digits} %`;
}

/** Where `value` lies between two amounts, 0 to 1: for drawing only. */
export function share(value, low, high) {
	if (high <= low) return 0.5;
	const in10000 = ((value - low) * 10000n) / (high - low);
	return Math.min(1, Math.max(0, Number(in10000) / 10000));
}
