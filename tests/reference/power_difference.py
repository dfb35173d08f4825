"""Differences of powers a^e - (a - step)^e and Bernoulli values B(u) = u / (e^u - 1), to 25 digits.

Command:  python3 power_difference.py > power_difference.csv      (a second; needs mpmath)

All arguments mean the doubles nearest to the decimals. Bernoulli rows hold B(u) and ln B(u).
"""

import random

from mpmath import mp, mpf, expm1, log, nstr

mp.dps = 450


def text(value):
    return nstr(value, 25, min_fixed=1, max_fixed=0)


def main():
    generator = random.Random(20)
    rows = []
    for exponent in ["0.001", "0.1", "0.2", "0.4", "0.5", "0.7", "0.9", "0.999", "1", "1.2", "1.5", "1.9", "2"]:
        for a, ratio in [("1", "1e-18"), ("1", "1e-3"), ("1", repr(1 - 1e-12)), ("1", "1"), ("1e-9", "1e-18"),
                         ("737.3", "1e-3"), ("1e5", "1"), ("1e8", repr(1 - 1e-12)), ("3e-30", "0.4999"),
                         ("2.5", "0.501"), ("12345.678", "1e-9")]:
            rows.append((a, repr(float(a) * float(ratio)), exponent))
        for _ in range(4):
            a = 10 ** generator.uniform(-6, 6)
            rows.append((repr(a), repr(a * 10 ** generator.uniform(-17, 0)), exponent))
    print("# kind power: a, step, exponent, a^e - (a-step)^e; kind bernoulli: u, B(u), ln B(u); 25 digits")
    print("# by power_difference.py (python3 power_difference.py); arguments mean the nearest doubles")
    print("kind,first,second,third,value")
    for a, step, exponent in rows:
        big, small, power = mpf(float(a)), mpf(float(step)), mpf(float(exponent))
        rest = big - small
        value = big**power - (rest**power if rest > 0 else 0)
        print(f"power,{a},{step},{exponent},{text(value)}")
    points = ["1e-300", "1e-17", "1e-9", "1e-4", "0.01", "0.3", "0.7", "1", "1.9", "2", "2.1", "3.7", "10", "33", "40",
              "150.5", "699", "700", "703.3", "708"]
    points += [repr(10 ** generator.uniform(-3, 2.5)) for _ in range(20)]
    for point in [sign + p for p in points for sign in ("", "-")] + ["1e5", "-1e5", "1e6", "-1e6"]:
        u = mpf(float(point))
        with mp.workdps(900):
            value = u / expm1(u)
            logarithm = log(value)
        first = "0" if u > 740 else text(value)
        print(f"bernoulli,{point},{first},0,{text(logarithm)}")


if __name__ == "__main__":
    main()
