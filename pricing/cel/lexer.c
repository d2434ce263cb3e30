/*
 * The first byte of a token says by a table what it begins: most are tokens of one character, and
 * their entry is the token. Words and numbers run through a second table of character classes.
 * The source is not NUL-terminated, so each look ahead is one against `end`.
 *
 * Bytes above 0x7f occur only inside texts, quoted names and comments. That they are UTF-8 is not
 * asked here: the parser does so once, for the few sources that have any.
 */
#include "pricing/cel/lexer.h"

enum { /* what else a byte can begin, after the tokens of one character */
	A_SPACE = CEL_TOK_N,
	A_WORD,
	A_PREFIX, /* r R b B: a word, or the prefix of a text */
	A_DIGIT,
	A_QUOTE,
	A_BACK_QUOTE,
	A_DOT,
	A_SLASH,
	A_LT,
	A_GT,
	A_EQ,
	A_NOT,
	A_AND,
	A_OR,
};

static const uint8_t actions[256] = {
	/* the rest: CEL_TOK_BAD */
	[' '] = A_SPACE,
	['\t'] = A_SPACE,
	['\n'] = A_SPACE,
	['\r'] = A_SPACE,
	['\f'] = A_SPACE,
	['A'] = A_WORD,
	['B'] = A_PREFIX,
	['C' ... 'Q'] = A_WORD,
	['R'] = A_PREFIX,
	['S' ... 'Z'] = A_WORD,
	['a'] = A_WORD,
	['b'] = A_PREFIX,
	['c' ... 'q'] = A_WORD,
	['r'] = A_PREFIX,
	['s' ... 'z'] = A_WORD,
	['_'] = A_WORD,
	['0' ... '9'] = A_DIGIT,
	['"'] = A_QUOTE,
	['\''] = A_QUOTE,
	['`'] = A_BACK_QUOTE,
	['.'] = A_DOT,
	['/'] = A_SLASH,
	['<'] = A_LT,
	['>'] = A_GT,
	['='] = A_EQ,
	['!'] = A_NOT,
	['&'] = A_AND,
	['|'] = A_OR,
	['+'] = CEL_TOK_PLUS,
	['-'] = CEL_TOK_MINUS,
	['*'] = CEL_TOK_STAR,
	['%'] = CEL_TOK_PERCENT,
	['?'] = CEL_TOK_QUESTION,
	[':'] = CEL_TOK_COLON,
	[','] = CEL_TOK_COMMA,
	['('] = CEL_TOK_LPAREN,
	[')'] = CEL_TOK_RPAREN,
	['['] = CEL_TOK_LBRACKET,
	[']'] = CEL_TOK_RBRACKET,
	['{'] = CEL_TOK_LBRACE,
	['}'] = CEL_TOK_RBRACE,
};

enum { IS_WORD = 1, IS_DIGIT = 2, IS_HEX = 4, IS_QUOTABLE = 8 };

static const uint8_t classes[256] = {
	['0' ... '9'] = IS_WORD | IS_DIGIT | IS_HEX | IS_QUOTABLE,
	['a' ... 'f'] = IS_WORD | IS_HEX | IS_QUOTABLE,
	['A' ... 'F'] = IS_WORD | IS_HEX | IS_QUOTABLE,
	['g' ... 'z'] = IS_WORD | IS_QUOTABLE,
	['G' ... 'Z'] = IS_WORD | IS_QUOTABLE,
	['_'] = IS_WORD | IS_QUOTABLE,
	['.'] = IS_QUOTABLE,
	['-'] = IS_QUOTABLE,
	['/'] = IS_QUOTABLE,
	[' '] = IS_QUOTABLE,
};

void cel_lexer_init(struct cel_lexer *l, struct str source)
{
	*l = (struct cel_lexer){ source.p, source.p, source.p + source.n, false };
}

static bool is(const struct cel_lexer *l, const char *p, uint8_t class)
{
	return p < l->end && classes[(unsigned char)*p] & class;
}

static bool is_at(const struct cel_lexer *l, const char *p, char c)
{
	return p < l->end && *p == c;
}

static const char *run(const struct cel_lexer *l, const char *p, uint8_t class)
{
	while (p < l->end && classes[(unsigned char)*p] & class)
		p++;
	return p;
}

static struct cel_token token(struct cel_lexer *l, enum cel_token_kind kind, const char *end)
{
	struct cel_token t = { (uint8_t)kind, true, (uint32_t)(l->p - l->source),
		(uint32_t)(end - l->source) };

	l->p = end;
	return t;
}

static struct cel_token one_or_two(
	struct cel_lexer *l, char second, enum cel_token_kind one, enum cel_token_kind two)
{
	return is_at(l, l->p + 1, second) ? token(l, two, l->p + 2) : token(l, one, l->p + 1);
}

static void skip_comment(struct cel_lexer *l)
{
	while (l->p < l->end && *l->p != '\n') {
		l->has_wide |= (unsigned char)*l->p > 0x7f;
		l->p++;
	}
}

static void skip(struct cel_lexer *l)
{
	while (l->p < l->end) {
		uint8_t action = actions[(unsigned char)*l->p];

		if (action == A_SLASH && is_at(l, l->p + 1, '/'))
			skip_comment(l);
		else if (action == A_SPACE)
			l->p++;
		else
			return;
	}
}

static enum cel_token_kind keyword(const char *p, size_t n)
{
	if (n == 2 && memcmp(p, "in", 2) == 0)
		return CEL_TOK_IN;
	if (n == 4 && memcmp(p, "true", 4) == 0)
		return CEL_TOK_TRUE;
	if (n == 4 && memcmp(p, "null", 4) == 0)
		return CEL_TOK_NULL;
	if (n == 5 && memcmp(p, "false", 5) == 0)
		return CEL_TOK_FALSE;
	return CEL_TOK_IDENT;
}

static struct cel_token word(struct cel_lexer *l)
{
	const char *end = run(l, l->p + 1, IS_WORD);

	return token(l, keyword(l->p, (size_t)(end - l->p)), end);
}

/* At the dot or the exponent of a number: where that ends, or @p if it is none. */
static const char *fraction(const struct cel_lexer *l, const char *p)
{
	return is_at(l, p, '.') && is(l, p + 1, IS_DIGIT) ? run(l, p + 1, IS_DIGIT) : p;
}

static const char *exponent(const struct cel_lexer *l, const char *p)
{
	const char *digits = p + 1;

	if (!is_at(l, p, 'e') && !is_at(l, p, 'E'))
		return p;
	if (is_at(l, digits, '+') || is_at(l, digits, '-'))
		digits++;
	return is(l, digits, IS_DIGIT) ? run(l, digits, IS_DIGIT) : p;
}

static struct cel_token number(struct cel_lexer *l)
{
	bool is_hex = *l->p == '0' && is_at(l, l->p + 1, 'x') && is(l, l->p + 2, IS_HEX);
	const char *whole = is_hex ? run(l, l->p + 2, IS_HEX) : run(l, l->p, IS_DIGIT);
	const char *end = is_hex ? whole : exponent(l, fraction(l, whole));

	if (end != whole)
		return token(l, CEL_TOK_FLOAT, end);
	if (is_at(l, whole, 'u') || is_at(l, whole, 'U'))
		return token(l, CEL_TOK_UINT, whole + 1);
	return token(l, CEL_TOK_INT, whole);
}

static struct cel_token unfinished(struct cel_lexer *l)
{
	const char *end = l->p;

	while (end < l->end && *end != '\n' && *end != '\r') {
		l->has_wide |= (unsigned char)*end > 0x7f;
		end++;
	}
	return token(l, CEL_TOK_UNFINISHED, end);
}

/* @quote: where the opening quote is; the token begins at l->p. */
static struct cel_token text(
	struct cel_lexer *l, const char *quote, enum cel_token_kind kind, bool is_raw)
{
	char q = *quote;
	bool is_long = is_at(l, quote + 1, q) && is_at(l, quote + 2, q);
	bool is_plain = true;

	for (const char *p = quote + (is_long ? 3 : 1); p < l->end; p++) {
		if (*p == q && (!is_long || (is_at(l, p + 1, q) && is_at(l, p + 2, q)))) {
			struct cel_token ret = token(l, kind, p + (is_long ? 3 : 1));

			ret.is_plain = is_plain;
			return ret;
		}
		if (*p == '\n' || *p == '\r') {
			if (!is_long)
				break;
			is_plain &= *p != '\r';
		} else if (*p == '\\' && !is_raw) {
			is_plain = false;
			p++;
			if (p < l->end && (*p == '\n' || *p == '\r') && !is_long)
				break;
		}
		if (p < l->end)
			l->has_wide |= (unsigned char)*p > 0x7f;
	}
	return unfinished(l);
}

static bool is_quote(const struct cel_lexer *l, const char *p)
{
	return is_at(l, p, '"') || is_at(l, p, '\'');
}

static struct cel_token word_or_text(struct cel_lexer *l)
{
	const char *p = l->p;
	bool is_bytes = *p == 'b' || *p == 'B';
	bool is_raw;

	if (is_bytes)
		p++;
	is_raw = is_at(l, p, 'r') || is_at(l, p, 'R');
	if (is_raw)
		p++;
	if (!is_quote(l, p))
		return word(l);
	return text(l, p, is_bytes ? CEL_TOK_BYTES : CEL_TOK_STRING, is_raw);
}

static struct cel_token quoted(struct cel_lexer *l)
{
	const char *end = run(l, l->p + 1, IS_QUOTABLE);

	if (!is_at(l, end, '`') || end == l->p + 1)
		return token(l, CEL_TOK_BAD, l->p + 1);
	return token(l, CEL_TOK_QUOTED, end + 1);
}

static struct cel_token bad(struct cel_lexer *l)
{
	size_t n = str_utf8_len((struct str){ l->p, (size_t)(l->end - l->p) });

	l->has_wide |= (unsigned char)*l->p > 0x7f;
	return token(l, CEL_TOK_BAD, l->p + (n ? n : 1));
}

struct cel_token cel_lexer_next(struct cel_lexer *l)
{
	uint8_t action;

	skip(l);
	if (l->p == l->end)
		return token(l, CEL_TOK_END, l->p);
	action = actions[(unsigned char)*l->p];
	switch (action) {
	case A_WORD:
		return word(l);
	case A_PREFIX:
		return word_or_text(l);
	case A_DIGIT:
		return number(l);
	case A_QUOTE:
		return text(l, l->p, CEL_TOK_STRING, false);
	case A_BACK_QUOTE:
		return quoted(l);
	case A_DOT:
		if (fraction(l, l->p) != l->p)
			return token(l, CEL_TOK_FLOAT, exponent(l, fraction(l, l->p)));
		return token(l, CEL_TOK_DOT, l->p + 1);
	case A_SLASH:
		return token(l, CEL_TOK_SLASH, l->p + 1);
	case A_LT:
		return one_or_two(l, '=', CEL_TOK_LT, CEL_TOK_LE);
	case A_GT:
		return one_or_two(l, '=', CEL_TOK_GT, CEL_TOK_GE);
	case A_EQ:
		return one_or_two(l, '=', CEL_TOK_BAD, CEL_TOK_EQ);
	case A_NOT:
		return one_or_two(l, '=', CEL_TOK_NOT, CEL_TOK_NE);
	case A_AND:
		return one_or_two(l, '&', CEL_TOK_BAD, CEL_TOK_AND);
	case A_OR:
		return one_or_two(l, '|', CEL_TOK_BAD, CEL_TOK_OR);
	case CEL_TOK_BAD:
		return bad(l);
	default:
		return token(l, (enum cel_token_kind)action, l->p + 1);
	}
}
