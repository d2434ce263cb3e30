#pragma once

/*
 * One line of `souk rules eval --batch`, and its answer:
 *
 *	{"expr":"x + 1","bindings":{"x":{"value":{"int64Value":"5"}}}} {"value":{"int64Value":"6"}}
 *	{"expr":"x +"}          {"error":{"stage":"parse","message":"ERROR: <input>:1:4: …"}}
 *
 * Beside `expr` and `bindings` a line may have `"check":false` (evaluated without types) and
 * `typeEnv` (declarations, as the CEL conformance suite writes them). Other members are passed
 *over, so that lines may carry what their sender needs. Values are those of
 *pricing/cel/value_json.h.
 *
 * What a variable is comes from the environment that was given, else from `typeEnv`, else from its
 * value: lists and maps of one type have it, mixed and empty ones are dyn.
 */
#include "common/base/arena.h"
#include "common/base/buf.h"
#include "common/base/cleanup.h"
#include "common/base/fault.h"
#include "common/base/str.h"
#include "pricing/cel/env.h"
#include "pricing/cel/program.h"

#define RULES_LINE_MAX   (1024 * 1024)      /* bytes of a line */
#define RULES_ARENA      (64 * 1024 * 1024) /* of each; touched only as far as it is needed */
#define RULES_COST_MAX   100000000          /* of one evaluation, as a belt */
#define RULES_ANSWER_MAX (64 * 1024 * 1024)

/* What evaluations by hand work with: kept from one to the next. */
struct rules_bench {
	struct arena *values, *scratch, *results;
	struct cel_env *declared;    /* of --env; NULL: none */
	struct cel_program *program; /* the last one: its value may borrow from it */
	struct cel_value slots[CEL_VARS_MAX];
};

/* 0; -ENOMEM; -EINVAL or -errno with @f: @env_file (NULL: none) is not there or not right. */
MUST_CHECK int rules_bench_new(struct rules_bench **ret, const char *env_file, struct fault *f);
struct rules_bench *rules_bench_free(struct rules_bench *b);
DEFINE_CLEANUP(struct rules_bench *, rules_bench_free)

/* A failed evaluation, for people and for JSON. */
struct rules_failure {
	enum cel_stage stage;
	struct buf message; /* without a newline at the end */
};

/* Compiles and evaluates over b->slots, which have a value for each variable of @env. 0 and *ret,
 * valid until the next; or -EINVAL with @why. */
MUST_CHECK int rules_evaluate(struct rules_bench *b, struct str expr, const struct cel_env *env,
	bool is_unchecked, struct cel_value *ret, struct rules_failure *why);

/* Answers a line: one JSON object and a newline are appended. @number: of the line, from 1. */
void rules_line(struct rules_bench *b, struct str line, uint64_t number, struct buf *out);
/* The same for a line that was longer than RULES_LINE_MAX. */
void rules_line_too_long(uint64_t number, struct buf *out);

/* {"value":…} or {"error":{…}}, without a newline. */
void rules_write_value(struct buf *out, struct cel_value v);
void rules_write_failure(struct buf *out, const struct rules_failure *why);
