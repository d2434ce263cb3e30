#pragma once

/*
 * Scope-bound ownership.
 *
 *	DEFINE_CLEANUP(struct conflate *, conflate_free)   // in the header, once per type
 *	CLEANUP(conflate_free) struct conflate *q = NULL;  // freed on every way out
 *	*ret = TAKE(q);                                    // handed over, q is NULL afterwards
 */
#define CLEANUP(fn) __attribute__((cleanup(fn##p)))

#define DEFINE_CLEANUP(type, fn) \
	static inline void fn##p(type *p) \
	{ \
		if (*p) \
			fn(*p); \
	}

#define TAKE(p) \
	__extension__({ \
		__typeof__(p) taken_ = (p); \
		(p) = NULL; \
		taken_; \
	})

#define MUST_CHECK   __attribute__((warn_unused_result))
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
