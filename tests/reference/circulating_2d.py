"""Stationary state of a 2D Scharfetter-Gummel operator without detailed balance, to 20 digits.

Command:  python3 circulating_2d.py > circulating_2d.json      (about ten seconds; needs mpmath)

Domain [-2, 2] x [-1.5, 1.5], 14 x 11 cells, cell (i, j) has index 11 i + j (x first, last axis fastest) and centre
(-2 + (i + 1/2) 4/14, -1.5 + (j + 1/2) 3/11). L = (x^2 - 1)^2 + y^2 + 0.3 x y at cell centres,
D = scale (0.05 + 0.04 sin(2x) cos(3y)) at face centres, friction 1. Rates across a face between neighbours a, b:
k_ab = D/h^2 B(u), u = (L_b - L_a)/D, k_ba = D/h^2 B(-u), B(u) = u/(e^u - 1), h the spacing along the axis.
The null vector by Grassmann-Taksar-Heyman elimination (no subtractions) in 60 digits, checked by its residual
and by a second elimination in reverse order. In the extreme case probabilities and rates lie below the smallest
double (the file then holds text such as 1.4e-1503, which reads as 0). All decimals (0.05, 0.3, ...) are exact, not doubles.
"""

import json
import sys

from mpmath import mp, mpf, expm1, sin, cos, nstr, fsum

mp.dps = 60
COUNT_X, COUNT_Y = 14, 11


def bernoulli(u):
    return u / expm1(u) if u else mpf(1)


def rates(scale):
    """{(from, to): rate}, largest cycle mismatch of the log-ratios, largest |u|."""
    step_x, step_y = mpf(4) / COUNT_X, mpf(3) / COUNT_Y
    xs = [-2 + (i + mpf(1) / 2) * step_x for i in range(COUNT_X)]
    ys = [-mpf(3) / 2 + (j + mpf(1) / 2) * step_y for j in range(COUNT_Y)]

    def loss(x, y):
        return (x * x - 1) ** 2 + y * y + mpf(3) / 10 * x * y

    def diffusivity(x, y):
        return scale * (mpf(5) / 100 + mpf(4) / 100 * sin(2 * x) * cos(3 * y))

    result, drops = {}, {}
    for i in range(COUNT_X):
        for j in range(COUNT_Y):
            here = COUNT_Y * i + j
            for di, dj, h in ((1, 0, step_x), (0, 1, step_y)):
                if i + di >= COUNT_X or j + dj >= COUNT_Y:
                    continue
                there = COUNT_Y * (i + di) + j + dj
                x, y = xs[i] + di * step_x / 2, ys[j] + dj * step_y / 2
                d = diffusivity(x, y)
                u = (loss(xs[i + di], ys[j + dj]) - loss(xs[i], ys[j])) / d
                result[here, there] = d / h**2 * bernoulli(u)
                result[there, here] = d / h**2 * bernoulli(-u)
                drops[here, there] = u
    mismatch = mpf(0)
    for i in range(COUNT_X - 1):
        for j in range(COUNT_Y - 1):
            a, b, c, d = COUNT_Y * i + j, COUNT_Y * (i + 1) + j, COUNT_Y * (i + 1) + j + 1, COUNT_Y * i + j + 1
            mismatch = max(mismatch, abs(drops[a, b] + drops[b, c] - drops[d, c] - drops[a, d]))
    return result, mismatch, max(abs(u) for u in drops.values())


def stationary(rate, size, order):
    """Grassmann-Taksar-Heyman: eliminate the states of `order` from its end."""
    position = {state: place for place, state in enumerate(order)}
    rows = [dict() for _ in range(size)]
    for (a, b), value in rate.items():
        rows[position[a]][position[b]] = value
    outflow = [None] * size
    for last in range(size - 1, 0, -1):
        leaving = {b: v for b, v in rows[last].items() if b < last}
        outflow[last] = fsum(leaving.values())
        for a in range(last):
            into = rows[a].get(last)
            if into is None:
                continue
            for b, v in leaving.items():
                if b != a:
                    rows[a][b] = rows[a].get(b, mpf(0)) + into * v / outflow[last]
    weights = [mpf(1)]
    for place in range(1, size):
        weights.append(fsum(weights[a] * rows[a][place] for a in range(place) if place in rows[a]) / outflow[place])
    total = fsum(weights)
    return [weights[position[state]] / total for state in range(size)]


def main():
    size = COUNT_X * COUNT_Y
    cases = []
    for name, scale in (("mild", mpf(1)), ("steep", mpf(1) / 3), ("extreme", mpf(1) / 20)):
        rate, mismatch, steepest = rates(scale)
        p = stationary(rate, size, list(range(size)))
        other = stationary(rate, size, list(range(size))[::-1])
        gap = max(abs(a / b - 1) for a, b in zip(p, other))
        residual = mpf(0)
        for state in range(size):
            inflow = fsum(p[a] * v for (a, b), v in rate.items() if b == state)
            outflow = fsum(p[a] * v for (a, b), v in rate.items() if a == state)
            residual = max(residual, abs(inflow / outflow - 1))
        assert gap < mpf(10) ** -45 and residual < mpf(10) ** -45, (gap, residual)
        flux = max(abs(p[a] * v - p[b] * rate[b, a]) for (a, b), v in rate.items())
        print(f"{name}: gap {nstr(gap, 2)}, residual {nstr(residual, 2)}, cycle mismatch {nstr(mismatch, 3)}, "
              f"largest |u| {nstr(steepest, 4)}, smallest p {nstr(min(p), 3)}", file=sys.stderr)
        cases.append({
            "name": name,
            "scale": {"mild": "1", "steep": "1/3", "extreme": "1/20"}[name],
            "largest_cycle_mismatch": float(mismatch),
            "largest_probability_current": nstr(flux, 20, min_fixed=1, max_fixed=0),
            "probabilities": [nstr(value, 20, min_fixed=1, max_fixed=0) for value in p],
        })
    print(json.dumps({
        "what": "stationary cell probabilities of the 2D operator of circulating_2d.py, 20 digits (60-digit GTH)",
        "command": "python3 circulating_2d.py > circulating_2d.json",
        "shape": [COUNT_X, COUNT_Y],
        "lower": [-2, -1.5],
        "upper": [2, 1.5],
        "loss": "(x^2-1)^2 + y^2 + 0.3*x*y",
        "diffusivity": "scale*(0.05 + 0.04*sin(2*x)*cos(3*y))",
        "friction": 1,
        "cases": cases,
    }, indent=1))


if __name__ == "__main__":
    main()
