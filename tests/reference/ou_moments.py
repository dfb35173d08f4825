"""Fractional Ornstein-Uhlenbeck process: exact moments and densities, to 18 digits.

Command:  python3 ou_moments.py      (writes ou_moments.csv and ou_density.csv; about a minute; needs mpmath)

D_t^alpha p = d/dx( D dp/dx + friction p dL/dx ), L = stiffness x^2/2, on the whole line, p(x,0) Gaussian with
mean m0 and variance v0. With theta = friction stiffness, s2 = D/theta and E = E_(alpha,1):
    <x>   = m0 E(-theta t^alpha)
    <x^2> = s2 + (m0^2 + v0 - s2) E(-2 theta t^alpha)
    p(x,t) = exp(-y^2/2)/sqrt(2 pi s2) sum_n c_n He_n(y) E(-n theta t^alpha),  y = x/sqrt(s2),
where c_n = <He_n(x/sqrt(s2))>_0 / n!. The generating function sum_n He_n(y) r^n/n! = exp(r y - r^2/2), averaged over
the start, is exp(r m - r^2 (1 - v)/2) with m = m0/sqrt(s2), v = v0/s2, so that (n+1) c_(n+1) = m c_n - (1 - v) c_(n-1).
The series converges where v0 < 2 s2. Summed in 60 digits until 40 are settled; at alpha = 1 it is checked against
the Gaussian of mean m0 exp(-theta t) and variance s2 + (v0 - s2) exp(-2 theta t), and at alpha = 1/2 against the
subordination integral, both to 20 digits and more.

Columns alpha ... time are decimals that mean the nearest doubles.
"""

import random

from mpmath import mp, mpf, exp, sqrt, pi, nstr, quad

from mittag_leffler import by_contour

mp.dps = 60


def text(value):
    return nstr(value, 18, min_fixed=1, max_fixed=0)


def relaxation(alpha, rate, time):
    """E_(alpha,1)(-rate t^alpha)."""
    if alpha == 1:
        return exp(-rate * time)
    if rate == 0:
        return mpf(1)
    return by_contour(alpha, mpf(1), -rate * time**alpha, 80)


def moments(alpha, d, friction, stiffness, m0, v0, time):
    theta = friction * stiffness
    s2 = d / theta
    first = m0 * relaxation(alpha, theta, time)
    second = s2 + (m0**2 + v0 - s2) * relaxation(alpha, 2 * theta, time)
    return first, second


def densities(alpha, d, friction, stiffness, m0, v0, time, xs):
    theta = friction * stiffness
    s2 = d / theta
    assert v0 < 2 * s2
    m, v = m0 / sqrt(s2), v0 / s2
    ys = [x / sqrt(s2) for x in xs]
    previous, current = [mpf(0)] * len(ys), [mpf(1)] * len(ys)  # He_(n-1), He_n
    c_previous, c = mpf(0), mpf(1)
    sums = [mpf(0)] * len(ys)
    quiet, n = 0, 0
    while quiet < 8:
        factor = c * relaxation(alpha, n * theta, time)
        largest = mpf(0)
        for k in range(len(ys)):
            term = factor * current[k]
            sums[k] += term
            largest = max(largest, abs(term))
        quiet = quiet + 1 if largest < mpf(10) ** -42 else 0
        previous, current = current, [y * a - n * b for y, a, b in zip(ys, current, previous)]
        c_previous, c = c, (m * c - (1 - v) * c_previous) / (n + 1)
        n += 1
        assert n < 1500, "slow convergence"
    return [exp(-y * y / 2) / sqrt(2 * pi * s2) * s for y, s in zip(ys, sums)], n


def by_subordination(alpha, d, friction, stiffness, m0, v0, time, x):
    """Density at alpha = 1/2: the ordinary Gaussian at operational times s of density exp(-s^2/4t)/sqrt(pi t)."""
    assert alpha == mpf(1) / 2
    theta = friction * stiffness
    s2 = d / theta

    def integrand(s):
        mean, variance = m0 * exp(-theta * s), s2 + (v0 - s2) * exp(-2 * theta * s)
        return exp(-s * s / (4 * time) - (x - mean) ** 2 / (2 * variance)) / sqrt(2 * pi * variance * pi * time)

    with mp.workdps(30):
        return quad(integrand, [0, 0.1, 0.5, 1, 2, 4, 8, 16, 32])


def main():
    generator = random.Random(7)
    named = [("0.8", "1", "1.3", "1", "0.25")]
    rows = []
    for alpha in ["0.1", "0.2", "0.3", "0.5", "0.6", "0.8", "0.9", "1"]:
        for time in ["0.001", "0.1", "1", "10", "1000"]:
            rows.append((alpha, *named[0], time))
    for alpha in ["0.1", "0.15", "0.25", "0.35", "0.45", "0.55", "0.65", "0.75", "0.85", "0.95", "0.99", "1"]:
        row = [f"{generator.uniform(*interval):.3g}"
               for interval in ((0.1, 2), (0.2, 3), (0.3, 3), (-1.5, 1.5), (0.02, 1))]
        for time in ["0.01", "0.3", "2.5", "40"]:
            rows.append((alpha, *row, time))
    header = "alpha,diffusivity,friction,stiffness,start_mean,start_variance,time"
    with open("ou_moments.csv", "w") as out:
        print("# fractional Ornstein-Uhlenbeck moments, 18 digits, by ou_moments.py (python3 ou_moments.py)", file=out)
        print(header + ",mean,second_moment", file=out)
        for row in rows:
            first, second = moments(*[mpf(float(entry)) for entry in row])
            print(",".join(row) + f",{text(first)},{text(second)}", file=out)
    cases = [(alpha, *named[0], time) for alpha in ("0.1", "0.2", "0.5", "0.8", "1") for time in ("0.001", "0.1", "1", "100")]
    cases += [("0.3", "0.5", "2", "0.7", "-0.4", "0.09", "0.5"), ("0.7", "1.1", "0.6", "1.4", "0.8", "1.5", "2"),
              ("0.95", "0.35", "1.5", "0.9", "-0.6", "0.1", "0.2"), ("1", "0.35", "1.5", "0.9", "-0.6", "0.1", "0.2")]
    positions = ["-3", "-1.5", "-0.5", "0", "0.25", "0.75", "1", "1.5", "2.25", "3.5"]
    with open("ou_density.csv", "w") as out:
        print("# fractional Ornstein-Uhlenbeck density p(x, time), 18 digits, by ou_moments.py", file=out)
        print(header + ",x,density", file=out)
        for row in cases:
            arguments = [mpf(float(entry)) for entry in row]
            values, count = densities(*arguments, [mpf(float(x)) for x in positions])
            alpha, d, friction, stiffness, m0, v0, time = arguments
            if alpha == 1:
                theta, s2 = friction * stiffness, d / (friction * stiffness)
                mean, variance = m0 * exp(-theta * time), s2 + (v0 - s2) * exp(-2 * theta * time)
                for x, value in zip(positions, values):
                    closed = exp(-((mpf(x) - mean) ** 2) / (2 * variance)) / sqrt(2 * pi * variance)
                    assert abs(value / closed - 1) < mpf(10) ** -25, (row, x, nstr(value / closed - 1, 3))
            if row[0] == "0.5" and row[-1] in ("0.1", "1"):
                for x, value in zip(positions[2:7], values[2:7]):
                    other = by_subordination(*arguments, mpf(float(x)))
                    assert abs(value / other - 1) < mpf(10) ** -20, (row, x, nstr(value / other - 1, 3))
            for x, value in zip(positions, values):
                assert value > 0
                print(",".join(row) + f",{x},{text(value)}", file=out)
            print(row, count, "terms")


if __name__ == "__main__":
    main()
