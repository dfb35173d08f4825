"""Mittag-Leffler values E_(alpha,beta)(z) for real z, to 30 digits, by two unrelated formulas.

Command:  python3 mittag_leffler.py > mittag_leffler.csv      (about one minute; needs mpmath)

First formula: inverse Laplace transform at time 1,
    E = 1/(2 pi i) int exp(s) s^(alpha-beta) / (s^alpha - z) ds,
by the fixed Talbot rule (Abate & Valko 2004) with a contour to the right of the pole, where there is one.
Second formula: the power series sum z^k / Gamma(alpha k + beta), in enough digits for its cancellation,
where |z|^(1/alpha) <= 100, and beyond it the asymptotic series -sum z^-k / Gamma(beta - alpha k),
whose error is about exp(-|z|^(1/alpha)).
A value is written only if both agree to 32 digits.

The order and the argument are the double-precision numbers nearest to the decimals in the file.
"""

import sys

from mpmath import mp, mpc, mpf, exp, pi, cot, gamma, rgamma, nstr

DIGITS = 30

_node_cache = {}


def talbot_nodes(count):
    """Nodes s_k and weights w_k with f(1) = Re sum w_k F(s_k)."""
    key = (count, mp.prec)
    if key not in _node_cache:
        radius = mpf(2 * count) / 5
        nodes = [(mpc(radius), radius / count * exp(radius) / 2)]
        for k in range(1, count):
            theta = k * pi / count
            cotangent = cot(theta)
            s = radius * theta * mpc(cotangent, 1)
            sigma = theta + (theta * cotangent - 1) * cotangent
            nodes.append((s, radius / count * exp(s) * mpc(1, sigma)))
        _node_cache[key] = nodes
    return _node_cache[key]


_power_cache = {}


def by_contour(alpha, beta, z, count=100):
    """First formula; z real, or complex with |arg z| > alpha pi (no pole on the principal sheet)."""
    key = (alpha, beta, count, mp.prec)
    if key not in _power_cache:
        _power_cache[key] = [(w * s ** (alpha - beta), s**alpha) for s, w in talbot_nodes(count)]
    pairs = _power_cache[key]
    if isinstance(z, mpc) and z.imag != 0:
        # Re of the sum would drop half of a complex value: use both halves of the contour.
        upper = sum(w / (s - z) for w, s in pairs)
        lower = sum(mp.conj(w) / (mp.conj(s) - z) for w, s in pairs)
        return (upper + lower) / 2
    z = mpf(mp.re(z))
    if z > 0:
        assert z ** (1 / alpha) < mpf(count) / 4, "the pole must lie well inside the contour"
    return sum((w / (s - z)).real for w, s in pairs)


_series_cache = {}


def by_series(alpha, beta, z):
    """Second formula."""
    size = abs(z) ** (1 / alpha)
    if size <= 100:
        key = (alpha, beta)
        with mp.workdps(140):
            if key not in _series_cache:
                _series_cache[key] = []
            coefficients = _series_cache[key]
            total, power, k = mpf(0), mpf(1), 0
            while True:
                if k == len(coefficients):
                    coefficients.append(rgamma(alpha * k + beta))
                term = power * coefficients[k]
                total += term
                if k * alpha > 4 + size and abs(term) < mpf(10) ** -130:
                    break
                power *= z
                k += 1
        return +total
    total, power, k = mpf(0), mpf(1), 1
    smallest = None
    while True:
        power /= z
        term = -power * rgamma(beta - alpha * k)
        bound = abs(power) * gamma(abs(alpha * k - beta) + 1)
        if smallest is not None and bound > smallest:
            break
        if bound < mpf(10) ** -60 * abs(total) and k > 3:
            break
        total += term
        smallest = bound
        k += 1
    if z > 0:
        total += z ** ((1 - beta) / alpha) * exp(z ** (1 / alpha)) / alpha
    return total


def value(alpha, beta, z):
    """E_(alpha,beta)(z), checked; at alpha = 1 the exponential (beta = 1)."""
    if alpha == 1 and beta == 1:
        return exp(z)
    return by_contour(alpha, beta, z, 100 if mp.re(z) < 0 else 170)


ORDERS = ["0.05", "0.1", "0.2", "0.3", "0.5", "0.7", "0.8", "0.9", "0.95", "0.99", "0.999", "1"]


def arguments():
    grid = [f"-{m}e{e}" for e in range(-6, 9) for m in (1, 3)][:-1]
    return grid + ["-2", "-5", "-6", "-8", "-15", "-20", "-40", "-50", "0.5", "1.2"]


def main():
    mp.dps = 75
    worst = mpf(0)
    lines = []
    for alpha_text in ORDERS:
        cases = [(alpha_text, arguments())]
        if alpha_text != "1":
            cases.insert(0, ("1", arguments()))
        if alpha_text in ("0.3", "0.8", "0.99"):
            second = repr(1 + float(alpha_text))
            cases.append((second, ["-1e-3", "-0.3", "-2", "-15", "-50", "-1e3", "-1e6", "0.5"]))
            cases.append(("0.5", ["-1e-3", "-0.3", "-2", "-15", "-50", "-1e3", "-1e6", "0.5"]))
        for beta_text, zs in cases:
            alpha, beta = mpf(float(alpha_text)), mpf(float(beta_text))
            for z_text in zs:
                z = mpf(float(z_text))
                if alpha == 1 and beta == 1 and abs(z) > 700:
                    continue
                result = value(alpha, beta, z)
                if alpha != 1 or beta != 1:
                    gap = abs(result / by_series(alpha, beta, z) - 1)
                    worst = max(worst, gap)
                    if gap > mpf(10) ** -32:
                        sys.exit(f"formulas disagree: {alpha_text} {beta_text} {z_text} {nstr(gap, 3)}")
                lines.append(f"{alpha_text},{beta_text},{z_text},{nstr(result, DIGITS, min_fixed=1, max_fixed=0)}")
    print("# E_(alpha,beta)(z) to 30 digits, two formulas agreeing to 32; by mittag_leffler.py (python3 mittag_leffler.py)")
    print("# alpha, beta and z mean the doubles nearest to the decimals")
    print("alpha,beta,z,value")
    print("\n".join(lines))
    print(f"largest gap between the two formulas: {nstr(worst, 3)}, rows: {len(lines)}", file=sys.stderr)


if __name__ == "__main__":
    main()
