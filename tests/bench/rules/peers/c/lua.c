/* LuaJIT driven from C: one field set per call, then one call of a compiled function. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
typedef struct {
	const char *tier;
	int64_t points, blocked, dwell;
	const char *place;
	int64_t floor, rank, price;
} rec;
typedef struct {
	int tier;
	int64_t plo, phi;
	int place;
	int64_t rlo, rhi, bps;
} trow;
typedef struct {
	unsigned tiers;
	int64_t points, dwell, floor, bps;
} rule;
#include "../data/gen/cdata.h"
#define N      1024
#define LEN(a) ((int)(sizeof(a) / sizeof(a)[0]))
static lua_State *L;
static int rc, rs, ri; /* registry references of customer, session, item */
static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}
static int cmpd(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}
static void ck(int e)
{
	if (e) {
		fprintf(stderr, "%s\n", lua_tostring(L, -1));
		exit(1);
	}
}
static void bind(const rec *r)
{
	lua_rawgeti(L, LUA_REGISTRYINDEX, rc);
	lua_pushstring(L, r->tier);
	lua_setfield(L, -2, "tier");
	lua_pushnumber(L, (double)r->points);
	lua_setfield(L, -2, "points");
	lua_pushboolean(L, (int)r->blocked);
	lua_setfield(L, -2, "blocked");
	lua_rawgeti(L, LUA_REGISTRYINDEX, rs);
	lua_pushnumber(L, (double)r->dwell);
	lua_setfield(L, -2, "dwell");
	lua_pushstring(L, r->place);
	lua_setfield(L, -2, "place");
	lua_rawgeti(L, LUA_REGISTRYINDEX, ri);
	lua_pushnumber(L, (double)r->floor);
	lua_setfield(L, -2, "floor");
	lua_pushnumber(L, (double)r->rank);
	lua_setfield(L, -2, "rank");
	lua_pushnumber(L, (double)r->price);
	lua_setfield(L, -2, "price");
	lua_settop(L, 0);
}
static int64_t call(int f)
{
	lua_rawgeti(L, LUA_REGISTRYINDEX, f);
	ck(lua_pcall(L, 0, 1, 0));
	int64_t v = lua_isboolean(L, -1) ? lua_toboolean(L, -1) : (int64_t)lua_tonumber(L, -1);
	lua_settop(L, 0);
	return v;
}
static int chunk(const char *s)
{
	ck(luaL_loadstring(L, s));
	ck(lua_pcall(L, 0, 1, 0));
	return luaL_ref(L, LUA_REGISTRYINDEX);
}
static char *B;
static size_t BN;
static void add(const char *f, ...)
{
	va_list a;
	va_start(a, f);
	BN += (size_t)vsprintf(B + BN, f, a);
	va_end(a);
}
static void table(const char *name, const trow *t, int n)
{ /* rows as data, scanned by one Lua loop */
	add("local %s={", name);
	for (int i = 0; i < n; i++)
		add("{\"%s\",%ld,%ld,\"%s\",%ld,%ld,%ld},", TIERS[t[i].tier], t[i].plo, t[i].phi,
			PLACES[t[i].place], t[i].rlo, t[i].rhi, t[i].bps);
	add("}\n");
}
static const char *SCAN =
	"local function scan(t) local "
	"a,b,c,d=customer.tier,customer.points,session.place,item.rank for i=1,#t do local r=t[i] "
	"if r[1]==a and b>=r[2] and b<=r[3] and r[4]==c and d>=r[5] and d<=r[6] then return r[7] "
	"end end return 0 end\n";
static void run(const char *name, int f, const rec *rs_, int64_t expect)
{
	int64_t s = 0;
	for (int i = 0; i < N; i++) {
		bind(&rs_[i]);
		s += call(f);
	}
	if (s != expect) {
		printf("%s: sum %ld, expected %ld\n", name, (long)s, (long)expect);
		exit(1);
	}
	for (int k = 0; k < 50; k++)
		for (int i = 0; i < N; i++) {
			bind(&rs_[i]);
			s += call(f);
		}
	double d[15];
	for (int q = 0; q < 15; q++) {
		double t = now();
		for (int k = 0; k < 50; k++)
			for (int i = 0; i < N; i++) {
				bind(&rs_[i]);
				s += call(f);
			}
		d[q] = (now() - t) / 50 / N;
	}
	qsort(d, 15, sizeof d[0], cmpd);
	printf("%-28s min %8.1f  median %8.1f ns\n", name, d[0], d[7]);
}
int main(void)
{
	L = luaL_newstate();
	luaL_openlibs(L);
	B = malloc(1 << 22);
	const char *g[3] = { "customer", "session", "item" };
	int *r[3] = { &rc, &rs, &ri };
	for (int i = 0; i < 3; i++) {
		lua_newtable(L);
		lua_pushvalue(L, -1);
		*r[i] = luaL_ref(L, LUA_REGISTRYINDEX);
		lua_setglobal(L, g[i]);
	}
	int fg = chunk("local customer,session,item=customer,session,item return function() return "
		       "(customer.tier==\"gold\" or customer.tier==\"platinum\") and "
		       "customer.points>=5000 and session.dwell>3000 and not customer.blocked and "
		       "item.floor>0 end");
	run("LuaJIT G bound", fg, G_REC, EXPECT_G);
	BN = 0;
	add("local customer,session,item=customer,session,item\n%s", SCAN);
	table("T", T_ROWS, 200);
	add("return function() return scan(T) end");
	int ft = chunk(B);
	run("LuaJIT T last bound", ft, T_LAST, EXPECT_LAST);
	run("LuaJIT T mix bound", ft, T_MIX, EXPECT_MIX);
	BN = 0;
	add("local customer,session,item=customer,session,item\n%s", SCAN);
	table("A", R_T0, 50);
	table("B", R_T1, 50);
	table("C", R_T2, 50);
	add("return function() local s=0\n");
	for (int i = 0; i < LEN(R_RULES); i++)
		add("if %s then s=s+%ld end\n", R_LUA[i], R_RULES[i].bps);
	add("s=s+scan(A)+scan(B)+scan(C) return item.price-math.floor(item.price*s/10000) end");
	run("LuaJIT R bound", chunk(B), R_REC, EXPECT_R);
	double d[9];
	for (int q = 0; q < 9; q++) {
		double t = now();
		for (int i = 0; i < LEN(L_RULES); i++) {
			char b[400];
			snprintf(b, sizeof b, "return %s", L_RULES[i]);
			ck(luaL_loadstring(L, b));
			lua_settop(L, 0);
		}
		d[q] = (now() - t) / 1e6;
	}
	qsort(d, 9, sizeof d[0], cmpd);
	printf("%-28s min %8.2f  median %8.2f ms (no type check)\n", "LuaJIT L 1000 rules", d[0],
		d[4]);
	return 0;
}
