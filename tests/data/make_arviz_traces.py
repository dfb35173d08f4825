"""Writes arviz_traces.npz: traces (chain, draw) under a name, and under name_expected what ArviZ finds of them:
mean, standard deviation (ddof 1), MCSE of the mean, bulk ESS, tail ESS, R-hat. ArviZ's version is in arviz_version.
Run: python3 make_arviz_traces.py (last run with ArviZ 0.23.4, NumPy 2, SciPy 1)."""
import numpy as np
import arviz as az

random = np.random.default_rng(20261124)


def autoregressive(chains, draws, memory):
    noise = random.standard_normal((chains, draws))
    trace = np.empty_like(noise)
    trace[:, 0] = noise[:, 0]
    for draw in range(1, draws):
        trace[:, draw] = memory * trace[:, draw - 1] + np.sqrt(1 - memory**2) * noise[:, draw]
    return trace


def short(trace):
    """Fewer bits, so that the file stays small; ties are rare all the same."""
    return trace.astype(np.float32).astype(np.float64)


shifted = random.standard_normal((4, 250))
shifted[3] += 1.0
wider = random.standard_normal((4, 250))
wider[0] *= 3.0
frozen = autoregressive(4, 100, 0.5)
frozen[2] = 0.25
traces = {
    "iid": random.standard_normal((4, 100)),
    "slow": short(autoregressive(4, 1000, 0.97)),
    "alternating": short(autoregressive(4, 500, -0.7)),
    "heavy_tails": short(random.standard_cauchy((4, 500))),
    "bernoulli": (random.random((4, 1000)) < 0.3).astype(np.float64),
    "rare": (random.random((4, 300)) < 0.01) * 0.3,
    "rounded": np.round(autoregressive(4, 400, 0.6), 1),
    "shifted": short(shifted),
    "wider": short(wider),
    "odd": short(autoregressive(4, 101, 0.8)),
    "narrow_range": 0.0023 + 1e-9 * autoregressive(3, 200, 0.9),
    "one_frozen": short(frozen),
    "four_draws": random.standard_normal((4, 4)),
    "seven_draws": random.standard_normal((2, 7)),
    "nine_draws": random.standard_normal((3, 9)),
    "constant": np.full((4, 50), 1.5),
    "constant_each": np.repeat([[1.0], [2.0], [3.0], [5.0]], 60, axis=1),
    "one_chain": short(autoregressive(1, 400, 0.5)),
    "many_chains": short(random.standard_normal((30, 50))),
}
arrays = {"arviz_version": np.array([int(part) for part in az.__version__.split(".")], dtype=np.float64)}
for name, trace in traces.items():
    arrays[name] = trace
    arrays[name + "_expected"] = np.array([
        np.mean(trace),
        np.std(trace, ddof=1),
        az.mcse(trace),
        az.ess(trace, method="bulk"),
        az.ess(trace, method="tail"),
        az.rhat(trace),
    ])
    print(name, arrays[name + "_expected"])
np.savez_compressed("arviz_traces.npz", **arrays)
