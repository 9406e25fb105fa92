"""Optimiser steps on one batch; a network of volumes is given them ready-made and sums the loss over their slices."""
import torch
import torch.nn.functional as F
from nets import new_network, noise


def work(row):
    net = new_network(row["net"]).train()
    micro = row.get("micro", row["batch"])
    x, y = noise({**row, "batch": micro})
    parameters = net.parameters()
    optimizer = torch.optim.Adam(parameters, 1e-4, eps=1e-7) if row["optimizer"] == "adam" else torch.optim.SGD(parameters, 1e-4, momentum=0.9)

    def loss():
        logits = net(x)
        if logits.ndim == 2:
            return F.cross_entropy(logits, y)
        return F.cross_entropy(logits.flatten(0, 1), y.repeat_interleave(logits.shape[1]), reduction="sum") / micro

    def step():
        for _ in range(row["batch"] // micro):
            optimizer.zero_grad()
            value = loss()
            value.backward()
            optimizer.step()
            value.item()

    return step
