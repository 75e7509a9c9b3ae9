#!/usr/bin/env python3
"""Statistics by scipy, scikit-learn and statsmodels, or by plain likelihoods under scipy's optimiser.

Writes tests/parity/recorded/statistics.json: inputs drawn from a fixed seed and what the packages make of them.
"""

import json
import pathlib

import numpy as np
import statsmodels.api as sm
from scipy import optimize, special, stats
from scipy.spatial.distance import jensenshannon
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss, cohen_kappa_score, log_loss, roc_auc_score
from statsmodels.stats.inter_rater import fleiss_kappa

draw = np.random.default_rng(7)


def distributions():
    return {
        "t_quantile": [[p, n, stats.t.ppf(p, n)] for p in (0.6, 0.975, 0.999) for n in (1, 3, 30.5)],
        "f_quantile": [[p, a, b, stats.f.ppf(p, a, b)] for p in (0.025, 0.5, 0.975) for a, b in ((3, 9), (5, 4.2), (40, 2))],
        "f_tail": [[x, a, b, stats.f.sf(x, a, b)] for x in (0.2, 1.5, 7) for a, b in ((3, 9), (40, 2))],
        "chi_squared_tail": [[x, n, stats.chi2.sf(x, n)] for x in (0.3, 4, 25) for n in (1, 7, 20)],
        "beta_cdf": [[x, a, b, stats.beta.cdf(x, a, b)] for x in (0.01, 0.4, 0.97) for a, b in ((0.5, 3), (12, 7), (200, 300))],
        "digamma": [[x, float(special.digamma(x))] for x in (0.01, 0.5, 3, 40)],
    }


def agreement():
    first = draw.integers(0, 5, 80)
    second = np.clip(first + draw.integers(-1, 2, 80) * draw.integers(0, 2, 80), 0, 4)
    third = np.clip(first + draw.integers(-2, 3, 80), 0, 4)
    table = np.stack([first, second, third], 1)
    counts = np.stack([(table == k).sum(1) for k in range(5)], 1)
    return {
        "ratings": table.tolist(),
        "cohen": {name: cohen_kappa_score(first, second, weights=weights)
                  for name, weights in (("none", None), ("linear", "linear"), ("quadratic", "quadratic"))},
        "fleiss": fleiss_kappa(counts),
        "gwet": {name: gwet(counts, weights) for name, weights in gwet_weights().items()},
        "icc": icc(table.astype(float)),
    }


def gwet_weights():
    k = np.arange(5)
    off = np.abs(k[:, None] - k[None])
    return {"none": np.eye(5), "linear": 1 - off / 4, "quadratic": 1 - (off / 4) ** 2}


def gwet(counts, weights):
    r = counts.sum(1)
    alike = counts @ weights
    pa = ((counts * (alike - 1)).sum(1) / (r * (r - 1))).mean()
    pi = (counts / r[:, None]).mean(0)
    pe = weights.sum() / 20 * (pi * (1 - pi)).sum()
    return float((pa - pe) / (1 - pe))


def icc(x):
    """Six coefficients and intervals from mean squares, quantiles by scipy."""
    n, k = x.shape
    rows, columns, mean = x.mean(1), x.mean(0), x.mean()
    b = k * ((rows - mean) ** 2).sum() / (n - 1)
    w = ((x - rows[:, None]) ** 2).sum() / (n * (k - 1))
    j = n * ((columns - mean) ** 2).sum() / (k - 1)
    e = ((x - rows[:, None] - columns[None] + mean) ** 2).sum() / ((n - 1) * (k - 1))
    q = lambda a, c: stats.f.ppf(0.975, a, c)
    one, three = b / w, b / e
    l1, u1 = one / q(n - 1, n * (k - 1)), one * q(n * (k - 1), n - 1)
    l3, u3 = three / q(n - 1, (n - 1) * (k - 1)), three * q((n - 1) * (k - 1), n - 1)
    two = (b - e) / (b + (k - 1) * e + k * (j - e) / n)
    a = k * two * j / e
    c = n * (1 + (k - 1) * two) - k * two
    v = (k - 1) * (n - 1) * (a + c) ** 2 / ((n - 1) * a**2 + c**2)
    fl, fu = q(n - 1, v), q(v, n - 1)
    lo = n * (b - fl * e) / (fl * (k * j + (k * n - k - n) * e) + n * b)
    hi = n * (fu * b - e) / (k * j + (k * n - k - n) * e + n * fu * b)
    up = lambda s: s * k / (1 + s * (k - 1))
    return [[(b - w) / (b + (k - 1) * w), (l1 - 1) / (l1 + k - 1), (u1 - 1) / (u1 + k - 1)],
            [two, lo, hi],
            [(b - e) / (b + (k - 1) * e), (l3 - 1) / (l3 + k - 1), (u3 - 1) / (u3 + k - 1)],
            [(b - w) / b, 1 - 1 / l1, 1 - 1 / u1],
            [(b - e) / (b + (j - e) / n), up(lo), up(hi)],
            [(b - e) / b, 1 - 1 / l3, 1 - 1 / u3]]


def ranks():
    x = draw.integers(0, 12, 60).astype(float)
    y = x + draw.integers(-6, 7, 60)
    z = draw.integers(0, 4, 60).astype(float)
    w = stats.friedmanchisquare(*np.stack([x, y, z], 0).T)  # each item a treatment, each column a block
    return {"x": x.tolist(), "y": y.tolist(), "z": z.tolist(), "kendall": stats.kendalltau(x, y).statistic,
            "spearman": stats.spearmanr(x, y).statistic, "pearson": stats.pearsonr(x, y).statistic,
            "w": w.statistic / (3 * 59), "chi_squared": w.statistic, "p": w.pvalue}


def battles():
    truth = np.array([0.9, 0.3, 0.0, -0.4, -0.8])
    rows, style = [], []
    for _ in range(400):
        a, b = draw.choice(5, 2, replace=False)
        z = round(float(draw.normal()), 4)
        d = truth[a] - truth[b] + 0.4 * z
        u = draw.random()
        score = 1.0 if u < special.expit(d - 0.3) else 0.0 if u > 1 - special.expit(-d - 0.3) else 0.5
        rows.append([int(a), int(b), score])
        style.append(z)
    a, b, score = np.array(rows).T
    a, b = a.astype(int), b.astype(int)
    design = np.zeros((400, 5))
    design[np.arange(400), a] = 1
    design[np.arange(400), b] = -1
    half = lambda x: sm.GLM(score, x, family=sm.families.Binomial()).fit(tol=1e-14, maxiter=200).params

    def centred(parameters):
        full = np.concatenate([parameters[:4], [0.0]])
        return (full - full.mean()).tolist()

    plain = half(design[:, :4])
    styled = half(np.column_stack([design[:, :4], style]))
    tied, won, lost = score == 0.5, score == 1, score == 0

    def davidson(p):
        d, h = design[:, :4] @ p[:4], p[4]
        total = special.logsumexp(np.stack([d / 2, np.full(400, h), -d / 2]), axis=0)
        return (total - np.where(won, d / 2, np.where(lost, -d / 2, h))).sum()

    def rao_kupper(p):
        d, eta = design[:, :4] @ p[:4], np.exp(p[4])
        win, loss = special.expit(d - eta), special.expit(-d - eta)
        return -np.log(np.where(won, win, np.where(lost, loss, 1 - win - loss))).sum()

    def best(f, size):
        result = optimize.minimize(f, np.zeros(size), method="BFGS", options={"gtol": 1e-9})
        return optimize.minimize(f, result.x, method="Nelder-Mead",
                                 options={"xatol": 1e-10, "fatol": 1e-13, "maxiter": 20000}).x

    d, r = best(davidson, 5), best(rao_kupper, 5)
    rankings = [[int(i) for i in np.argsort(-(truth + draw.gumbel(size=5)))][: draw.integers(2, 6)] for _ in range(120)]

    def luce(p):
        p = np.append(p, 0.0)
        return sum(special.logsumexp(p[r[i:]]) - p[r[i]] for r in rankings for i in range(len(r) - 1))

    return {"rows": rows, "style": style, "half": centred(plain), "styled": centred(styled), "style_weight": styled[4],
            "davidson": centred(d), "nu": float(np.exp(d[4])), "rao_kupper": centred(r), "eta": float(np.exp(r[4])),
            "rankings": rankings, "plackett_luce": centred(best(luce, 4))}


def forecasts():
    p = np.round(draw.beta(2, 2, 300), 6)
    y = (draw.random(300) < special.expit(0.6 * special.logit(p))).astype(int)
    ece = {}
    for strategy in ("uniform", "quantile"):
        true, foreseen = calibration_curve(y, p, n_bins=10, strategy=strategy)
        edges = np.linspace(0, 1, 11) if strategy == "uniform" else np.quantile(p, np.linspace(0, 1, 11))
        counts = np.bincount(np.searchsorted(edges[1:-1], p), minlength=10)
        ece[strategy] = float((counts[counts > 0] * np.abs(true - foreseen)).sum() / 300)
    logit = special.logit(p)
    fit = optimize.minimize_scalar(lambda t: log_loss(y, special.expit(logit / t)), bounds=(0.1, 10), method="bounded",
                                   options={"xatol": 1e-10})
    x = np.round(draw.normal(size=(60, 3)), 5)
    target, weight = np.round(draw.random(60), 4), np.round(draw.random(60) + 0.2, 4)
    glm = sm.GLM(target, x, family=sm.families.Binomial(), freq_weights=weight).fit(tol=1e-14, maxiter=200)
    return {"p": p.tolist(), "y": y.tolist(), "ece": ece, "brier": brier_score_loss(y, p), "nll": log_loss(y, p),
            "auc": roc_auc_score(y, p), "temperature": fit.x, "nll_after": fit.fun,
            "glm": {"x": x.tolist(), "target": target.tolist(), "weight": weight.tolist(), "slopes": glm.params.tolist()}}


def dawid_skene():
    """The textbook iteration in numpy."""
    items, raters, k = 40, 5, 3
    truth = draw.integers(0, k, items)
    votes = np.where(draw.random((items, raters)) < 0.7, truth[:, None], draw.integers(0, k, (items, raters)))
    said = np.eye(k)[votes]  # item, rater, label
    belief = said.mean(1)
    for _ in range(2000):
        prior = belief.mean(0)
        table = np.einsum("ik,irl->rkl", belief, said)
        table /= table.sum(2, keepdims=True)
        with np.errstate(divide="ignore"):
            logs = np.log(prior) + np.einsum("irl,rkl->ik", said, np.maximum(np.log(table), -1e9))
        total = special.logsumexp(logs, axis=1)
        belief = np.exp(logs - total[:, None])
    return {"votes": votes.tolist(), "likelihood": float(total.sum()), "beliefs": belief.tolist()}


def others():
    values = np.round(np.exp(draw.normal(size=40)), 6)
    interval = stats.bootstrap((values,), np.mean, n_resamples=20000, method="BCa", rng=np.random.default_rng(1))
    p, q = np.array([0.5, 0.3, 0.2, 0.0]), np.array([0.1, 0.2, 0.3, 0.4])

    def power(n, rate):
        count = max(k for k in range(-1, n // 2 + 1) if stats.binom.cdf(k, n, 0.5) <= 0.025)
        return float(stats.binom.cdf(count, n, rate) + stats.binom.sf(n - count - 1, n, rate))

    return {"bca": {"values": values.tolist(), "low": interval.confidence_interval.low,
                    "high": interval.confidence_interval.high},
            "js": {"p": p.tolist(), "q": q.tolist(), "bits": float(jensenshannon(p, q, base=2) ** 2)},
            "power": [[n, rate, power(n, rate)] for n in (20, 100, 333) for rate in (0.55, 0.7)]}


def main():
    out = {"distributions": distributions(), "agreement": agreement(), "ranks": ranks(), "battles": battles(),
           "forecasts": forecasts(), "dawid_skene": dawid_skene(), "others": others()}
    path = pathlib.Path(__file__).parent / "recorded" / "statistics.json"
    path.write_text(json.dumps(out, default=float) + "\n")
    print(path.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
