/*
 * What to say when a token does not fit. The text is ANTLR's, as cel-go prints it (without its list
 * of everything that would have fitted); the hint is ours, and is for people who come from a
 * spreadsheet, from SQL, or from a text editor that made their quotes curly.
 */
#include "pricing/cel/parse_impl.h"

#include <stdio.h>

#include "pricing/cel/literal.h"

#define SHOWN_MAX 48 /* bytes of a token in a message */

/* @t as it can stand in one line: control characters as \x.., cut if it is long. */
static const char *show(char ret[SHOWN_MAX], struct str t)
{
	size_t n = 0;

	for (size_t i = 0; i < t.n;) {
		size_t width = str_utf8_len((struct str){ t.p + i, t.n - i });
		unsigned char c = (unsigned char)t.p[i];
		bool is_plain = width > 1 || (width == 1 && c >= 0x20 && c != 0x7f);

		if (n + 8 > SHOWN_MAX) {
			n += (size_t)snprintf(ret + n, SHOWN_MAX - n, "...");
			break;
		}
		if (is_plain) {
			memcpy(ret + n, t.p + i, width);
			n += width;
			i += width;
		} else {
			n += (size_t)snprintf(ret + n, SHOWN_MAX - n, "\\x%02x", c);
			i++;
		}
	}
	ret[n] = '\0';
	return ret;
}

static bool is_word(struct str t, const char *lower, const char *upper)
{
	return str_eqz(t, lower) || str_eqz(t, upper);
}

static bool begins_operand(enum cel_token_kind kind)
{
	return (kind >= CEL_TOK_IDENT && kind <= CEL_TOK_NULL) || kind == CEL_TOK_LPAREN;
}

static bool is_operator(enum cel_token_kind kind)
{
	return kind >= CEL_TOK_IN && kind <= CEL_TOK_PERCENT;
}

static bool is_opening(enum cel_token_kind kind)
{
	return kind == CEL_TOK_LPAREN || kind == CEL_TOK_LBRACKET || kind == CEL_TOK_LBRACE;
}

static bool is_closing(enum cel_token_kind kind)
{
	return kind == CEL_TOK_RPAREN || kind == CEL_TOK_RBRACKET || kind == CEL_TOK_RBRACE;
}

/* ---- characters that begin no token ---- */

static const struct {
	const char *character;
	const char *meant;
} meant_characters[] = {
	{ "&", "&&" },
	{ "|", "||" },
	{ "=", "==" },
	{ "\u201c", "\"" },
	{ "\u201d", "\"" },
	{ "\u201e", "\"" },
	{ "\u00ab", "\"" },
	{ "\u00bb", "\"" },
	{ "\u2018", "'" },
	{ "\u2019", "'" },
	{ "\u2013", "-" },
	{ "\u2014", "-" },
	{ "\u2212", "-" },
	{ "\u00d7", "*" },
	{ "\u00f7", "/" },
	{ "\u2265", ">=" },
	{ "\u2264", "<=" },
	{ "\u2260", "!=" },
	{ "\u00ac", "!" },
	{ "\u2227", "&&" },
	{ "\u2228", "||" },
	{ "\u2208", "in" },
};

static const struct {
	const char *character;
	const char *hint;
} explained_characters[] = {
	{ "#", "a comment begins with `//`" },
	{ ";", "an expression is one value; nothing ends it" },
	{ "$", "names are made of letters, digits and `_`" },
	{ "@", "names are made of letters, digits and `_`" },
	{ "`", "in back quotes stands a field's name: a.`content-type`" },
	{ "\\", "escapes have a meaning only inside of quotes" },
	{ "\u00a0", "a no-break space: write a plain one" },
	{ "\ufeff", "a byte order mark: leave it out" },
};

static void hint_character(const struct cel_parser *p, struct cel_diag *d)
{
	struct str t = cel_parse_text(p, p->tok);
	char after = p->tok.end < p->source.n ? p->source.p[p->tok.end] : '\0';

	if (str_eqz(t, "=") && (after == '>' || after == '<')) {
		cel_diag_hint(d, "did you mean `%c=`?", after);
		return;
	}
	if (str_eqz(t, "=") && p->prev.kind == CEL_TOK_NE && p->prev.end == p->tok.begin) {
		cel_diag_hint(d, "did you mean `!=`?");
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(meant_characters); i++) {
		if (str_eqz(t, meant_characters[i].character)) {
			cel_diag_hint(d, "did you mean `%s`?", meant_characters[i].meant);
			return;
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(explained_characters); i++) {
		if (str_eqz(t, explained_characters[i].character)) {
			cel_diag_hint(d, "%s", explained_characters[i].hint);
			return;
		}
	}
}

static void hint_unfinished(const struct cel_parser *p, struct cel_diag *d)
{
	const char *quote = p->source.p + p->tok.begin;
	const char *end = p->source.p + p->tok.end;

	while (*quote != '"' && *quote != '\'')
		quote++;
	if (end - quote >= 3 && quote[1] == quote[0] && quote[2] == quote[0])
		cel_diag_hint(d, "the closing %.3s is missing", quote);
	else
		cel_diag_hint(d, "the closing %c is missing", *quote);
}

/* ---- tokens in the wrong place ---- */

/* Words of other languages; whether there was one. */
static bool hint_word(const struct cel_parser *p, struct cel_diag *d)
{
	struct str now = cel_parse_text(p, p->tok);
	struct str before = cel_parse_text(p, p->prev);
	const char *meant = NULL;

	if (p->prev.kind == CEL_TOK_IDENT && is_word(before, "not", "NOT"))
		meant = p->tok.kind == CEL_TOK_IN ? "!(x in y)" : "!";
	else if (p->tok.kind != CEL_TOK_IDENT)
		return false;
	else if (is_word(now, "and", "AND"))
		meant = "&&";
	else if (is_word(now, "or", "OR"))
		meant = "||";
	else if (is_word(now, "is", "IS") || is_word(now, "eq", "equals"))
		meant = "==";
	else if (is_word(now, "not", "NOT"))
		meant = "!";
	else if (is_word(now, "IN", "In"))
		meant = "in";
	if (meant)
		cel_diag_hint(d, "did you mean `%s`?", meant);
	return meant != NULL;
}

static void hint_opening(const struct cel_parser *p, struct cel_diag *d, uint32_t opening)
{
	unsigned line, column;

	cel_position(p->source, opening, &line, &column);
	cel_diag_hint(d, "the `%c` of %u:%u is not closed", p->source.p[opening], line, column);
}

/* Where a value should begin and @expecting says so. */
static void hint_missing_value(const struct cel_parser *p, struct cel_diag *d)
{
	char before[SHOWN_MAX];

	if (p->tok.kind == CEL_TOK_QUOTED) {
		cel_diag_hint(d, "back quotes are for fields only: a.`b-c`; a text is \"b-c\"");
	} else if (p->prev.end == 0) {
		cel_diag_hint(d, "an expression is missing");
	} else if (p->tok.kind == CEL_TOK_END && is_opening(p->prev.kind)) {
		hint_opening(p, d, p->prev.begin);
	} else if (p->prev.kind == CEL_TOK_LT && p->tok.kind == CEL_TOK_GT) {
		cel_diag_hint(d, "did you mean `!=`?");
	} else if (p->prev.kind == CEL_TOK_SLASH && p->tok.kind == CEL_TOK_STAR) {
		cel_diag_hint(d, "a comment begins with `//` and ends with the line");
	} else if (p->prev.kind == CEL_TOK_PERCENT && p->with_money) {
		cel_diag_hint(d, "`%%` is the remainder of a division; 2.5 percent are bps(250)");
	} else if (p->prev.kind == CEL_TOK_NOT && p->tok.kind == CEL_TOK_MINUS) {
		cel_diag_hint(d, "`!` and `-` need parentheses between them");
	} else if (is_operator(p->prev.kind) || p->prev.kind == CEL_TOK_QUESTION ||
		   p->prev.kind == CEL_TOK_COLON) {
		cel_diag_hint(
			d, "a value has to follow `%s`", show(before, cel_parse_text(p, p->prev)));
	}
}

/* Behind a whole value. */
static void hint_superfluous(const struct cel_parser *p, struct cel_diag *d)
{
	char now[SHOWN_MAX];

	show(now, cel_parse_text(p, p->tok));
	if (is_closing(p->tok.kind))
		cel_diag_hint(d, "`%s` closes nothing that is open", now);
	else if (p->tok.kind == CEL_TOK_IDENT && p->prev.end == p->tok.begin)
		cel_diag_hint(d, "a number ends before letters; a length of time is "
				 "duration(\"90s\")");
	else if (p->tok.kind == CEL_TOK_COMMA)
		cel_diag_hint(d, "several values make a list: [a, b]");
	else if (p->tok.kind == CEL_TOK_COLON)
		cel_diag_hint(d, "`:` belongs to a `?` or stands in a map");
	else if (begins_operand(p->tok.kind))
		cel_diag_hint(d, "an operator is missing before `%s`", now);
}

static struct cel_diag *say(struct cel_parser *p, const char *expecting)
{
	char now[SHOWN_MAX];

	show(now, cel_parse_text(p, p->tok));
	p->has_failed = true;
	if (p->tok.kind == CEL_TOK_BAD || p->tok.kind == CEL_TOK_UNFINISHED)
		return cel_diag_add(p->diags, CEL_STAGE_PARSE, CEL_E_SYNTAX, p->tok.begin,
			"Syntax error: token recognition error at: '%s'", now);
	return cel_diag_add(p->diags, CEL_STAGE_PARSE, CEL_E_SYNTAX, p->tok.begin,
		"Syntax error: mismatched input '%s' expecting %s",
		p->tok.kind == CEL_TOK_END ? "<EOF>" : now, expecting);
}

/* Whether the token itself tells what was meant. */
static bool hint_token(const struct cel_parser *p, struct cel_diag *d)
{
	if (p->tok.kind == CEL_TOK_BAD)
		hint_character(p, d);
	else if (p->tok.kind == CEL_TOK_UNFINISHED)
		hint_unfinished(p, d);
	else
		return hint_word(p, d);
	return true;
}

/* Behind a dot, or the brace of a message. */
static void hint_field(const struct cel_parser *p, struct cel_diag *d)
{
	char now[SHOWN_MAX];

	show(now, cel_parse_text(p, p->tok));
	if (p->tok.kind >= CEL_TOK_TRUE && p->tok.kind <= CEL_TOK_IN)
		cel_diag_hint(d, "a field of that name is written in back quotes: .`%s`", now);
	else if (p->tok.kind == CEL_TOK_STRING && p->prev.kind == CEL_TOK_DOT)
		cel_diag_hint(d, "a key that is a text is written in brackets: [%s]", now);
	else if (p->prev.kind == CEL_TOK_DOT)
		cel_diag_hint(d, "a name has to follow `.`");
	else if (p->tok.kind == CEL_TOK_END && is_opening(p->prev.kind))
		hint_opening(p, d, p->prev.begin);
	else
		cel_diag_hint(d, "behind the name of a message stand fields: {field: value}");
}

struct cel_node *cel_parse_unexpected(struct cel_parser *p, enum cel_expected expected)
{
	static const char *const names[] = {
		[CEL_EXPECT_VALUE] = "an expression",
		[CEL_EXPECT_NUMBER] = "a number",
		[CEL_EXPECT_NAME] = "IDENTIFIER",
		[CEL_EXPECT_FIELD] = "{IDENTIFIER, ESC_IDENTIFIER}",
		[CEL_EXPECT_COLON] = "':'",
		[CEL_EXPECT_END] = "<EOF>",
	};
	struct cel_diag *d;

	if (p->has_failed)
		return NULL;
	d = say(p, names[expected]);
	if (hint_token(p, d))
		return NULL;
	switch (expected) {
	case CEL_EXPECT_VALUE:
	case CEL_EXPECT_NUMBER:
		hint_missing_value(p, d);
		break;
	case CEL_EXPECT_NAME:
	case CEL_EXPECT_FIELD:
		hint_field(p, d);
		break;
	case CEL_EXPECT_COLON:
		cel_diag_hint(d, "in braces stand pairs: {\"key\": value}");
		break;
	case CEL_EXPECT_END:
		hint_superfluous(p, d);
		break;
	}
	return NULL;
}

struct cel_node *cel_parse_unclosed(struct cel_parser *p, uint32_t opening, const char *expecting)
{
	unsigned line, column;
	struct cel_diag *d;

	if (p->has_failed)
		return NULL;
	d = say(p, expecting);
	if (hint_token(p, d))
		return NULL;
	cel_position(p->source, opening, &line, &column);
	if (p->source.p[opening] != '?')
		hint_opening(p, d, opening);
	else if (p->tok.kind == CEL_TOK_QUESTION)
		cel_diag_hint(d, "put the inner `? :` into parentheses");
	else
		cel_diag_hint(d, "the `?` of %u:%u has no `:`", line, column);
	return NULL;
}

/* ---- limits, names, escapes ---- */

struct cel_node *cel_parse_too_deep(struct cel_parser *p, uint32_t offset, const char *what)
{
	struct cel_diag *d;

	if (p->has_failed)
		return NULL;
	p->has_failed = true;
	d = cel_diag_add(
		p->diags, CEL_STAGE_PARSE, CEL_E_TOO_DEEP, offset, "%s: %u", what, p->depth_max);
	cel_diag_hint(d, "make it of several rules, or a table");
	return NULL;
}

struct cel_node *cel_parse_too_large(struct cel_parser *p, uint32_t offset)
{
	if (p->has_failed)
		return NULL;
	p->has_failed = true;
	cel_diag_add(p->diags, CEL_STAGE_PARSE, CEL_E_TOO_LARGE, offset,
		"expression needs more memory than it may");
	return NULL;
}

void cel_parse_unsupported(struct cel_parser *p, uint32_t offset, const char *what)
{
	struct cel_diag *d = cel_diag_add(
		p->diags, CEL_STAGE_PARSE, CEL_E_SYNTAX, offset, "unsupported syntax '%s'", what);

	cel_diag_hint(d, "there are no optional values; has(…) asks whether a value is there");
}

/* Sorted. */
static const char *const reserved[] = { "as", "break", "const", "continue", "else", "for",
	"function", "if", "import", "let", "loop", "namespace", "package", "return", "var", "void",
	"while" };

/* By first letter, the bits of the lengths that they have: nearly every name is out by this. */
static const uint16_t reserved_lengths[26] = {
	['a' - 'a'] = 1 << 2,
	['b' - 'a'] = 1 << 5,
	['c' - 'a'] = 1 << 5 | 1 << 8,
	['e' - 'a'] = 1 << 4,
	['f' - 'a'] = 1 << 3 | 1 << 8,
	['i' - 'a'] = 1 << 2 | 1 << 6,
	['l' - 'a'] = 1 << 3 | 1 << 4,
	['n' - 'a'] = 1 << 9,
	['p' - 'a'] = 1 << 7,
	['r' - 'a'] = 1 << 6,
	['v' - 'a'] = 1 << 3 | 1 << 4,
	['w' - 'a'] = 1 << 5,
};

bool cel_parse_is_reserved(struct str name)
{
	char first = name.p[0];

	if (name.n > 9 || first < 'a' || first > 'z' ||
		!(reserved_lengths[first - 'a'] >> name.n & 1))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(reserved) && reserved[i][0] <= first; i++) {
		if (first == reserved[i][0] && str_eqz(name, reserved[i]))
			return true;
	}
	return false;
}

void cel_parse_reserved(struct cel_parser *p, struct str name, uint32_t offset)
{
	struct cel_diag *d = cel_diag_add(p->diags, CEL_STAGE_PARSE, CEL_E_RESERVED, offset,
		"reserved identifier: " STR_FMT, STR_ARG(name));

	if (str_eqz(name, "if") || str_eqz(name, "else"))
		cel_diag_hint(d, "one of two values: condition ? yes : no");
	else if (str_eqz(name, "for") || str_eqz(name, "while") || str_eqz(name, "loop"))
		cel_diag_hint(d, "lists have all, exists, exists_one, map and filter");
	else
		cel_diag_hint(d, "the language keeps this word for itself: take another name");
}

void cel_parse_bad_escape(struct cel_parser *p, int error, uint32_t offset, struct str escape)
{
	char shown[SHOWN_MAX];
	struct cel_diag *d;

	show(shown, escape);
	if (error == CEL_LITERAL_E_CODE_POINT) {
		d = cel_diag_add(p->diags, CEL_STAGE_PARSE, CEL_E_LITERAL, offset,
			"invalid unicode code point");
		cel_diag_hint(d, "`%s` is no character", shown);
		return;
	}
	d = cel_diag_add(p->diags, CEL_STAGE_PARSE, CEL_E_LITERAL, offset,
		"invalid escape sequence '%s'", shown);
	cel_diag_hint(d, "a backslash itself is written `\\\\`, or the text as r\"...\"");
}
