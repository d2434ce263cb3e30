/*
 * Outcomes are written by executors only, but read by whoever follows an order, void ones included:
 * the epoch has to be readable before anything else can be believed, so all of it is required.
 */
#include "common/model/ledger.h"

#include "common/model/record_out.h"

static const char *const outcome_names[] = { "outcome", NULL };

static const struct field outcome_fields[] = {
	{ "type", FIELD_CONST, FIELD_REQUIRED, offsetof(struct outcome_record, type), 0,
		outcome_names },
	{ "shard", FIELD_COUNT, FIELD_REQUIRED, offsetof(struct outcome_record, shard), 0, NULL },
	{ "epoch", FIELD_COUNT, FIELD_REQUIRED, offsetof(struct outcome_record, epoch), 0, NULL },
	{ "order", FIELD_ID, FIELD_REQUIRED, offsetof(struct outcome_record, order), 0, NULL },
	{ "item", FIELD_ITEM, FIELD_REQUIRED, offsetof(struct outcome_record, item), 0, NULL },
	{ "step", FIELD_COUNT, FIELD_REQUIRED, offsetof(struct outcome_record, step), 0, NULL },
	{ "state", FIELD_ENUM, FIELD_REQUIRED, offsetof(struct outcome_record, state), 0,
		order_state_names },
	{ "reason", FIELD_ID, 0, offsetof(struct outcome_record, reason), 64, NULL },
	{ "tx", FIELD_ID, 0, offsetof(struct outcome_record, tx), 0, NULL },
	{ "block", FIELD_COUNT, 0, offsetof(struct outcome_record, block), 0, NULL },
	{ "dry_run", FIELD_BOOL, 0, offsetof(struct outcome_record, dry_run), 0, NULL },
	{ "ts", FIELD_TIME, FIELD_REQUIRED, offsetof(struct outcome_record, ts), 0, NULL },
};

const struct record_type outcome_record_type = {
	.name = "outcome",
	.fields = outcome_fields,
	.n_fields = ARRAY_LEN(outcome_fields),
	.size = sizeof(struct outcome_record),
};

void outcome_record_json(struct json_out *j, const struct outcome_record *o)
{
	json_begin(j, NULL);
	json_strz(j, "type", "outcome");
	json_i64(j, "shard", o->shard);
	json_i64(j, "epoch", o->epoch);
	json_str(j, "order", o->order);
	json_str(j, "item", o->item);
	json_i64(j, "step", o->step);
	json_strz(j, "state", order_state_names[o->state]);
	json_str_opt(j, "reason", o->reason);
	json_str_opt(j, "tx", o->tx);
	i64_json_opt(j, "block", o->block);
	tribool_json(j, "dry_run", o->dry_run);
	json_i64(j, "ts", o->ts);
	json_end(j);
}
