"""Checkpoints written by PyTorch, safetensors and NumPy themselves, and the R(t) that NumPy computes from the same arrays.

python make_torch_checkpoints.py, with torch, safetensors and numpy installed; writes tests/data/checkpoints.
Written with torch 2.15.0, safetensors and NumPy as pip installed them in November 2026.
"""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

HERE = Path(__file__).parent / "checkpoints"
STEPS = [0, 2, 10, 100]


def state(step, dtype=torch.float32):
    """A small network's tensors, which drift as the square root of the step."""
    generator = torch.Generator().manual_seed(1)
    start, way = (
        {
            "embed.weight": torch.randn(6, 5, generator=generator, dtype=torch.float64),
            "layers.0.bias": torch.randn(4, generator=generator, dtype=torch.float64),
            "layers.0.weight": torch.randn(4, 5, generator=generator, dtype=torch.float64),
            "layers.2.weight": torch.randn(3, 4, generator=generator, dtype=torch.float64),
            "layers.10.weight": torch.randn(2, 3, 2, generator=generator, dtype=torch.float64),
            "norm.scale": torch.randn((), generator=generator, dtype=torch.float64),
        }
        for _ in range(2)
    )
    return {name: (start[name] + 0.1 * step**0.5 * way[name]).to(dtype) for name in start}


def natural(name):
    return [int(part) if part.isdigit() else part for part in name.split(".")]


def vector(arrays):
    """Row-major elements, names in natural order."""
    as_double = lambda a: a.detach().double().numpy() if isinstance(a, torch.Tensor) else np.asarray(a, dtype=np.float64)
    return np.concatenate([as_double(arrays[name]).ravel(order="C") for name in sorted(arrays, key=natural)])


expected = {}


def record(folder, arrays_of, steps=STEPS):
    points = [vector(arrays_of(step)) for step in steps]
    expected[folder] = {
        "steps": steps,
        "names": sorted(arrays_of(steps[0]), key=natural),
        "shapes": [list(arrays_of(steps[0])[n].shape) for n in sorted(arrays_of(steps[0]), key=natural)],
        "first": points[0].tolist()[:60],
        "from_first": [float(np.linalg.norm(point - points[0])) for point in points],
        "from_last": [float(np.linalg.norm(point - points[-1])) for point in points],
    }


def folder(name):
    path = HERE / name
    path.mkdir(parents=True)
    return path


shutil.rmtree(HERE, ignore_errors=True)

# safetensors of every float width, with counters that are no weights.
for name, dtype in [
    ("float32", torch.float32),
    ("float16", torch.float16),
    ("bfloat16", torch.bfloat16),
    ("float64", torch.float64),
    ("float8_e4m3", torch.float8_e4m3fn),
    ("float8_e5m2", torch.float8_e5m2),
]:
    path = folder(f"safetensors/{name}")
    for step in STEPS:
        extra = {"norm.num_batches_tracked": torch.tensor(step)}
        save_file(state(step, dtype) | extra, path / f"step_{step}.safetensors", metadata={"format": "pt"})
    record(f"safetensors/{name}", lambda step, dtype=dtype: {n: t.double() for n, t in state(step, dtype).items()})

# Shards in a folder per step.
path = folder("safetensors/sharded")
for step in STEPS:
    inside = path / f"checkpoint-{step}"
    inside.mkdir()
    tensors = state(step)
    names = sorted(tensors)
    shards = {"model-00001-of-00002.safetensors": names[:3], "model-00002-of-00002.safetensors": names[3:]}
    for shard, held in shards.items():
        save_file({n: tensors[n] for n in held}, inside / shard)
    index = {"metadata": {"total_size": 1}, "weight_map": {n: shard for shard, held in shards.items() for n in held}}
    (inside / "model.safetensors.index.json").write_text(json.dumps(index))
    torch.save({"state": {}}, inside / "optimizer.pt")
record("safetensors/sharded", state)


# torch: a module with tied weights, normalisation and an optimiser with momentum.
class Tied(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = torch.nn.Embedding(5, 3)
        self.norm = torch.nn.BatchNorm1d(3)
        self.head = torch.nn.Linear(3, 5)
        self.head.weight = self.embed.weight

    def forward(self, x):
        return self.head(self.norm(self.embed(x)))


torch.manual_seed(2)
path = folder("torch/nested")
model = Tied()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
kept = {}
for step in range(1, 13):
    optimizer.zero_grad()
    loss = model(torch.randint(0, 5, (8,))).square().mean()
    loss.backward()
    optimizer.step()
    if step in (2, 3, 10, 12):
        whole = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": step, "loss": loss.item()}
        whole |= {"best": None, "done": False, "rng": torch.get_rng_state()[:16].clone(), "size": torch.Size([2, 3])}
        torch.save(whole, path / f"epoch{step}.pt")
        kept[step] = {n: t.clone() for n, t in model.state_dict().items() if t.is_floating_point()}
record("torch/nested", lambda step: kept[step], sorted(kept))

# Views: transposed, permuted, offset, expanded, every second; parameters; types of one file mixed.
path = folder("torch/views")


def views(step):
    tensors = state(step)
    base = torch.arange(60, dtype=torch.float32).sqrt() * (1 + step) ** 0.5
    return {
        "transposed": tensors["embed.weight"].t(),
        "permuted": tensors["layers.10.weight"].permute(2, 0, 1),
        "offset": base[17:29].view(3, 4),
        "shared": base[20:32],
        "second": base[::2][3:11],
        "expanded": tensors["layers.0.bias"][:, None].expand(4, 3),
        "parameter": torch.nn.Parameter(tensors["layers.0.weight"]),
        "half": tensors["layers.0.weight"].half(),
        "brain": tensors["layers.0.weight"].bfloat16(),
        "eight": tensors["layers.0.weight"].to(torch.float8_e5m2),
        "double": tensors["layers.2.weight"].double(),
        "empty": torch.zeros(0, 3),
        "scalar": tensors["norm.scale"],
    }


for step in STEPS:
    torch.save(views(step), path / f"{step:05d}.pth", pickle_protocol=2 + step % 3)
record("torch/views", views)

# A network's state_dict alone, one file a folder.
path = folder("torch/plain")
for step in STEPS:
    inside = path / f"step_{step}"
    inside.mkdir()
    torch.save(state(step), inside / "pytorch_model.bin")
record("torch/plain", state)

# npz: stored and deflated, both orders, three widths.
for name, save in [("stored", np.savez), ("deflated", np.savez_compressed)]:
    path = folder(f"npz/{name}")

    def arrays(step):
        tensors = {n: t.numpy() for n, t in state(step).items()}
        return {
            "c": tensors["embed.weight"].astype("<f8"),
            "fortran": np.asfortranarray(tensors["layers.10.weight"]),
            "fortran_half": np.asfortranarray(tensors["layers.0.weight"].astype("<f2")),
            "half": tensors["layers.2.weight"].astype("<f2"),
            "scalar": tensors["norm.scale"],
            "long": np.repeat(np.float32(step + 1) * np.ones(3, "<f4"), 150),
        }

    for step in STEPS:
        save(path / f"run1_step{step}.npz", step_number=np.int64(step), words=np.array(["a"]), **arrays(step))
    record(f"npz/{name}", arrays)

path = folder("npz/single")
for step in STEPS:
    np.save(path / f"{step}.npy", np.asfortranarray(state(step)["embed.weight"].numpy()))
record("npz/single", lambda step: {"array": state(step)["embed.weight"]})

# What must be refused.
path = folder("refused")


class Attack:
    def __reduce__(self):
        return os.system, ("touch porewalk-was-attacked",)


torch.save({"w": torch.zeros(2), "payload": Attack()}, path / "attack.pt")
torch.save(state(0), path / "old_format.pt", _use_new_zipfile_serialization=False)
torch.save(torch.nn.Linear(2, 1), path / "whole_module.pt")
torch.save({"w": torch.zeros(2, dtype=torch.complex64)}, path / "complex.pt")
torch.jit.script(torch.nn.Linear(2, 1)).save(path / "program.pt")
save_file({"a": torch.zeros(3), "layers.1.weight": torch.tensor([1.0, float("nan"), 2.0])}, path / "nan.safetensors")
torch.save({"w": torch.tensor([[1.0, 2.0], [float("-inf"), 3.0]]).t()}, path / "infinite.pt")

(HERE / "expected.json").write_text(json.dumps(expected))
