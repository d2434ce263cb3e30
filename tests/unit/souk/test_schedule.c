/* The story of the demo: what counts as a bid, when an auction ends, and that the shipped data
 * tells what its README says. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "souk/demo/schedule.h"
#include "souk/demo/story.h"

#define ETH ((u128)1000000000000000000ull)

static char folder[64];

static void write_text(const char *name, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *out = fopen(path, "w");

	cr_assert(out != NULL);
	fputs(text, out);
	fclose(out);
}

static void make_files(const char *bids, const char *listings)
{
	strcpy(folder, "/tmp/souk-schedule-XXXXXX");
	cr_assert(mkdtemp(folder) != NULL);
	write_text("bids.csv", bids);
	write_text("listings.csv", listings);
}

static void remove_files(void)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/bids.csv", folder);
	unlink(path);
	snprintf(path, sizeof(path), "%s/listings.csv", folder);
	unlink(path);
	rmdir(folder);
}

#define BIDS_HEAD     "token_id,bidder_id,creator,bidding_amt,bid_date\n"
#define LISTINGS_HEAD "token_id,creator,listing_date,listing_amt\n"

Test(schedule, an_auction_ends_a_day_after_its_first_bid_or_a_quarter_hour_after_its_last,
	.fini = remove_files)
{
	CLEANUP(schedule_free) struct schedule *s = NULL;
	struct fault f = { 0 };

	make_files(BIDS_HEAD
		"8.0,0xa,0xs,1,100000\n8.0,0xb,0xs,1.2,186300\n16.0,0xa,0xs,2,100000\n",
		LISTINGS_HEAD "8.0,0xs,90000,1\n16.0,0xs,90000,1\n");
	cr_assert(zero(int, schedule_load(&s, folder, 50000, 10000000, &f)), "%s", f.text);
	cr_assert(eq(u32, s->n_auctions, 2));
	cr_expect(eq(i64, s->auctions[0].end_s, 186300 + 900));
	cr_expect(eq(i64, s->auctions[1].end_s, 100000 + 86400));
}

Test(schedule, bids_that_do_not_raise_or_come_late_or_from_the_seller_do_not_count,
	.fini = remove_files)
{
	CLEANUP(schedule_free) struct schedule *s = NULL;
	struct fault f = { 0 };

	make_files(BIDS_HEAD "8.0,0xa,0xs,1,100000\n8.0,0xb,0xs,1,100010\n8.0,0xs,0xs,5,100020\n8."
			     "0,0xb,0xs,9,300000\n8.0,0xb,0xs,1.5,100030\n",
		LISTINGS_HEAD "8.0,0xs,90000,1\n");
	cr_assert(zero(int, schedule_load(&s, folder, 50000, 10000000, &f)), "%s", f.text);
	cr_assert(eq(u32, s->auctions[0].n_bids, 2));
	cr_expect(s->auctions[0].bids[0].amount == ETH);
	cr_expect(s->auctions[0].bids[1].amount == ETH * 3 / 2);
	cr_expect(eq(str, s->users[s->auctions[0].bids[1].bidder].address, "0xb"));
}

Test(schedule, events_come_in_order_of_time, .fini = remove_files)
{
	CLEANUP(schedule_free) struct schedule *s = NULL;
	struct fault f = { 0 };

	make_files(BIDS_HEAD "8.0,0xa,0xs,1,100000\n16.0,0xb,0xs,1,95000\n",
		LISTINGS_HEAD "16.0,0xs,94000,1\n8.0,0xs,90000,1\n");
	cr_assert(zero(int, schedule_load(&s, folder, 50000, 10000000, &f)), "%s", f.text);
	cr_assert(eq(u32, s->n_events, 6));
	for (uint32_t i = 1; i < s->n_events; i++)
		cr_expect(le(i64, s->events[i - 1].at_s, s->events[i].at_s));
	cr_expect(eq(int, s->events[0].kind, SCHEDULE_LIST));
	cr_expect(eq(int, s->events[5].kind, SCHEDULE_SOLD));
}

Test(schedule, what_was_won_before_the_window_is_spent, .fini = remove_files)
{
	CLEANUP(schedule_free) struct schedule *s = NULL;
	struct fault f = { 0 };

	make_files(BIDS_HEAD "8.0,0xa,0xs,1.25,100000\n16.0,0xa,0xs,2,900000\n",
		LISTINGS_HEAD "8.0,0xs,90000,1\n16.0,0xs,890000,1\n");
	cr_assert(zero(int, schedule_load(&s, folder, 500000, 10000000, &f)), "%s", f.text);
	cr_expect(eq(u32, s->n_auctions, 1), "the ended one is not part of the story");
	cr_expect(s->users[0].spent_before == ETH * 5 / 4);
}

Test(schedule, a_broken_row_is_named_by_file_and_line, .fini = remove_files)
{
	struct schedule *s = NULL;
	struct fault f = { 0 };

	make_files(BIDS_HEAD "8.0,0xa,0xs,1,100000\n8.0,0xa,0xs,lots,100000\n", LISTINGS_HEAD);
	cr_assert(eq(int, schedule_load(&s, folder, 0, 1, &f), -22));
	cr_expect(strstr(f.text, "bids.csv:3") != NULL, "%s", f.text);
}

Test(schedule, a_missing_file_is_named)
{
	struct schedule *s = NULL;
	struct fault f = { 0 };

	cr_assert(eq(int, schedule_load(&s, "/nonexistent", 0, 1, &f), -2));
	cr_expect(strstr(f.text, "/nonexistent/bids.csv") != NULL, "%s", f.text);
}

Test(schedule, the_list_price_leaves_room_above_the_best_bid)
{
	const struct auction a = { .reserve = ETH };

	cr_expect(schedule_list_price(&a, 0) == ETH * 3 / 2);
	cr_expect(schedule_list_price(&a, ETH * 2) == ETH * 5 / 2);
	cr_expect(schedule_list_price(&a, 1) == ETH * 3 / 2);
	/* Rounded up to 0.0001 ETH, never down. */
	const struct auction odd = { .reserve = 100000000000001ull };

	cr_expect(schedule_list_price(&odd, 0) == (u128)200000000000000ull);
}

Test(schedule, the_shipped_data_holds_a_busy_window)
{
	CLEANUP(schedule_free) struct schedule *s = NULL;
	struct fault f = { 0 };
	char data[512];

	snprintf(data, sizeof(data), "%s/souk/demo/data", getenv("SOUK_SOURCE_DIR"));
	cr_assert(
		zero(int, schedule_load(&s, data, STORY_FROM_S, STORY_UNTIL_S, &f)), "%s", f.text);
	cr_expect(gt(u32, s->n_auctions, 5000));
	cr_expect(gt(u32, s->n_events, 20000));
	cr_expect(gt(u32, s->n_users, 6000));
	cr_expect(gt(u32, s->users[0].n_bids, s->users[1000].n_bids));
}

Test(schedule, our_clock_and_the_datas_are_inverse)
{
	const struct story st = { STORY_FROM_S, 1795000000000, STORY_SPEED };

	cr_expect(eq(i64, story_data_s(&st, st.start_ms + 60000), STORY_FROM_S + 86400));
	cr_expect(eq(i64, story_our_ms(&st, STORY_FROM_S + 86400), st.start_ms + 60000));
	cr_expect(eq(i64, story_our_ms(&st, STORY_FROM_S - 1440), st.start_ms - 1000));
}
