/*
 * RE2 is linear in the text whatever the pattern, which is why the specification names it. Its
 * automaton is built while matching and kept within a budget; when that is used up it starts anew
 * or goes on without one, slower and still linear.
 *
 * No exception leaves this file.
 */
#include "pricing/cel/pattern_re2.h"

#include <cerrno>
#include <cstdio>

#include <re2/re2.h>

namespace
{
constexpr int memory_of_a_pattern = 1 << 20; // program and automaton

RE2::Options make_options()
{
	RE2::Options options;

	options.set_log_errors(false);
	options.set_max_mem(memory_of_a_pattern);
	options.set_never_capture(true);
	return options;
}
} // namespace

struct cel_re2 {
	RE2 re;

	explicit cel_re2(const re2::StringPiece &pattern) : re(pattern, make_options())
	{
	}
};

int cel_re2_new(struct cel_re2 **ret, const char *pattern, size_t n, char *why, size_t cap) noexcept
try {
	auto *r = new cel_re2(re2::StringPiece(pattern, n));

	if (!r->re.ok()) {
		snprintf(why, cap, "%s", r->re.error().c_str());
		delete r;
		return -EINVAL;
	}
	*ret = r;
	return 0;
} catch (...) {
	return -ENOMEM;
}

void cel_re2_free(struct cel_re2 *r) noexcept
{
	delete r;
}

bool cel_re2_search(const struct cel_re2 *r, const char *text, size_t n) noexcept
try {
	return RE2::PartialMatch(re2::StringPiece(text, n), r->re);
} catch (...) {
	return false;
}
