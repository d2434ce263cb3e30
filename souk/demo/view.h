#pragma once

/*
 * What the person at the terminal sees: a banner, offers as they happen at a readable pace, one
 * live status line. With --json only what a machine reads.
 */
#include <stdbool.h>

#include <jansson.h>

#include "souk/demo/options.h"
#include "souk/demo/run_folder.h"

void view_banner(const struct demo_options *o, const struct run_folder *r);
void view_starting(const struct demo_options *o, const char *waiting_for);
/* @token: a session token to try it by hand. */
void view_ready(const struct demo_options *o, const struct run_folder *r, const char *token);
/* {"item","user","list","price","reasons","ttl_ms","latency_us"} */
void view_offer(const struct demo_options *o, const json_t *offer);
void view_stat(const struct demo_options *o, const json_t *stat, int64_t elapsed_ms);
void view_stopping(const struct demo_options *o);
/* @summary: {"summary":{…}}, printed as one line or as a table. */
void view_summary(const struct demo_options *o, const json_t *summary);
