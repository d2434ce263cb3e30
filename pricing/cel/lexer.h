#pragma once

/*
 * Text to tokens, one at a time, as CEL.g4 of cel-go cuts them: the longest match, keywords only
 * `true`, `false`, `null` and `in` (the other reserved words are names that the parser refuses).
 * Nothing is copied and nothing is decoded: a token is a range of the source.
 */
#include <stdbool.h>
#include <stdint.h>

#include "common/base/str.h"

enum cel_token_kind {
	CEL_TOK_BAD,        /* a character (whole, if it is UTF-8) that begins no token */
	CEL_TOK_UNFINISHED, /* a text whose closing quote is missing: up to the end of the line */
	CEL_TOK_END,
	CEL_TOK_IDENT,
	CEL_TOK_QUOTED, /* `content-type`, the quotes included */
	CEL_TOK_INT,
	CEL_TOK_UINT,
	CEL_TOK_FLOAT,
	CEL_TOK_STRING, /* prefix and quotes included */
	CEL_TOK_BYTES,
	CEL_TOK_TRUE,
	CEL_TOK_FALSE,
	CEL_TOK_NULL,
	CEL_TOK_IN,
	CEL_TOK_LT,
	CEL_TOK_LE,
	CEL_TOK_GT,
	CEL_TOK_GE,
	CEL_TOK_EQ,
	CEL_TOK_NE,
	CEL_TOK_AND,
	CEL_TOK_OR,
	CEL_TOK_NOT,
	CEL_TOK_PLUS,
	CEL_TOK_MINUS,
	CEL_TOK_STAR,
	CEL_TOK_SLASH,
	CEL_TOK_PERCENT,
	CEL_TOK_QUESTION,
	CEL_TOK_COLON,
	CEL_TOK_COMMA,
	CEL_TOK_DOT,
	CEL_TOK_LPAREN,
	CEL_TOK_RPAREN,
	CEL_TOK_LBRACKET,
	CEL_TOK_RBRACKET,
	CEL_TOK_LBRACE,
	CEL_TOK_RBRACE,
	CEL_TOK_N,
};

struct cel_token {
	uint8_t kind;
	bool is_plain; /* STRING, BYTES: what is between the quotes is the value as it stands */
	uint32_t begin, end;
};

struct cel_lexer {
	const char *source, *p, *end;
	bool has_wide; /* some byte above 0x7f was seen: the source may be bad UTF-8 */
};

/* @source: less than 4 GiB, borrowed. */
void cel_lexer_init(struct cel_lexer *l, struct str source);
/* After the last token: CEL_TOK_END, as often as asked. */
struct cel_token cel_lexer_next(struct cel_lexer *l);
