#pragma once

/*
 * Small writers that the records share: members that are absent at their zero value. Internal to
 * common/model.
 */
#include "common/base/json_out.h"
#include "common/model/decode.h"
#include "common/model/version.h"

static inline void version_json(struct json_out *j, const char *key, struct version v)
{
	char text[VERSION_TEXT_MAX];

	version_format(text, v);
	json_strz(j, key, text);
}

static inline void tribool_json(struct json_out *j, const char *key, int v)
{
	if (v != TRI_ABSENT)
		json_bool(j, key, v == TRI_TRUE);
}

static inline void i64_json_opt(struct json_out *j, const char *key, int64_t v)
{
	if (v)
		json_i64(j, key, v);
}

/* @name "" = absent. */
static inline void name_json_opt(struct json_out *j, const char *key, const char *name)
{
	if (*name)
		json_strz(j, key, name);
}
