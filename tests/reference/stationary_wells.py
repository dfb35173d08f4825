"""Exact discrete stationary state of L(x) = (x^2 - 1)^2 + 0.01 x on a cell mesh, friction 1, to 20 digits.

Command:  python3 stationary_wells.py > stationary_wells.csv      (seconds; needs mpmath)

1000 equal cells on [-2.5, 2.5]; with uniform D the zero-flux state of the Scharfetter-Gummel operator is
p_i = exp(-L(x_i)/D) / sum, x_i = -2.5 + (i + 1/2)/200 the exact cell centres. The column barrier_over_diffusivity
B means D = 1/B, the double nearest to the decimal in the column diffusivity (the height 1 of (x^2-1)^2 at 0 counts).
50-digit sums. Kinds: left_weight = sum of p_i over x_i < 0; right_weight the rest; cell = p_i of cell `index`.
Values are probabilities of cells, not densities: divide by h = 0.005.
"""

from mpmath import mp, mpf, exp, nstr, fsum

mp.dps = 50


def text(value):
    return nstr(value, 20, min_fixed=1, max_fixed=0)


def main():
    print("# stationary cell probabilities of (x^2-1)^2 + 0.01 x, 1000 cells on [-2.5, 2.5], 20 digits")
    print("# by stationary_wells.py (python3 stationary_wells.py)")
    print("barrier_over_diffusivity,diffusivity,kind,index,value")
    for barrier, diffusivity in [(20, "0.05"), (50, "0.02"), (200, "0.005")]:
        d = mpf(float(diffusivity))
        centres = [mpf(-5) / 2 + (mpf(i) + mpf(1) / 2) / 200 for i in range(1000)]
        # The tilt is the exact decimal 1/100.
        losses = [(x * x - 1) ** 2 + x / 100 for x in centres]
        lowest = min(losses)
        weights = [exp(-(loss - lowest) / d) for loss in losses]
        total = fsum(weights)
        left = fsum(weights[:500]) / total
        right = fsum(weights[500:]) / total
        print(f"{barrier},{diffusivity},left_weight,,{text(left)}")
        print(f"{barrier},{diffusivity},right_weight,,{text(right)}")
        for index in (0, 100, 250, 299, 300, 400, 499, 500, 600, 699, 700, 999):
            print(f"{barrier},{diffusivity},cell,{index},{text(weights[index] / total)}")


if __name__ == "__main__":
    main()
