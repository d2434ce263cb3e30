/*
 * Each item's state is the last thing that happened to it: nothing yet, listed, its best bid, sold.
 * Rows are rebuilt from that at each send; there is no state beside it that could drift.
 */
#include "souk/demo/feeder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "common/base/buf.h"
#include "common/io/record_headers.h"
#include "common/model/item.h"
#include "common/model/tables.h"
#include "common/model/topics.h"

#define NO_EVENT UINT32_MAX

struct item_state {
	uint32_t n; /* 1 + index of the last event */
	u128 best;
	bool is_listed, is_sold;
};

enum row_kind { ROW_ITEM, ROW_PROFILE, ROW_LOYALTY };

/* Which row a delivery report is about. */
struct ticket {
	STAILQ_ENTRY(ticket) link; /* among the lost */
	struct feeder *fd;
	uint32_t event; /* NO_EVENT: of the initial load */
	enum row_kind kind;
	uint32_t index; /* of the auction or user */
	int64_t now_ms;
};
STAILQ_HEAD(tickets, ticket);

struct feeder {
	struct bus *bus;
	const struct schedule *s;
	struct feeder_config config;
	struct item_state *items;
	u128 *spent; /* per user, wei */
	uint32_t *user_n;
	uint32_t load_user, load_item;
	bool is_folded;
	size_t waiting;      /* rows that are not in Kafka yet, the lost included */
	uint8_t *pending;    /* those of each event */
	struct tickets lost; /* refused: to be sent again */
	uint32_t sent_upto, settled;
	struct buf text;
};

int feeder_new(struct feeder **ret, struct bus *bus, const struct schedule *s,
	const struct feeder_config *config)
{
	struct feeder *fd = calloc(1, sizeof(*fd));

	if (!fd)
		return -ENOMEM;
	*fd = (struct feeder){ .bus = bus, .s = s, .config = *config, .text = BUF_INIT(8192) };
	STAILQ_INIT(&fd->lost);
	if (fd->config.n_users > s->n_users)
		fd->config.n_users = s->n_users;
	fd->items = calloc(s->n_auctions ? s->n_auctions : 1, sizeof(*fd->items));
	fd->spent = calloc(s->n_users ? s->n_users : 1, sizeof(*fd->spent));
	fd->user_n = calloc(s->n_users ? s->n_users : 1, sizeof(*fd->user_n));
	fd->pending = calloc(s->n_events ? s->n_events : 1, 1);
	if (!fd->items || !fd->spent || !fd->user_n || !fd->pending) {
		feeder_free(fd);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < s->n_users; i++)
		fd->spent[i] = s->users[i].spent_before;
	*ret = fd;
	return 0;
}

struct feeder *feeder_free(struct feeder *fd)
{
	struct ticket *ticket;

	if (!fd)
		return NULL;
	while ((ticket = STAILQ_FIRST(&fd->lost))) {
		STAILQ_REMOVE_HEAD(&fd->lost, link);
		free(ticket);
	}
	buf_fini(&fd->text);
	free(fd->items);
	free(fd->spent);
	free(fd->user_n);
	free(fd->pending);
	free(fd);
	return NULL;
}

static void settle(struct ticket *ticket)
{
	struct feeder *fd = ticket->fd;

	fd->waiting--;
	if (ticket->event != NO_EVENT)
		fd->pending[ticket->event]--;
	free(ticket);
}

/* A lost row may be in the log, too: the one sent again has its version or a higher one. */
static void sent(void *ctx, int err, int32_t partition, int64_t offset)
{
	struct ticket *ticket = ctx;

	(void)partition;
	(void)offset;
	if (err)
		STAILQ_INSERT_TAIL(&ticket->fd->lost, ticket, link);
	else
		settle(ticket);
}

struct row {
	enum row_kind kind;
	uint32_t index;
	const char *topic;
	struct str key;
	struct version ver;
	bool is_confirmed;
};

static int make_headers(
	struct record_headers *h, const struct row *row, char type[64], int64_t now_ms)
{
	char id[RECORD_ID_MAX], ver[VERSION_TEXT_MAX];
	int r;

	version_format(ver, row->ver);
	snprintf(id, sizeof(id), STR_FMT ":%s", STR_ARG(row->key), ver);
	snprintf(type, 64, "souk.%s", row->topic);
	h->n = 0;
	r = record_headers_cloud_event(h, str_of(id), str_of(type), "demo", NULL, now_ms);
	if (row->is_confirmed)
		record_headers_put(h, "x-souk-confirm", STR("1"));
	return r;
}

/* The row's value lies in the feeder's text. */
static int send_row(struct feeder *fd, uint32_t event, const struct row *row, int64_t now_ms)
{
	struct record_headers headers;
	char type[64];
	int r = make_headers(&headers, row, type, now_ms);

	if (r)
		return r;

	struct ticket *ticket = malloc(sizeof(*ticket));

	if (!ticket)
		return -ENOMEM;
	*ticket = (struct ticket){
		.fd = fd, .event = event, .kind = row->kind, .index = row->index, .now_ms = now_ms
	};
	r = bus_send(fd->bus, &(struct bus_message){
				      .topic = row->topic,
				      .partition = BUS_BY_KEY,
				      .key = row->key,
				      .value = buf_str(&fd->text),
				      .headers = headers.v,
				      .n_headers = headers.n,
				      .sent = sent,
				      .ctx = ticket,
			      });

	if (r) {
		free(ticket);
		return r;
	}
	fd->waiting++;
	if (event != NO_EVENT)
		fd->pending[event]++;
	return 0;
}

static struct json_out fresh(struct feeder *fd)
{
	buf_clear(&fd->text);
	return JSON_OUT(&fd->text);
}

static struct version row_version(const struct feeder *fd, uint32_t n)
{
	return (struct version){ .part = { (uint64_t)fd->config.start_ms, n } };
}

struct version feeder_version(const struct feeder *fd, uint32_t event)
{
	return row_version(fd, event + 2);
}

static int send_item(struct feeder *fd, uint32_t event, uint32_t auction, int64_t now_ms)
{
	const struct auction *a = &fd->s->auctions[auction];
	const struct item_state *st = &fd->items[auction];
	const currency eth = currency_find(STR("ETH"));
	char item[ITEM_MAX], title[64];
	const struct version ver = row_version(fd, st->n + 1);
	struct json_out j = fresh(fd);

	schedule_item(item, a);
	snprintf(title, sizeof(title), "Foundation #%lld", (long long)a->token);
	inventory_json(&j, NULL,
		&(struct inventory){
			.item = str_of(item),
			.ver = ver,
			.list = { schedule_list_price(a, st->best), eth },
			.cost = { a->reserve * 6 / 10, eth },
			.supply = st->is_sold ? 0 : 1,
			.seller = str_of(a->seller),
			.collection = STR(SCHEDULE_SLUG),
			.title = str_of(title),
		});
	return send_row(fd, event,
		&(struct row){ ROW_ITEM, auction, TOPIC_INVENTORY, str_of(item), ver, true },
		now_ms);
}

/* A stable draw in 0..7 from an address, for what the data does not say. */
static unsigned draw8(const char *address)
{
	unsigned h = 0;

	while (*address)
		h = h * 31 + (unsigned char)*address++;
	return (h >> 3) % 8;
}

/* The data knows no consents: one user in eight has given none. */
bool feeder_allows_pricing(const struct schedule_user *u)
{
	return draw8(u->address) != 0;
}

static int send_profile(struct feeder *fd, uint32_t user)
{
	const struct schedule_user *u = &fd->s->users[user];
	const struct version ver = row_version(fd, 1);
	struct json_out j = fresh(fd);

	profile_json(&j, NULL,
		&(struct profile){
			.user = str_of(u->address),
			.ver = ver,
			.segment = u->n_bids >= 20  ? STR("collector")
				   : u->n_bids >= 5 ? STR("regular")
						    : STR("newcomer"),
			.consent = feeder_allows_pricing(u) ? STR("{\"pricing\":true}")
							    : STR("{\"pricing\":false}"),
		});
	return send_row(fd, NO_EVENT,
		&(struct row){ ROW_PROFILE, user, TOPIC_PROFILE, str_of(u->address), ver, false },
		fd->config.start_ms);
}

enum loyalty_tier feeder_tier(u128 spent)
{
	const u128 eth = 1000000000000000000ull;

	return spent >= 20 * eth  ? TIER_PLATINUM
	       : spent >= 5 * eth ? TIER_GOLD
	       : spent >= eth     ? TIER_SILVER
				  : TIER_NONE;
}

static int send_loyalty(struct feeder *fd, uint32_t event, uint32_t user, int64_t now_ms)
{
	const u128 eth = 1000000000000000000ull;
	const u128 spent = fd->spent[user];
	const struct str key = str_of(fd->s->users[user].address);
	const struct version ver = row_version(fd, fd->user_n[user] + 1);
	struct json_out j = fresh(fd);

	loyalty_json(&j, NULL,
		&(struct loyalty){
			.user = key,
			.ver = ver,
			.tier = (int)feeder_tier(spent),
			.points = (int64_t)(spent / (eth / 100)),
		});
	return send_row(fd, event,
		&(struct row){ ROW_LOYALTY, user, TOPIC_LOYALTY, key, ver, false }, now_ms);
}

/* What event @e does to our picture of the world. */
static void fold(struct feeder *fd, uint32_t e)
{
	const struct schedule_event *ev = &fd->s->events[e];
	const struct auction *a = &fd->s->auctions[ev->auction];
	struct item_state *st = &fd->items[ev->auction];

	if (st->n > e)
		return;
	st->n = e + 1;
	if (ev->kind == SCHEDULE_LIST)
		st->is_listed = true;
	else if (ev->kind == SCHEDULE_BID)
		st->best = a->bids[ev->bid].amount;
	else
		st->is_sold = true;
	if (ev->kind == SCHEDULE_SOLD) {
		fd->spent[a->bids[ev->bid].bidder] += a->bids[ev->bid].amount;
		fd->user_n[a->bids[ev->bid].bidder] = e + 1;
	}
}

bool feeder_load(struct feeder *fd, uint32_t upto)
{
	if (!fd->is_folded) {
		for (uint32_t e = 0; e < upto; e++)
			fold(fd, e);
		fd->is_folded = true;
		fd->sent_upto = upto;
	}
	for (; fd->load_user < fd->config.n_users; fd->load_user++) {
		if (fd->waiting > 2000 || send_profile(fd, fd->load_user) ||
			send_loyalty(fd, NO_EVENT, fd->load_user, fd->config.start_ms))
			return false;
	}
	for (; fd->load_item < fd->s->n_auctions; fd->load_item++) {
		if (!fd->items[fd->load_item].is_listed)
			continue;
		if (fd->waiting > 2000 ||
			send_item(fd, NO_EVENT, fd->load_item, fd->config.start_ms))
			return false;
	}
	return true;
}

int feeder_send(struct feeder *fd, uint32_t event, int64_t now_ms)
{
	const struct schedule_event *ev = &fd->s->events[event];
	int r;

	fold(fd, event);
	r = send_item(fd, event, ev->auction, now_ms);
	if (!r && ev->kind == SCHEDULE_SOLD) {
		const uint32_t winner = fd->s->auctions[ev->auction].bids[ev->bid].bidder;

		if (winner < fd->config.n_users)
			r = send_loyalty(fd, event, winner, now_ms);
	}
	return r;
}

void feeder_passed(struct feeder *fd, uint32_t upto)
{
	fd->sent_upto = upto;
}

static int send_again(struct feeder *fd, const struct ticket *t)
{
	switch (t->kind) {
	case ROW_PROFILE:
		return send_profile(fd, t->index);
	case ROW_LOYALTY:
		return send_loyalty(fd, t->event, t->index, t->now_ms);
	default:
		return send_item(fd, t->event, t->index, t->now_ms);
	}
}

static void resend(struct feeder *fd)
{
	struct ticket *t;

	while ((t = STAILQ_FIRST(&fd->lost)) && send_again(fd, t) == 0) {
		STAILQ_REMOVE_HEAD(&fd->lost, link);
		settle(t);
	}
}

uint32_t feeder_settled(struct feeder *fd)
{
	resend(fd);
	while (fd->settled < fd->sent_upto && fd->pending[fd->settled] == 0)
		fd->settled++;
	return fd->settled;
}

size_t feeder_waiting(const struct feeder *fd)
{
	return fd->waiting;
}
