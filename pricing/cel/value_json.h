#pragma once

/*
 * Values and types as JSON, the way the CEL conformance suite writes them: the proto3 JSON forms of
 * cel.expr.Value and cel.expr.Type. For the command line and tests; no hot path.
 *
 *	{"int64Value":"5"} {"uint64Value":"5"} {"doubleValue":1.5} {"doubleValue":"NaN"}
 *	{"stringValue":"x"} {"bytesValue":"AAE="} {"boolValue":true} {"nullValue":null}
 *	{"listValue":{"values":[…]}} {"mapValue":{"entries":[{"key":…,"value":…}]}}
 *	{"typeValue":"int"}
 *	{"objectValue":{"@type":"type.googleapis.com/google.protobuf.Timestamp","value":"…Z"}}
 *	{"objectValue":{"@type":"type.googleapis.com/google.protobuf.Duration","value":"1.5s"}}
 * and of our own
 *	{"moneyValue":{"amount":"1250000000000000000","currency":"ETH"}} {"bpsValue":"-500"}
 */
#include <jansson.h>

#include "common/base/arena.h"
#include "common/base/fault.h"
#include "common/base/json_out.h"
#include "pricing/cel/value.h"

#define TIMESTAMP_URL "type.googleapis.com/google.protobuf.Timestamp"
#define DURATION_URL  "type.googleapis.com/google.protobuf.Duration"

/* Texts, lists and maps are copied into @a. 0; -EINVAL with @f naming the member and what is
 * allowed; -ENOMEM (the arena). */
MUST_CHECK int cel_value_from_json(
	struct cel_value *ret, const json_t *json, struct arena *a, struct fault *f);
/* Plain JSON, as people write it: numbers without a point are int, others double, objects are maps
 * with texts as keys. An object whose only member is one of the above is that. */
MUST_CHECK int cel_value_from_plain_json(
	struct cel_value *ret, const json_t *json, struct arena *a, struct fault *f);
/* Appends. Not of errors (assert). */
void cel_value_to_json(struct buf *out, struct cel_value v);

/* {"primitive":"INT64"} {"null":null} {"dyn":{}} {"listType":{"elemType":…}}
 * {"mapType":{"keyType":…,"valueType":…}} {"messageType":"google.protobuf.Duration"}
 * {"wellKnown":"TIMESTAMP"} {"type":{…}}. Errors as above. */
MUST_CHECK int cel_type_from_json(
	const struct cel_type **ret, const json_t *json, struct arena *a, struct fault *f);

/* What a variable with this value is declared as: lists and maps of one type have it, mixed and
 * empty ones are dyn. NULL when the arena is exhausted. */
const struct cel_type *cel_type_of_value(struct cel_value v, struct arena *a);
/* Whether a variable declared so may have it: programs rely on it. */
bool cel_value_fits(struct cel_value v, const struct cel_type *t);
