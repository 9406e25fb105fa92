"""Logits of a batch and the gradient of its summed cross-entropy with respect to the images."""
import torch
import torch.nn.functional as F
from nets import attacked, noise


def work(row):
    if row["task"] == "matmul":
        a, b = torch.rand(1024, 1024), torch.rand(1024, 1024)
        return lambda: a @ b
    net = attacked(row)
    x, y = noise(row)

    def forward():
        with torch.no_grad():
            net(x)

    def gradient():
        v = x.clone().requires_grad_(True)
        return torch.autograd.grad(F.cross_entropy(net(v), y, reduction="sum"), v)

    return forward if row["task"] == "forward" else gradient
