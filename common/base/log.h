#pragma once

/*
 * One line per event on stderr: logfmt (`ts=… level=info role=pricing group=bus msg="…" k=v …`) or
 * JSON objects, by configuration.
 *
 *	log_info("bus", "partition assigned", "topic=%s partition=%d", topic, partition);
 *
 * The last arguments are a printf format of key=value pairs separated by one space; a value that
 * may hold spaces or quotes is given with log_quote(). Control characters and invalid UTF-8 in the
 * result are escaped, so no input can forge a line. Lines over 1,024 bytes are cut. A message
 * (group + msg) repeated more than 10 times in a second is suppressed, and the count is written as
 * `suppressed=n` with the next one. Never logged: tokens, secrets, full payloads, personal fields.
 */
#include <stdbool.h>
#include <stdint.h>

#include "common/base/str.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };
enum log_format { LOG_FORMAT_LOGFMT, LOG_FORMAT_JSON };

/* Until called: level info, logfmt, role "souk". @role is borrowed for the life of the process. */
void log_init(const char *role, enum log_level level, enum log_format format);
/* The rate limit's clock in milliseconds; NULL = the monotonic clock. For tests. */
void log_set_clock(int64_t (*now_ms)(void));
bool log_is_on(enum log_level level);
void log_write(enum log_level level, const char *group, const char *msg, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

#define log_error(group, msg, ...) log_write(LOG_LEVEL_ERROR, group, msg, __VA_ARGS__)
#define log_warn(group, msg, ...)  log_write(LOG_LEVEL_WARN, group, msg, __VA_ARGS__)
#define log_info(group, msg, ...)  log_write(LOG_LEVEL_INFO, group, msg, __VA_ARGS__)
#define log_debug(group, msg, ...) \
	do { \
		if (log_is_on(LOG_LEVEL_DEBUG)) \
			log_write(LOG_LEVEL_DEBUG, group, msg, __VA_ARGS__); \
	} while (0)

/* A quoted, escaped copy of @s (cut at 200 bytes) in one of 8 rotating buffers: valid for one
 * call. */
const char *log_quote(struct str s);
