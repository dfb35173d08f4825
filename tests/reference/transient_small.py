"""Transients of small operators by 60-digit (steep well: 400-digit) arithmetic, stored with 17 digits.

Command:  python3 transient_small.py > transient_small.json      (about a minute; needs mpmath)

D_t^alpha p = A p for cell probabilities p, A from the listed rates [from, to, rate]: A[to][from] += rate,
A[from][from] -= rate. The rates and the start are doubles and enter exactly as such (the JSON holds their shortest
decimals), so a program that reads them solves the identical problem. They are Scharfetter-Gummel rates
k = D_face/h^2 B(u), u = (L_to - L_from)/D_face, friction 1, rounded to doubles.
p(t) = sum_k v_k (w_k p0) E_alpha(lambda_k t^alpha) by mpmath's eigenvalues and the Talbot rule of mittag_leffler.py
(exp at alpha = 1), checked against the Talbot rule on the matrix itself (linear solves, no eigenvectors).
"""

import json
import math
import sys

from mpmath import mp, mpf, mpc, matrix, eig, exp, lu_solve, nstr, pi, arg

from mittag_leffler import by_contour, talbot_nodes

TIMES = ["0.001", "0.1", "10", "1000"]
ORDERS = ["0.2", "0.5", "0.8", "1"]


def bernoulli(u):
    return u / math.expm1(u) if u else 1.0


def well_1d(count, lower, upper, d):
    h = (upper - lower) / count
    xs = [lower + (i + 0.5) * h for i in range(count)]
    losses = [(x * x - 1) ** 2 + 0.1 * x for x in xs]
    rates = []
    for i in range(count - 1):
        u = (losses[i + 1] - losses[i]) / d
        rates.append((i, i + 1, d / h**2 * bernoulli(u)))
        rates.append((i + 1, i, d / h**2 * bernoulli(-u)))
    return rates


def circulating_2d(count):
    h = 3.0 / count
    xs = [-1.5 + (i + 0.5) * h for i in range(count)]
    rates = []
    for i in range(count):
        for j in range(count):
            for di, dj in ((1, 0), (0, 1)):
                if i + di >= count or j + dj >= count:
                    continue
                x, y = xs[i] + di * h / 2, xs[j] + dj * h / 2
                d = 0.3 + 0.25 * math.sin(2 * x) * math.cos(3 * y)
                loss = lambda x, y: (x * x - 1) ** 2 + y * y + 0.3 * x * y
                u = (loss(xs[i + di], xs[j + dj]) - loss(xs[i], xs[j])) / d
                here, there = count * i + j, count * (i + di) + j + dj
                rates.append((here, there, d / h**2 * bernoulli(u)))
                rates.append((there, here, d / h**2 * bernoulli(-u)))
    return rates


def generator(rates, size):
    a = matrix(size, size)
    for start, end, rate in rates:
        a[end, start] += mpf(rate)
        a[start, start] -= mpf(rate)
    return a


def by_solves(a, initial, alpha, time, count):
    """Talbot rule on the matrix: Re sum w_k s^(alpha-1) (s^alpha - t^alpha A)^(-1) p0."""
    size = a.rows
    total = [mpf(0)] * size
    scale = time**alpha
    for s, w in talbot_nodes(count):
        power = s**alpha
        solution = lu_solve(power * mp.eye(size) - scale * a, matrix(initial))
        for k in range(size):
            total[k] += (w * power / s * solution[k]).real
    return total


def main():
    cases = [
        ("double_well_1d", well_1d(12, -2.0, 2.0, 0.25), 12, [0, 0, 0.0625, 0.25, 0.375, 0.1875, 0.125, 0, 0, 0, 0, 0], 60),
        ("steep_double_well_1d", well_1d(12, -2.0, 2.0, 0.02), 12, [0, 0, 0.0625, 0.25, 0.375, 0.1875, 0.125, 0, 0, 0, 0, 0], 400),
        ("circulating_2d", circulating_2d(4), 16, [0.5, 0, 0.125, 0, 0, 0, 0.25, 0, 0, 0, 0, 0, 0, 0.0625, 0, 0.0625], 60),
    ]
    stored = []
    for name, rates, size, initial, digits in cases:
        mp.dps = digits
        a = generator(rates, size)
        initial = [mpf(entry) for entry in initial]
        values, left, right = eig(a, left=True, right=True)
        zero = min(range(size), key=lambda k: abs(values[k]))
        assert abs(values[zero]) < mpf(10) ** (-digits // 2)
        values = [mpc(v) for v in values]
        values[zero] = mpc(0)
        amplitudes = []
        for k in range(size):
            norm = sum(left[k, i] * right[i, k] for i in range(size))
            amplitudes.append(sum(left[k, i] * initial[i] for i in range(size)) / norm)
        narrowest = min([abs(arg(v)) for k, v in enumerate(values) if k != zero] + [pi])
        assert narrowest > mpf("0.8") * pi, "a pole on the principal sheet"
        results, largest_gap = [], mpf(0)
        for order in ORDERS:
            for time in TIMES:
                alpha, t = mpf(float(order)), mpf(float(time))
                factors = []
                with mp.workdps(60):
                    for k in range(size):
                        argument = values[k] * t**alpha
                        if k == zero:
                            factors.append(mpf(1))
                        elif alpha == 1:
                            factors.append(exp(argument))
                        else:
                            if abs(argument.imag) < mpf(10) ** -55 * abs(argument):
                                argument = argument.real
                            factors.append(by_contour(alpha, mpf(1), argument, 80))
                p = [sum(right[i, k] * amplitudes[k] * factors[k] for k in range(size)) for i in range(size)]
                assert max(abs(mp.im(v)) for v in p) < mpf(10) ** -25
                p = [mp.re(v) for v in p]
                with mp.workdps(50):
                    other = by_solves(a, initial, alpha, t, 50)
                gap = sum(abs(x - y) for x, y in zip(p, other))
                largest_gap = max(largest_gap, gap)
                assert gap < mpf(10) ** -22, (name, order, time, nstr(gap, 3))
                assert abs(sum(p) - 1) < mpf(10) ** -30
                results.append({"order": float(order), "time": float(time),
                                "probabilities": [float(nstr(v, 20)) for v in p]})
        print(f"{name}: eigenvalues {nstr(min(v.real for v in values), 5)} .. "
              f"{nstr(max(v.real for k, v in enumerate(values) if k != zero), 5)}, narrowest angle "
              f"{nstr(narrowest / pi, 5)} pi, gap of the two formulas {nstr(largest_gap, 3)}", file=sys.stderr)
        stored.append({"name": name, "cell_count": size, "rates": [list(r) for r in rates],
                       "initial": [float(v) for v in initial], "results": results})
    text = json.dumps({
        "what": "cell probabilities p(time) of D^order p = A p, 17 digits; rates are [from, to, rate]",
        "command": "python3 transient_small.py > transient_small.json",
        "cases": stored,
    })
    print(text.replace('{"order"', '\n{"order"').replace('{"name"', '\n{"name"').replace('"rates"', '\n"rates"'))


if __name__ == "__main__":
    main()
