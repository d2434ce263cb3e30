#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>

#include "ws-server/outbox.h"

struct wire {
	char text[4096]; /* all that was taken, each message followed by a space */
	int answer;
	unsigned n_replaced, n_sent;
};

static int on_write(void *ctx, struct str text)
{
	struct wire *w = ctx;
	size_t n = strlen(w->text);

	if (w->answer < 0)
		return w->answer;
	cr_assert(lt(sz, n + text.n + 2, sizeof(w->text)));
	memcpy(w->text + n, text.p, text.n);
	strcpy(w->text + n + text.n, " ");
	return 0;
}

static void on_sent(void *ctx, int64_t ts_ms)
{
	cr_expect(eq(long, ts_ms, 7));
	((struct wire *)ctx)->n_sent++;
}

static void on_replaced(void *ctx)
{
	((struct wire *)ctx)->n_replaced++;
}

static const struct outbox_ops ops = { on_write, on_sent, on_replaced };

static int put(struct outbox *o, const char *text)
{
	return outbox_put(o, &(struct outbox_message){ .text = str_of(text) });
}

/* {"k"} becomes {"k","seq":n} */
static int put_push(struct outbox *o, const char *text, const struct shown_key *key)
{
	return outbox_put(o,
		&(struct outbox_message){
			.text = str_of(text), .seq_at = strlen(text) - 1, .key = key, .ts_ms = 7 });
}

static void open_box(struct outbox *o, size_t max, struct buf *scratch, struct wire *w)
{
	*w = (struct wire){ 0 };
	*scratch = BUF_INIT(1024);
	outbox_init(o, max, scratch, &ops, w);
}

static void close_box(struct outbox *o)
{
	outbox_fini(o);
	buf_fini(o->scratch);
}

Test(outbox, nothing_is_stored_while_the_socket_takes_it)
{
	struct wire w;
	struct buf scratch;
	struct outbox o;

	open_box(&o, 1, &scratch, &w);
	cr_expect(zero(int, put(&o, "a")));
	cr_expect(zero(int, put_push(&o, "{p}", NULL)));
	cr_expect(zero(int, put(&o, "b")));
	cr_expect(eq(str, w.text, "a {p,\"seq\":1} b "));
	cr_expect(zero(sz, o.bytes));
	close_box(&o);
}

Test(outbox, order_is_kept_while_choked)
{
	struct wire w;
	struct buf scratch;
	struct outbox o;

	open_box(&o, 4096, &scratch, &w);
	w.answer = -EAGAIN;
	cr_assert(zero(int, put(&o, "a")));
	cr_assert(zero(int, put(&o, "b")));
	cr_assert(zero(int, outbox_flush(&o)));
	cr_expect(eq(str, w.text, ""));
	w.answer = 0;
	cr_assert(zero(int, put(&o, "c")));
	cr_expect(eq(str, w.text, ""), "c must not overtake");
	cr_assert(zero(int, outbox_flush(&o)));
	cr_expect(eq(str, w.text, "a b c "));
	cr_expect(zero(sz, o.bytes));
	close_box(&o);
}

Test(outbox, newer_revision_takes_the_place_of_the_unsent_one)
{
	struct wire w;
	struct buf scratch;
	struct outbox o;
	const struct shown_key one = { { 1 } }, two = { { 2 } };

	open_box(&o, 4096, &scratch, &w);
	w.answer = -EAGAIN;
	cr_assert(zero(int, put_push(&o, "{a1}", &one)));
	cr_assert(zero(int, put_push(&o, "{b1}", &two)));
	cr_assert(zero(int, put_push(&o, "{a2 longer}", &one)));
	cr_assert(zero(int, put_push(&o, "{b2}", &two)));
	cr_expect(eq(int, (int)w.n_replaced, 2));
	w.answer = 0;
	cr_assert(zero(int, outbox_flush(&o)));
	cr_expect(eq(str, w.text, "{a2 longer,\"seq\":1} {b2,\"seq\":2} "),
		"and numbers have no gap");
	cr_assert(zero(int, put_push(&o, "{a3}", &one)));
	cr_expect(eq(int, (int)w.n_sent, 3));
	close_box(&o);
}

Test(outbox, bound_is_strict_and_counts_what_an_entry_costs)
{
	struct wire w;
	struct buf scratch;
	struct outbox o;
	unsigned n = 0;
	const struct shown_key one = { { 1 } };

	open_box(&o, 1000, &scratch, &w);
	w.answer = -EAGAIN;
	cr_assert(zero(int, put_push(&o, "{a}", &one)));
	while (put(&o, "x") == 0)
		n++;
	cr_expect(lt(int, (int)n, 20), "tiny messages are not free");
	cr_expect(le(sz, o.bytes, 1000));
	cr_expect(eq(int, put(&o, "x"), OUTBOX_E_FULL));
	cr_expect(zero(int, put_push(&o, "{b}", &one)), "an update of the same size still fits");
	close_box(&o);
}

Test(outbox, broken_connection_is_reported_and_keeps_the_number)
{
	struct wire w;
	struct buf scratch;
	struct outbox o;

	open_box(&o, 1000, &scratch, &w);
	w.answer = -EPIPE;
	cr_expect(eq(int, put_push(&o, "{a}", NULL), -EPIPE));
	cr_expect(zero(u64, o.seq));
	w.answer = -EAGAIN;
	cr_assert(zero(int, put(&o, "a")));
	w.answer = -EPIPE;
	cr_expect(eq(int, outbox_flush(&o), -EPIPE));
	close_box(&o);
}
