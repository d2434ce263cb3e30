#include "wallet-bridge/order_table.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "wallet-bridge/order_states.h"

#define OVER_LOOK_MAX 64 /* entries that are over but still referred to */

#define BUYER_OF(node_) \
	((struct order_buyer *)(void *)((char *)(node_)-offsetof(struct order_buyer, node)))

int order_table_init(struct order_table *t)
{
	int r;

	*t = (struct order_table){ 0 };
	TAILQ_INIT(&t->over);
	r = bridge_map_init(&t->by_id);
	return r ? r : bridge_map_init(&t->buyers);
}

static void free_entry(void *ctx, struct bridge_map_node *node)
{
	struct order_entry *e = order_table_entry(node);

	(void)ctx;
	order_entry_drop_aheads(e);
	free(e->session);
	free(e->last.reason);
	free(e->last.tx);
	free(e);
}

static void free_buyer(void *ctx, struct bridge_map_node *node)
{
	(void)ctx;
	free(BUYER_OF(node));
}

void order_table_fini(struct order_table *t)
{
	bridge_map_empty(&t->by_id, free_entry, NULL);
	bridge_map_empty(&t->buyers, free_buyer, NULL);
	bridge_map_fini(&t->by_id);
	bridge_map_fini(&t->buyers);
	TAILQ_INIT(&t->over);
	t->n_open = 0;
}

struct order_entry *order_table_get(const struct order_table *t, struct str id)
{
	struct bridge_map_node *node = bridge_map_get(&t->by_id, id);

	return node ? order_table_entry(node) : NULL;
}

static struct order_buyer *buyer_of(struct order_table *t, struct str user)
{
	struct bridge_map_node *node = bridge_map_get(&t->buyers, user);
	struct order_buyer *b;

	if (node)
		return BUYER_OF(node);
	b = calloc(1, sizeof(*b) + user.n + 1);
	if (!b)
		return NULL;
	if (user.n)
		memcpy(b->user, user.p, user.n);
	b->node.key = (struct str){ b->user, user.n };
	bridge_map_put(&t->buyers, &b->node);
	return b;
}

static void leave_buyer(struct order_table *t, struct order_buyer *b)
{
	if (--b->n_known > 0)
		return;
	bridge_map_remove(&t->buyers, &b->node);
	free(b);
}

static struct str put(char **at, struct str s)
{
	struct str ret = { *at, s.n };

	if (s.n)
		memcpy(*at, s.p, s.n);
	*at += s.n;
	return ret;
}

struct order_entry *order_table_add(struct order_table *t, struct str id, struct str client_id,
	struct str user, struct str item)
{
	struct order_entry *e = calloc(1, sizeof(*e) + id.n + client_id.n + item.n);
	char *at;

	if (!e)
		return NULL;
	e->buyer = buyer_of(t, user);
	if (!e->buyer) {
		free(e);
		return NULL;
	}
	at = e->texts;
	e->id = put(&at, id);
	e->client_id = put(&at, client_id);
	e->item = put(&at, item);
	e->node.key = e->id;
	e->buyer->n_known++;
	e->buyer->n_open++;
	t->n_open++;
	TAILQ_INIT(&e->waiting);
	SLIST_INIT(&e->aheads);
	bridge_map_put(&t->by_id, &e->node);
	return e;
}

struct str order_entry_user(const struct order_entry *e)
{
	return e->buyer->node.key;
}

int64_t order_table_open_of(const struct order_table *t, struct str user)
{
	struct bridge_map_node *node = bridge_map_get(&t->buyers, user);

	return node ? BUYER_OF(node)->n_open : 0;
}

size_t order_table_count(const struct order_table *t)
{
	return t->by_id.n;
}

/* NULL in @ret for an absent text. */
static int copy(char **ret, struct str s)
{
	*ret = NULL;
	if (!str_is_set(s))
		return 0;
	*ret = strndup(s.p, s.n);
	return *ret ? 0 : -ENOMEM;
}

int order_entry_set_record(
	struct order_entry *e, struct str session, const uint8_t digest[SHA256_BYTES], int64_t ts)
{
	char *text;
	int r = copy(&text, session);

	if (r)
		return r;
	free(e->session);
	e->session = text;
	memcpy(e->digest, digest, SHA256_BYTES);
	e->ts = ts;
	e->has_record = true;
	return 0;
}

/* Takes the texts of @next. */
static void enter(struct order_table *t, struct order_entry *e, const struct told *next)
{
	free(e->last.reason);
	free(e->last.tx);
	e->last = *next;
	if (e->is_over || !order_state_is_terminal((enum order_state)next->state))
		return;
	e->is_over = true;
	e->buyer->n_open--;
	t->n_open--;
	TAILQ_INSERT_TAIL(&t->over, e, over);
}

static int copy_told(struct told *ret, const struct told *told, struct str reason, struct str tx)
{
	*ret = *told;
	if (copy(&ret->reason, reason))
		return -ENOMEM;
	if (copy(&ret->tx, tx)) {
		free(ret->reason);
		return -ENOMEM;
	}
	return 0;
}

int order_table_tell(struct order_table *t, struct order_entry *e, const struct told *told,
	struct str reason, struct str tx)
{
	struct told next;
	int r = copy_told(&next, told, reason, tx);

	if (!r)
		enter(t, e, &next);
	return r;
}

static struct told_ahead *ahead_of(struct order_entry *e, int64_t n)
{
	struct told_ahead *a;

	SLIST_FOREACH(a, &e->aheads, link)
	if (a->told.n == n)
		break;
	return a;
}

static int keep_ahead(
	struct order_entry *e, const struct told *told, struct str reason, struct str tx)
{
	struct told_ahead *a;

	if (ahead_of(e, told->n))
		return 0;
	a = calloc(1, sizeof(*a));
	if (!a || copy_told(&a->told, told, reason, tx)) {
		free(a);
		return -ENOMEM;
	}
	SLIST_INSERT_HEAD(&e->aheads, a, link);
	return 0;
}

int order_table_read(struct order_table *t, struct order_entry *e, const struct told *told,
	struct str reason, struct str tx, bool is_first_any)
{
	struct told_ahead *a;
	int r;

	if (told->n <= e->last.n)
		return 0;
	if (told->n != e->last.n + 1 && !(is_first_any && e->last.n == 0))
		return keep_ahead(e, told, reason, tx);
	r = order_table_tell(t, e, told, reason, tx);
	while (!r && (a = ahead_of(e, e->last.n + 1))) {
		SLIST_REMOVE(&e->aheads, a, told_ahead, link);
		enter(t, e, &a->told);
		free(a);
	}
	return r;
}

void order_entry_drop_aheads(struct order_entry *e)
{
	struct told_ahead *a;

	while ((a = SLIST_FIRST(&e->aheads))) {
		SLIST_REMOVE_HEAD(&e->aheads, link);
		free(a->told.reason);
		free(a->told.tx);
		free(a);
	}
}

struct order_entry *order_table_oldest_over(const struct order_table *t)
{
	struct order_entry *e;
	size_t n = 0;

	TAILQ_FOREACH(e, &t->over, over) {
		if (e->n_refs == 0 && TAILQ_EMPTY(&e->waiting))
			return e;
		if (++n == OVER_LOOK_MAX)
			break;
	}
	return NULL;
}

void order_table_remove(struct order_table *t, struct order_entry *e)
{
	assert(e->n_refs == 0 && !e->is_dirty && TAILQ_EMPTY(&e->waiting));
	if (e->is_over) {
		TAILQ_REMOVE(&t->over, e, over);
	} else {
		e->buyer->n_open--;
		t->n_open--;
	}
	bridge_map_remove(&t->by_id, &e->node);
	leave_buyer(t, e->buyer);
	free_entry(NULL, &e->node);
}
