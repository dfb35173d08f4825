"""The L1 scheme on D_t^alpha u = -u, u(0) = 1, T = 1: its values and errors, to 15 digits.

Command:  python3 scalar_relaxation.py > scalar_relaxation.csv      (four minutes; needs numpy, mpmath)

Nodes t_n = (n/N)^r. L1: sum_k b_nk (u_k - u_(k-1)) = -u_n with
b_nk = ((t_n - t_(k-1))^(1-alpha) - (t_n - t_k)^(1-alpha)) / (Gamma(2-alpha) (t_k - t_(k-1))).
Computed in 80-bit arithmetic (64-bit mantissa; the program stops on a machine without it) and, for up to 64 steps,
once more in 90 digits: the gap goes to stderr (below 1e-16). Exact values E_alpha(-t^alpha) from mittag_leffler.py.

Columns: order, grading r, steps N, end_value u_N, end_error |u_N - E(-1)|, max_error over the nodes 1..N
(empty for N > 2000 but for r = 19). order and grading mean the nearest doubles.
"""

import sys

import numpy
from mpmath import mp, mpf, gamma, nstr

from mittag_leffler import by_contour

LONG = numpy.longdouble
assert numpy.finfo(LONG).eps < 2e-19, "needs an 80-bit or longer long double"
mp.dps = 40


def to_long(value):
    return LONG(nstr(value, 25))


def scheme(alpha, grading, count):
    one_minus = LONG(1) - LONG(alpha)
    fraction = numpy.arange(count + 1, dtype=LONG) / LONG(count)
    nodes = fraction if grading == 1 else fraction ** LONG(grading)
    steps = numpy.diff(nodes)
    factor = to_long(1 / gamma(2 - mpf(alpha)))
    u = numpy.empty(count + 1, dtype=LONG)
    u[0] = 1
    increments = numpy.zeros(count, dtype=LONG)
    for n in range(1, count + 1):
        gap = nodes[n] - nodes[: n]  # t_n - t_(k-1), k = 1..n
        ratio = steps[:n] / gap
        ratio[-1] = 0.5  # not used: k = n has the exact weight below
        weights = -numpy.expm1(one_minus * numpy.log1p(-ratio)) * gap**one_minus
        weights[-1] = gap[-1] ** one_minus
        weights *= factor / steps[:n]
        history = (weights[:-1] * increments[: n - 1]).sum()
        increments[n - 1] = -(u[n - 1] + history) / (weights[-1] + 1)
        u[n] = u[n - 1] + increments[n - 1]
    return nodes, u


def scheme_in_ninety_digits(alpha, grading, count):
    alpha, grading = mpf(alpha), mpf(grading)
    nodes = [(mpf(n) / count) ** grading for n in range(count + 1)]
    u = [mpf(1)]
    for n in range(1, count + 1):
        b = [((nodes[n] - nodes[k - 1]) ** (1 - alpha) - (nodes[n] - nodes[k]) ** (1 - alpha))
             / (gamma(2 - alpha) * (nodes[k] - nodes[k - 1])) for k in range(1, n + 1)]
        history = sum(b[k - 1] * (u[k] - u[k - 1]) for k in range(1, n))
        u.append((b[-1] * u[-1] - history) / (b[-1] + 1))
    return u


def main():
    cases = [(a, 1.0, n) for a in (0.3, 0.5, 0.8) for n in (1000, 10000)] + [(0.5, 3.0, 1000)]
    counts = (64, 128, 256, 512, 1024)
    cases += [(0.4, 1.0, n) for n in counts]
    cases += [(a, (2 - a) / a, n) for a in (0.4, 0.6, 0.8) for n in counts]
    cases += [(0.8, 2 * (2 - 0.8) / 0.8, n) for n in counts]
    cases += [(0.6, 1.0, n) for n in counts]
    cases += [(0.1, 1.0, 16), (0.1, 19.0, 16), (0.1, 19.0, 64)]
    cases += [(0.1, 19.0, n) for n in (2500, 5000, 10000)]
    print("# L1 scheme on D^order u = -u, u(0) = 1, T = 1, nodes (n/steps)^grading; 15 digits")
    print("# by scalar_relaxation.py (python3 scalar_relaxation.py)")
    print("order,grading,steps,end_value,end_error,max_error")
    largest_gap = mpf(0)
    for alpha, grading, count in cases:
        nodes, u = scheme(alpha, grading, count)
        if count <= 64:
            with mp.workdps(90):  # (1/64)^19 is 1e-34: differences of powers lose as many digits
                in_ninety_digits = scheme_in_ninety_digits(alpha, grading, count)
            for a, b in zip(u, in_ninety_digits):
                largest_gap = max(largest_gap, abs(mpf(numpy.format_float_scientific(a, precision=22)) / b - 1))

        def exact(t):
            argument = mpf(numpy.format_float_scientific(t, precision=22))
            return by_contour(mpf(alpha), mpf(1), -(argument ** mpf(alpha)), 45)

        end_error = abs(u[-1] - to_long(exact(nodes[-1])))
        maximum = ""
        if count <= 2000 or grading == 19:
            maximum = max(abs(a - to_long(exact(t))) for a, t in zip(u[1:], nodes[1:]))
            maximum = f"{float(maximum):.12e}"
        print(f"{alpha!r},{grading!r},{count},{numpy.format_float_scientific(u[-1], precision=16)},"
              f"{float(end_error):.12e},{maximum}", flush=True)
    print(f"largest relative gap between 80 bits and 90 digits: {nstr(largest_gap, 3)}", file=sys.stderr)


if __name__ == "__main__":
    main()
