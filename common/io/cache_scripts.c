/*
 * Numbers stay text: Lua's are doubles, and a gen, an offset or a time may be beyond 2^53. Two
 * numbers without leading zeros compare by length, then as text. Lua compares text in the server's
 * locale (LC_COLLATE); that digits rise in every locale, and that a stored version has its dots in
 * fixed places, is all we ask of it.
 *
 * A row is replaced by setting the new fields first and then deleting the others: when the server
 * is out of memory it refuses HSET but would have done a DEL before it, and the row would be lost.
 */
#include "common/io/cache_scripts.h"

/* replace(key, {field, value, …}, ttl_ms as text, "0" = none) */
#define REPLACE \
	"local function replace(k, row, ttl)\n" \
	"  local keep = {}\n" \
	"  for i = 1, #row, 2 do keep[row[i]] = true end\n" \
	"  redis.call('HSET', k, unpack(row))\n" \
	"  for _, f in ipairs(redis.call('HKEYS', k)) do\n" \
	"    if not keep[f] then redis.call('HDEL', k, f) end\n" \
	"  end\n" \
	"  if ttl == '0' then redis.call('PERSIST', k) else redis.call('PEXPIRE', k, ttl) end\n" \
	"end\n"

const char *const cache_scripts[SCRIPT_MAX] = {
	/* gen, ver ('' = delete by offset), et, partition, offset, ttl_ms, field, value, … ->
	   applied */
	[SCRIPT_WRITE] = REPLACE
	"local function above(a, b)\n"
	"  if #a ~= #b then return #a > #b end\n"
	"  return a > b\n"
	"end\n"
	"local k, gen, ver = KEYS[1], ARGV[1], ARGV[2]\n"
	"local o = redis.call('HMGET', k, 'gen', 'ver', 'src')\n"
	"local ogen, over = o[1] or '0', o[2] or ''\n"
	"local higher\n"
	"if gen ~= ogen then\n"
	"  higher = above(gen, ogen)\n"
	"elseif ver ~= '' then\n"
	"  higher = ver > over\n"
	"else\n"
	"  local p, off = string.match(o[3] or '', '^(%d+):(%d+)$')\n"
	"  higher = not p or (p == ARGV[4] and above(ARGV[5], off))\n"
	"end\n"
	"if not higher then return 0 end\n"
	"if ver == '' and gen == ogen then ver = over end\n"
	"local row = {'ver', ver, 'gen', gen, 'et', ARGV[3], 'src', ARGV[4] .. ':' .. ARGV[5]}\n"
	"for i = 7, #ARGV do row[#row + 1] = ARGV[i] end\n"
	"replace(k, row, ARGV[6])\n"
	"return 1\n",

	/* run -> was complete */
	[SCRIPT_FEED_OPEN] = "local done = redis.call('HGET', KEYS[1], 'complete') == '1'\n"
			     "redis.call('HSET', KEYS[1], 'run', ARGV[1])\n"
			     "return done and 1 or 0\n",

	/* run, field, value, … -> was ours */
	[SCRIPT_FEED_BEAT] = "if redis.call('HGET', KEYS[1], 'run') ~= ARGV[1] then return 0 end\n"
			     "redis.call('HSET', KEYS[1], unpack(ARGV, 2))\n"
			     "return 1\n",

	/* shards -> the hash */
	[SCRIPT_SIDE_OPEN] = "redis.call('HSET', KEYS[1], 'shards', ARGV[1])\n"
			     "redis.call('HSETNX', KEYS[1], 'gen', '1')\n"
			     "return redis.call('HGETALL', KEYS[1])\n",

	/*
	 * pattern of the shards' feeds -> the side, or nothing if it is not there. KEYS walks the
	 * whole database: an operator's act, rare, and it must be one step with the raise.
	 * Otherwise a feed that is still complete would vouch for rows that no longer count.
	 */
	[SCRIPT_SIDE_RAISE] =
		"if redis.call('EXISTS', KEYS[1]) == 0 then return {} end\n"
		"redis.call('HINCRBY', KEYS[1], 'gen', 1)\n"
		"for _, k in ipairs(redis.call('KEYS', ARGV[1])) do redis.call('DEL', k) end\n"
		"return redis.call('HGETALL', KEYS[1])\n",

	/* value, ttl_ms -> taken */
	[SCRIPT_LEASE_TAKE] =
		"return redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) and 1 or 0\n",

	/* value, ttl_ms -> still ours */
	[SCRIPT_LEASE_RENEW] = "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end\n"
			       "return redis.call('PEXPIRE', KEYS[1], ARGV[2])\n",

	/* value -> was ours */
	[SCRIPT_LEASE_DROP] = "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end\n"
			      "return redis.call('DEL', KEYS[1])\n",

	/* ttl_ms, field, value, … -> 1 */
	[SCRIPT_VIEW] = REPLACE "replace(KEYS[1], {unpack(ARGV, 2)}, ARGV[1])\n"
				"return 1\n",
};
