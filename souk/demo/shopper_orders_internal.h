#pragma once

/* Shared by shopper_orders.c (what a shopper does) and shopper_orders_told.c (what it hears). */
#include "common/base/histogram.h"
#include "common/io/loop.h"
#include "common/model/ids.h"
#include "souk/demo/order_plan.h"
#include "souk/demo/shopper.h"

enum command_kind { COMMAND_NONE, COMMAND_PLACE, COMMAND_OTHER_BODY, COMMAND_STATUS };

/* An offer that the shopper thinks about. */
struct intent {
	bool is_used, is_withdrawn;
	uint64_t k;
	struct order_plan plan;
	int64_t due_us;
	char offer[40];
	char *first, *newest, *item;
};

struct placed {
	bool is_used, is_acked, is_over;
	bool was_cut; /* its session ended: what was pushed meanwhile is lost */
	bool wants_status, asked_in_quiet;
	bool must_repeat; /* acknowledged once, and nobody knows it: order it again */
	bool other_body_sent, other_body_waits;
	char name[48]; /* the client's id */
	struct id id;  /* Souk's */
	struct order_plan plan;
	char *quote, *item;
	int64_t first_us;
	int64_t next_us;           /* when to do what is to be done next */
	int64_t news_us;           /* when something was last heard of it */
	int64_t n, session_n;      /* highest told; by this session */
	unsigned asked, not_found; /* since it last heard a state */
	uint64_t serial;
};

struct shopper_orders {
	struct shopper *s;
	struct shoppers_shared *shared;
	struct shopper_order_counts *counts;
	struct intent intents[SHOPPER_INTENTS];
	struct placed placed[SHOPPER_ORDERS];
	struct {
		uint64_t id;
		enum command_kind kind;
		struct placed *p;
	} flight[SHOPPER_ORDERS_FLIGHT];
	uint64_t serial;
};

static inline int64_t shopper_orders_now_us(const struct shopper_orders *o)
{
	return loop_mono_us(o->shared->loop);
}
/* Sends; false: not connected, or enough is unanswered. */
bool shopper_orders_say(struct shopper_orders *o, enum command_kind kind, struct placed *p);
/* What command @id was; COMMAND_NONE: not one of these, or forgotten. */
enum command_kind shopper_orders_land(struct shopper_orders *o, uint64_t id, struct placed **ret);
