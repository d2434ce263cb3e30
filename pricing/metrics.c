#include "pricing/metrics.h"

static const struct metric_def EVENTS = { "souk_pricing_events_total", METRIC_COUNTER,
	"Interest events received.", NULL };
static const struct metric_def REPEATS = { "souk_pricing_repeats_total", METRIC_COUNTER,
	"Interest events skipped because they were decided within the lifetime of an offer.",
	NULL };
static const struct metric_def DEAD_LETTERS = { "souk_pricing_dead_letters_total", METRIC_COUNTER,
	"Interest events without a readable id, user or session.", NULL };
static const struct metric_def DECISIONS = { "souk_pricing_decisions_total", METRIC_COUNTER,
	"Decisions made.", "outcome" };
static const struct metric_def REASONS = { "souk_pricing_reasons_total", METRIC_COUNTER,
	"Decisions without an offer, by reason.", "reason" };
static const struct metric_def RESENT = { "souk_pricing_resent_total", METRIC_COUNTER,
	"Messages sent again after a failed delivery.", NULL };
static const struct metric_def UNSENDABLE = { "souk_pricing_unsendable_total", METRIC_COUNTER,
	"Messages given up because the broker takes none that large.", NULL };
static const struct metric_def HELD = { "souk_pricing_holds_total", METRIC_COUNTER,
	"Times that reading of a partition was held back.", NULL };
static const struct metric_def CUT_HEADERS = { "souk_pricing_dead_letter_headers_cut_total",
	METRIC_COUNTER, "Headers of dead letters that had no room beside ours.", NULL };
static const struct metric_def FORGOTTEN = { "souk_pricing_decisions_forgotten_total",
	METRIC_COUNTER, "Decisions that could not be remembered for want of memory.", NULL };
static const struct metric_def OWNER = { "souk_pricing_owner_changes_total", METRIC_COUNTER,
	"Partitions that became ours or were taken from us.", "change" };
static const struct metric_def IN_FLIGHT = { "souk_pricing_events_in_flight", METRIC_GAUGE,
	"Events received and not yet answered and acknowledged.", NULL };
static const struct metric_def JOIN = { "souk_pricing_join_seconds", METRIC_HISTOGRAM_SECONDS,
	"From asking the cache to all rows of a batch.", NULL };
static const struct metric_def DECISION = { "souk_pricing_decision_seconds",
	METRIC_HISTOGRAM_SECONDS, "From receiving an event to its decision.", NULL };
static const struct metric_def REVISIONS = { "souk_pricing_revisions_total", METRIC_COUNTER,
	"Revisions of live offers, withdrawals included, by what changed.", "cause" };
static const struct metric_def WITHDRAWN = { "souk_pricing_withdrawn_total", METRIC_COUNTER,
	"Live offers withdrawn, by reason.", "reason" };
static const struct metric_def UNCHANGED = { "souk_pricing_revisions_unchanged_total",
	METRIC_COUNTER, "Live offers priced again with nothing new to tell.", NULL };
static const struct metric_def CONFLATED = { "souk_pricing_changes_conflated_total", METRIC_COUNTER,
	"Changes under a live offer that already waited to be priced again.", NULL };
static const struct metric_def NOT_FOLLOWED = { "souk_pricing_offers_not_followed_total",
	METRIC_COUNTER, "Offers issued that do not follow the market: pricing.live_max.", NULL };
static const struct metric_def FOLLOWED = { "souk_pricing_offers_followed", METRIC_GAUGE,
	"Live offers that follow the market.", NULL };
static const struct metric_def REVISION = { "souk_pricing_revision_seconds",
	METRIC_HISTOGRAM_SECONDS,
	"From hearing of a change to its revision given to the bus, conflation included.", NULL };

static const struct metric_def RESTORED = { "souk_pricing_restored_records_total", METRIC_COUNTER,
	"Decisions log read by a new owner of a partition, by what the record was.", "record" };
static const struct metric_def RESTORE = { "souk_pricing_restore_seconds", METRIC_HISTOGRAM_SECONDS,
	"From the owner record of a partition to its first event: reading what was shown before.",
	NULL };

static const struct metric_def RULES_FAILED = { "souk_pricing_rules_failed_total", METRIC_COUNTER,
	"Times a rule could not be evaluated, and was left out of a decision.", NULL };
static const struct metric_def RULES_LEFT_OUT = { "souk_pricing_rules_left_out_total",
	METRIC_COUNTER,
	"Times a rule was left out of a decision for want of consent, or because more fired than "
	"a decision may name.",
	NULL };

static const char *const restored_names[] = { "owner", "restored", "past", "void", "unreadable" };
static const enum reason WITHDRAWING[] = { REASON_SOLD_OUT, REASON_NO_LISTING, REASON_NOT_FOR_SALE,
	REASON_GUARD_CONFLICT, REASON_SUPPRESSED, REASON_CIRCUIT_OPEN, REASON_PAUSED,
	REASON_RULE_CHANGE };

void pricing_metrics_init(struct pricing_metrics *ret, struct metrics *m)
{
	*ret = (struct pricing_metrics){
		.events = metrics_counter(m, &EVENTS, NULL),
		.repeats = metrics_counter(m, &REPEATS, NULL),
		.dead_letters = metrics_counter(m, &DEAD_LETTERS, NULL),
		.resent = metrics_counter(m, &RESENT, NULL),
		.unsendable = metrics_counter(m, &UNSENDABLE, NULL),
		.held = metrics_counter(m, &HELD, NULL),
		.cut_headers = metrics_counter(m, &CUT_HEADERS, NULL),
		.forgotten = metrics_counter(m, &FORGOTTEN, NULL),
		.acquired = metrics_counter(m, &OWNER, "acquired"),
		.lost = metrics_counter(m, &OWNER, "lost"),
		.in_flight = metrics_gauge(m, &IN_FLIGHT, NULL),
		.join = metrics_histogram(m, &JOIN, NULL),
		.decision = metrics_histogram(m, &DECISION, NULL),
		.unchanged = metrics_counter(m, &UNCHANGED, NULL),
		.conflated = metrics_counter(m, &CONFLATED, NULL),
		.not_followed = metrics_counter(m, &NOT_FOLLOWED, NULL),
		.followed = metrics_gauge(m, &FOLLOWED, NULL),
		.revision = metrics_histogram(m, &REVISION, NULL),
		.restore = metrics_histogram(m, &RESTORE, NULL),
		.rules_failed = metrics_counter(m, &RULES_FAILED, NULL),
		.rules_left_out = metrics_counter(m, &RULES_LEFT_OUT, NULL),
	};
	for (int i = 0; i < RESTORED_KINDS; i++)
		ret->restored[i] = metrics_counter(m, &RESTORED, restored_names[i]);
	for (int i = CAUSE_MARKET; i < PRICING_CAUSES; i++)
		ret->revisions[i] = metrics_counter(m, &REVISIONS, decision_cause_names[i]);
	for (size_t i = 0; i < ARRAY_LEN(WITHDRAWING); i++)
		ret->withdrawn[WITHDRAWING[i]] =
			metrics_counter(m, &WITHDRAWN, reason_names[WITHDRAWING[i]]);
	for (int i = 0; i < PRICING_OUTCOMES; i++)
		ret->decisions[i] = metrics_counter(m, &DECISIONS, decision_outcome_names[i]);
	for (int i = REASON_NONE + 1; i < PRICING_REASONS; i++)
		ret->reasons[i] = metrics_counter(m, &REASONS, reason_names[i]);
}
