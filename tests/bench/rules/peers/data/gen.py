#!/usr/bin/env python3
"""Deterministic data for the rules yardstick: writes data/gen/*.json and data/gen/cdata.h.
Every engine reads the same records, rules and tables and must reproduce the expected sums."""
import json, os, random, sys
here = os.path.dirname(os.path.abspath(__file__)); out = sys.argv[1] if len(sys.argv) > 1 else os.path.join(here, "gen"); os.makedirs(out, exist_ok=True)
R = random.Random(20251122)
TIERS = ["basic", "bronze", "silver", "gold", "platinum"]
PLACES = ["gallery-%02d" % i for i in range(1, 17)]
N = 1024

def cel(r):
    return ('customer.tier in ["%s","%s"] && customer.points >= %d && session.dwell > %d && !customer.blocked && item.floor > %d'
            % (r["tiers"][0], r["tiers"][1], r["points"], r["dwell"], r["floor"]))
def rec(tier=None, points=None, dwell=None, blocked=None, floor=None, place=None, rank=None):
    f = lambda v, g: g() if v is None else v
    return {"customer": {"tier": f(tier, lambda: R.choice(TIERS)), "points": f(points, lambda: R.randrange(0, 20001)),
                         "blocked": f(blocked, lambda: R.random() < .1)},
            "session": {"dwell": f(dwell, lambda: R.randrange(0, 10001)), "place": f(place, lambda: R.choice(PLACES))},
            "item": {"floor": f(floor, lambda: R.randrange(0, 1001)), "rank": f(rank, lambda: R.randrange(1, 10001)),
                     "price": R.randrange(1000, 1000001)}}
def guard(r, x):
    return (x["customer"]["tier"] in r["tiers"] and x["customer"]["points"] >= r["points"] and x["session"]["dwell"] > r["dwell"]
            and not x["customer"]["blocked"] and x["item"]["floor"] > r["floor"])
def row(bps, wide):
    p = R.randrange(0, 16001, 500); k = R.randrange(1, 8001, 250)
    return {"tier": R.choice(TIERS), "plo": p, "phi": p + R.randrange(1, wide) * 500, "place": R.choice(PLACES),
            "rlo": k, "rhi": k + R.randrange(1, wide) * 250, "bps": bps}
def hit(t, x):
    c, s, i = x["customer"], x["session"], x["item"]
    for n, w in enumerate(t):
        if c["tier"] == w["tier"] and w["plo"] <= c["points"] <= w["phi"] and s["place"] == w["place"] and w["rlo"] <= i["rank"] <= w["rhi"]:
            return n
    return -1
def inside(w):
    return rec(tier=w["tier"], points=R.randint(w["plo"], w["phi"]), place=w["place"], rank=R.randint(w["rlo"], w["rhi"]))

# G: half of the records pass, the rest fail at exactly one clause, spread evenly over the five clauses
G = {"tiers": ["gold", "platinum"], "points": 5000, "dwell": 3000, "floor": 0}
recs = []
for n in range(N):
    k = dict(tier=R.choice(["gold", "platinum"]), points=R.randrange(5000, 20001), dwell=R.randrange(3001, 10001), blocked=False, floor=R.randrange(1, 1001))
    if n % 2:
        k.update([dict(tier=R.choice(TIERS[:3])), dict(points=R.randrange(0, 5000)), dict(dwell=R.randrange(0, 3001)), dict(blocked=True), dict(floor=0)][(n // 2) % 5])
    recs.append(rec(**k))
R.shuffle(recs)
g = {"rule": G, "expr": cel(G), "records": recs, "expect": sum(guard(G, x) for x in recs)}

# T: 200 rows; "last" matches only row 200; "mix" draws a row at random (10% match nothing)
rows = [row(R.randrange(5, 1000, 5), 8) for _ in range(200)]
last, mix = [], []
while len(last) < N:
    x = inside(rows[199])
    if hit(rows, x) == 199: last.append(x)
while len(mix) < N:
    if len(mix) % 10 == 0:
        x = rec()
        if hit(rows, x) != -1: continue
    else: x = inside(R.choice(rows))
    mix.append(x)
R.shuffle(mix)
bps = lambda t, x: (lambda h: t[h]["bps"] if h >= 0 else 0)(hit(t, x))
t = {"rows": rows, "last": last, "mix": mix, "expect_last": sum(bps(rows, x) for x in last), "expect_mix": sum(bps(rows, x) for x in mix)}

# R: 20 rules + 3 tables of 50 rows, bps summed, price = price - price*sum/10000
def rule(b):
    r = {"tiers": R.sample(TIERS, 2), "points": R.randrange(0, 10001, 100), "dwell": R.randrange(0, 6001, 100), "floor": R.randrange(0, 501, 10), "bps": b}
    r["expr"] = cel(r); return r
rules = [rule(R.randrange(10, 105, 5)) for _ in range(20)]
tables = [[row(R.randrange(10, 505, 5), 20) for _ in range(50)] for _ in range(3)]
rr = []
for n in range(N): # about half of the records fall into some table row
    rr.append(rec() if n % 2 else inside(R.choice(R.choice(tables))))
def offer(x):
    s = sum(r["bps"] for r in rules if guard(r, x)) + sum(bps(tb, x) for tb in tables)
    return s, x["item"]["price"] - x["item"]["price"] * s // 10000
r = {"rules": rules, "tables": tables, "records": rr, "expect_bps": sum(offer(x)[0] for x in rr), "expect": sum(offer(x)[1] for x in rr)}
l = {"rules": [rule(R.randrange(10, 105, 5)) for _ in range(1000)]}
for n, v in dict(g=g, t=t, r=r, l=l).items():
    with open(os.path.join(out, n + ".json"), "w") as f: json.dump(v, f)
# the same for C
with open(os.path.join(out, "cdata.h"), "w") as f:
    w = lambda s: f.write(s + "\n")
    w('/* made by gen.py */\nstatic const char *const TIERS[]={%s};' % ",".join('"%s"' % s for s in TIERS))
    w('static const char *const PLACES[]={%s};' % ",".join('"%s"' % s for s in PLACES))
    def wr(name, xs):
        w("static const rec %s[]={" % name)
        for x in xs:
            c, s, i = x["customer"], x["session"], x["item"]
            w('{"%s",%d,%d,%d,"%s",%d,%d,%d},' % (c["tier"], c["points"], c["blocked"], s["dwell"], s["place"], i["floor"], i["rank"], i["price"]))
        w("};")
    def wt(name, xs):
        w("static const trow %s[]={" % name)
        for x in xs: w('{%d,%d,%d,%d,%d,%d,%d},' % (TIERS.index(x["tier"]), x["plo"], x["phi"], PLACES.index(x["place"]), x["rlo"], x["rhi"], x["bps"]))
        w("};")
    def wu(name, xs):
        w("static const rule %s[]={" % name)
        for x in xs: w('{%d,%d,%d,%d,%d},' % (sum(1 << TIERS.index(q) for q in x["tiers"]), x["points"], x["dwell"], x["floor"], x["bps"]))
        w("};")
    wr("G_REC", recs); wr("T_LAST", last); wr("T_MIX", mix); wr("R_REC", rr); wt("T_ROWS", rows); wu("R_RULES", rules)
    for n, tb in enumerate(tables): wt("R_T%d" % n, tb)
    w("#define EXPECT_G %d\n#define EXPECT_LAST %d\n#define EXPECT_MIX %d\n#define EXPECT_R %dLL" % (g["expect"], t["expect_last"], t["expect_mix"], r["expect"]))
    w("static const char *const L_RULES[]={")
    for x in l["rules"]: w(json.dumps(x["expr"].replace("!", "not ").replace("&&", "and").replace('customer.tier in ["%s","%s"]' % tuple(x["tiers"]), '(customer.tier == "%s" or customer.tier == "%s")' % tuple(x["tiers"]))) + ",")
    w("};\nstatic const char *const R_LUA[]={")
    for x in rules: w(json.dumps(x["expr"].replace("!", "not ").replace("&&", "and").replace('customer.tier in ["%s","%s"]' % tuple(x["tiers"]), '(customer.tier == "%s" or customer.tier == "%s")' % tuple(x["tiers"]))) + ",")
    w("};\n#ifdef WITH_CEL\nstatic const char G_CEL[]=%s;" % json.dumps(g["expr"]))
    for name, xs in (("L_CEL", l["rules"]), ("R_CEL", rules)):
        w("static const char *const %s[]={" % name)
        for x in xs: w(json.dumps(x["expr"]) + ",")
        w("};")
    w("static const int R_BPS[]={%s};\n#endif" % ",".join(str(x["bps"]) for x in rules))
print("G true", g["expect"], "T last", t["expect_last"], "mix", t["expect_mix"], "R bps", r["expect_bps"], "price", r["expect"])
