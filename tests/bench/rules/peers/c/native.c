/* Hand-written C: lower bound for cases G, T, R. Build: make -C c */
#define _GNU_SOURCE
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

/* inputs resolved to slots: strings interned to small ids */
typedef struct {
	int64_t points, dwell, floor, rank, price;
	int tier, place, blocked;
} slots;
static int find(const char *const *v, int n, const char *s)
{
	for (int i = 0; i < n; i++)
		if (!strcmp(v[i], s))
			return i;
	return -1;
}

/* interning through a small open-addressed hash (FNV-1a), so that "bound" pays for names -> ids */
static struct {
	const char *s;
	int id;
} HT[64];
static inline uint32_t fnv(const char *s)
{
	uint32_t h = 2166136261u;
	while (*s)
		h = (h ^ (unsigned char)*s++) * 16777619u;
	return h;
}
static void put(const char *s, int id)
{
	uint32_t h = fnv(s) & 63;
	while (HT[h].s)
		h = (h + 1) & 63;
	HT[h].s = s;
	HT[h].id = id;
}
static inline int intern(const char *s)
{
	uint32_t h = fnv(s) & 63;
	while (HT[h].s) {
		if (!strcmp(HT[h].s, s))
			return HT[h].id;
		h = (h + 1) & 63;
	}
	return -1;
}
static inline void bind(slots *o, const rec *r)
{
	o->points = r->points;
	o->dwell = r->dwell;
	o->floor = r->floor;
	o->rank = r->rank;
	o->price = r->price;
	o->blocked = (int)r->blocked;
	o->tier = intern(r->tier);
	o->place = intern(r->place);
}
#define NI __attribute__((noinline))
static NI int guard(const slots *s)
{
	return ((1u << s->tier) & 0x18) && s->points >= 5000 && s->dwell > 3000 && !s->blocked &&
	       s->floor > 0;
}
/* the guard over a record as it is: strcmp, no interning */
static NI int guard_str(const rec *r)
{
	return (!strcmp(r->tier, "gold") || !strcmp(r->tier, "platinum")) && r->points >= 5000 &&
	       r->dwell > 3000 && !r->blocked && r->floor > 0;
}
static NI int64_t scan(const trow *t, int n, const slots *s)
{
	for (int i = 0; i < n; i++)
		if (t[i].tier == s->tier && s->points >= t[i].plo && s->points <= t[i].phi &&
			t[i].place == s->place && s->rank >= t[i].rlo && s->rank <= t[i].rhi)
			return t[i].bps;
	return 0;
}
/* bitset index: one mask of rows per string id; per range column, masks per elementary interval,
 * found by binary search */
#define W 4
typedef struct {
	uint64_t w[W];
} mask;
typedef struct {
	int n;
	int64_t at[402];
	mask m[403];
} rcol;
typedef struct {
	mask tier[8], place[32];
	rcol p, r;
	int64_t bps[200];
	int words;
} tindex;
static int cmp64(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}
static void rbuild(rcol *c, const trow *t, int n, int which)
{
	c->n = 0;
	for (int i = 0; i < n; i++) {
		c->at[c->n++] = which ? t[i].rlo : t[i].plo;
		c->at[c->n++] = (which ? t[i].rhi : t[i].phi) + 1;
	}
	qsort(c->at, (size_t)c->n, 8, cmp64);
	int k = 0;
	for (int i = 0; i < c->n; i++)
		if (!i || c->at[i] != c->at[i - 1])
			c->at[k++] = c->at[i];
	c->n = k;
	for (int j = 0; j <= k; j++) {
		memset(&c->m[j], 0, sizeof(mask));
		int64_t v = j ? c->at[j - 1] : INT64_MIN;
		for (int i = 0; i < n; i++)
			if (v >= (which ? t[i].rlo : t[i].plo) &&
				v <= (which ? t[i].rhi : t[i].phi))
				c->m[j].w[i >> 6] |= 1ull << (i & 63);
	}
}
static void tbuild(tindex *x, const trow *t, int n)
{
	memset(x, 0, sizeof *x);
	x->words = (n + 63) / 64;
	for (int i = 0; i < n; i++) {
		x->tier[t[i].tier].w[i >> 6] |= 1ull << (i & 63);
		x->place[t[i].place].w[i >> 6] |= 1ull << (i & 63);
		x->bps[i] = t[i].bps;
	}
	rbuild(&x->p, t, n, 0);
	rbuild(&x->r, t, n, 1);
}
static inline const mask *rfind(const rcol *c, int64_t v)
{ /* branch-free upper bound */
	const int64_t *b = c->at;
	int n = c->n;
	while (n > 1) {
		int h = n / 2;
		b += (b[h - 1] <= v) ? h : 0;
		n -= h;
	}
	return &c->m[(b - c->at) + (n && *b <= v)];
}
static NI int64_t indexed(const tindex *x, const slots *s)
{
	const mask *a = &x->tier[s->tier], *b = &x->place[s->place], *c = rfind(&x->p, s->points),
		   *d = rfind(&x->r, s->rank);
	for (int i = 0; i < x->words; i++) {
		uint64_t m = a->w[i] & b->w[i] & c->w[i] & d->w[i];
		if (m)
			return x->bps[i * 64 + __builtin_ctzll(m)];
	}
	return 0;
}
static tindex IT, IR[3];
static NI int64_t offer(const slots *s)
{ /* rules are data, tables are indexed */
	int64_t sum = 0;
	for (int i = 0; i < LEN(R_RULES); i++) {
		const rule *q = &R_RULES[i];
		if (((q->tiers >> s->tier) & 1) && s->points >= q->points && s->dwell > q->dwell &&
			!s->blocked && s->floor > q->floor)
			sum += q->bps;
	}
	for (int i = 0; i < 3; i++)
		sum += indexed(&IR[i], s);
	return s->price - s->price * sum / 10000;
}
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
static const char *only;
static long loops;
static volatile int64_t sink;
#define RUN(name, expect, EXPR) \
	do { \
		if (!only || !strcmp(only, name)) { \
			int64_t sum_ = 0; \
			for (int i = 0; i < N; i++) \
				sum_ += (EXPR); \
			if (sum_ != (expect)) { \
				printf("%s: sum %ld, expected %ld\n", name, (long)sum_, \
					(long)(expect)); \
				exit(1); \
			} \
			if (loops) { \
				for (long k = 0; k < loops; k++) { \
					int64_t z = 0; \
					for (int i = 0; i < N; i++) \
						z += (EXPR); \
					sink = z; \
				} \
			} else { \
				double d[15]; \
				for (int q = 0; q < 15; q++) { \
					double t = now(); \
					for (int k = 0; k < 400; k++) { \
						int64_t z = 0; \
						for (int i = 0; i < N; i++) \
							z += (EXPR); \
						sink = z; \
						__asm__ volatile("" ::: "memory"); \
					} \
					d[q] = (now() - t) / 400 / N; \
				} \
				qsort(d, 15, sizeof d[0], cmpd); \
				printf("%-28s min %8.1f  median %8.1f ns\n", name, d[0], d[7]); \
			} \
		} \
	} while (0)
static slots S[4][N];
int main(int c, char **v)
{
	if (c > 2) {
		only = v[1];
		loops = atol(v[2]);
	}
	for (int i = 0; i < LEN(TIERS); i++)
		put(TIERS[i], i);
	for (int i = 0; i < LEN(PLACES); i++)
		put(PLACES[i], i);
	tbuild(&IT, T_ROWS, 200);
	tbuild(&IR[0], R_T0, 50);
	tbuild(&IR[1], R_T1, 50);
	tbuild(&IR[2], R_T2, 50);
	const rec *in[4] = { G_REC, T_LAST, T_MIX, R_REC };
	for (int k = 0; k < 4; k++)
		for (int i = 0; i < N; i++) {
			bind(&S[k][i], &in[k][i]);
			S[k][i].tier = find(TIERS, LEN(TIERS), in[k][i].tier);
		}
	slots s;
	RUN("C G pre", EXPECT_G, guard(&S[0][i]));
	RUN("C G bound", EXPECT_G, (bind(&s, &G_REC[i]), guard(&s)));
	RUN("C G strcmp", EXPECT_G, guard_str(&G_REC[i]));
	RUN("C T last scan pre", EXPECT_LAST, scan(T_ROWS, 200, &S[1][i]));
	RUN("C T mix scan pre", EXPECT_MIX, scan(T_ROWS, 200, &S[2][i]));
	RUN("C T last index pre", EXPECT_LAST, indexed(&IT, &S[1][i]));
	RUN("C T mix index pre", EXPECT_MIX, indexed(&IT, &S[2][i]));
	RUN("C T last index bound", EXPECT_LAST, (bind(&s, &T_LAST[i]), indexed(&IT, &s)));
	RUN("C T mix index bound", EXPECT_MIX, (bind(&s, &T_MIX[i]), indexed(&IT, &s)));
	RUN("C R pre", EXPECT_R, offer(&S[3][i]));
	RUN("C R bound", EXPECT_R, (bind(&s, &R_REC[i]), offer(&s)));
	return 0;
}
