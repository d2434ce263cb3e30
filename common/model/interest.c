/*
 * The record and the client's command are two tables over one struct: they share signal and
 * context, and differ in who says what. A command's `ts` is the client's clock and its `event` the
 * client's id; the record's are ours.
 */
#include "common/model/interest.h"

#include "common/model/record_out.h"

const char *const signal_kind_names[] = { "view", "dwell", "touch", "ask", "wishlist", NULL };
const char *const signal_source_names[] = { "", "touch", "pointer", "viewer-ray",
	"transient-pointer", NULL };
const char *const device_names[] = { "", "ar-headset", "phone", "desktop", "console", "server",
	NULL };

#define AT(member) offsetof(struct interest, member)

/* clang-format off */
#define SIGNAL_AND_CONTEXT                                                                           \
	{ "signal.kind", FIELD_ENUM, FIELD_REQUIRED, AT(signal_kind), 0, signal_kind_names },          \
	{ "signal.dwell_ms", FIELD_COUNT, 0, AT(dwell_ms), 0, NULL },                                   \
	{ "signal.source", FIELD_ENUM, 0, AT(signal_source), 0, signal_source_names },                 \
	{ "context.place", FIELD_STR, 0, AT(place), 128, NULL },                                       \
	{ "context.device", FIELD_ENUM, 0, AT(device), 0, device_names },                              \
	{ "context.locale", FIELD_STR, 0, AT(locale), 64, NULL },                                      \
	{ "context.app", FIELD_STR, 0, AT(app), 64, NULL },                                            \
	{ "context.geo.h3", FIELD_HEX, 0, AT(h3), 16, NULL },                                          \
	{ "context.consent.personalization", FIELD_BOOL, 0, AT(consent_personalization), 0, NULL },    \
	{ "context.consent.location", FIELD_BOOL, 0, AT(consent_location), 0, NULL }
/* clang-format on */

static const struct field record_fields[] = {
	{ "id", FIELD_ID, FIELD_REQUIRED, AT(id), 0, NULL },
	{ "client_id", FIELD_ID, 0, AT(client_id), 0, NULL },
	{ "ts", FIELD_TIME, FIELD_REQUIRED, AT(ts), 0, NULL },
	{ "client_ts", FIELD_TIME, 0, AT(client_ts), 0, NULL },
	{ "user", FIELD_USER, FIELD_REQUIRED, AT(user), 0, NULL },
	{ "session", FIELD_ID, FIELD_REQUIRED, AT(session), 0, NULL },
	{ "wallet", FIELD_WALLET, 0, AT(wallet), 0, NULL },
	{ "item", FIELD_ITEM, FIELD_REQUIRED, AT(item), 0, NULL },
	SIGNAL_AND_CONTEXT,
};

const struct record_type interest_type = {
	.name = "interest",
	.fields = record_fields,
	.n_fields = ARRAY_LEN(record_fields),
	.size = sizeof(struct interest),
};

static const struct field command_fields[] = {
	{ "event", FIELD_ID, 0, AT(client_id), 0, NULL },
	{ "item", FIELD_ITEM, FIELD_REQUIRED, AT(item), 0, NULL },
	SIGNAL_AND_CONTEXT,
	{ "ts", FIELD_TIME, 0, AT(client_ts), 0, NULL },
	{ "user", FIELD_USER, 0, AT(user), 0, NULL },
};

const struct record_type interest_command_type = {
	.name = "interest command",
	.fields = command_fields,
	.n_fields = ARRAY_LEN(command_fields),
	.size = sizeof(struct interest),
};

static void context_json(struct json_out *j, const struct interest *i)
{
	json_begin(j, "context");
	json_str_opt(j, "place", i->place);
	name_json_opt(j, "device", device_names[i->device]);
	json_str_opt(j, "locale", i->locale);
	json_str_opt(j, "app", i->app);
	if (str_is_set(i->h3)) {
		json_begin(j, "geo");
		json_str(j, "h3", i->h3);
		json_end(j);
	}
	if (i->consent_personalization != TRI_ABSENT || i->consent_location != TRI_ABSENT) {
		json_begin(j, "consent");
		tribool_json(j, "personalization", i->consent_personalization);
		tribool_json(j, "location", i->consent_location);
		json_end(j);
	}
	json_end(j);
}

static bool has_context(const struct interest *i)
{
	return str_is_set(i->place) || i->device || str_is_set(i->locale) || str_is_set(i->app) ||
	       str_is_set(i->h3) || i->consent_personalization || i->consent_location;
}

void interest_json(struct json_out *j, const char *key, const struct interest *i)
{
	json_begin(j, key);
	json_str(j, "id", i->id);
	json_str_opt(j, "client_id", i->client_id);
	json_i64(j, "ts", i->ts);
	i64_json_opt(j, "client_ts", i->client_ts);
	json_str(j, "user", i->user);
	json_str(j, "session", i->session);
	json_str_opt(j, "wallet", i->wallet);
	json_str(j, "item", i->item);
	json_begin(j, "signal");
	json_strz(j, "kind", signal_kind_names[i->signal_kind]);
	i64_json_opt(j, "dwell_ms", i->dwell_ms);
	name_json_opt(j, "source", signal_source_names[i->signal_source]);
	json_end(j);
	if (has_context(i))
		context_json(j, i);
	json_end(j);
}
