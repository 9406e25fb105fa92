#!/usr/bin/env python3
"""PyTorch beside us: the networks of nets.ts, the same batches (Debian: apt-get install python3-torch).

Prints one JSON document of the form that measure.ts prints: the fastest of REPEATS, in milliseconds of wall time and of processor time.
THREADS chooses the threads.
"""
import json
import os
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

THREADS = int(os.environ.get("THREADS", "1"))
REPEATS = int(os.environ.get("REPEATS", "9"))
NETS = os.environ.get("NETS", "cnn2d,papernot,cnn3d").split(",")
torch.set_num_threads(THREADS)
torch.manual_seed(0)


def timed(work):
    work()
    work()
    wall, processor = [], []
    for _ in range(REPEATS):
        start, used = time.perf_counter(), time.process_time()
        work()
        wall.append((time.perf_counter() - start) * 1e3)
        processor.append((time.process_time() - used) * 1e3)
    return {"wall": round(min(wall), 2), "cpu": round(min(processor), 2)}


def pair(inputs, outputs, pad):
    return [nn.Conv2d(inputs, outputs, 3, padding=pad), nn.ReLU(), nn.Conv2d(outputs, outputs, 3, padding=pad), nn.ReLU(), nn.MaxPool2d(2)]


def volume(inputs, outputs):
    return [nn.Conv3d(inputs, outputs, 3, padding=1), nn.ReLU()]


nets = {
    "cnn2d": (
        [*pair(3, 32, 1), *pair(32, 64, 1), *pair(64, 128, 1), nn.Flatten(), nn.Linear(2048, 256), nn.ReLU(), nn.Linear(256, 10)],
        (64, 3, 32, 32),
    ),
    "papernot": (
        [*pair(1, 32, 0), *pair(32, 64, 0), nn.Flatten(), nn.Linear(1024, 200), nn.ReLU(), nn.Linear(200, 200), nn.ReLU(), nn.Linear(200, 10)],
        (100, 1, 28, 28),
    ),
    "cnn3d": (
        [*volume(3, 32), *volume(32, 32), nn.MaxPool3d((1, 2, 2)), *volume(32, 64), nn.MaxPool3d((1, 2, 2)), nn.Flatten(), nn.Linear(4096, 10)],
        (64, 3, 16, 8, 8),
    ),
}

results = {"torch": torch.__version__, "threads": THREADS}
for name in NETS:
    layers, shape = nets[name]
    net = nn.Sequential(*layers)
    x, y = torch.rand(shape), torch.randint(0, 10, (shape[0],))

    def forward():
        with torch.no_grad():
            net(x)

    def input_gradient():
        v = x.clone().requires_grad_(True)
        return torch.autograd.grad(F.cross_entropy(net(v), y, reduction="sum"), v)

    optimizer = torch.optim.SGD(net.parameters(), 0.01, momentum=0.9)

    def train_step():
        optimizer.zero_grad()
        F.cross_entropy(net(x), y).backward()
        optimizer.step()

    times = {"forward": timed(forward)}
    for parameter in net.parameters():
        parameter.requires_grad_(False)
    times["inputGradient"] = timed(input_gradient)
    for parameter in net.parameters():
        parameter.requires_grad_(True)
    results[name] = {**times, "trainStep": timed(train_step)}
a, b = torch.rand(1024, 1024), torch.rand(1024, 1024)
product = timed(lambda: a @ b)
results["matmul"] = product
print(json.dumps(results))
