"""A plain loop that trains an adversarial patch: pasted at random places, turned and scaled, by an affine grid; Adam on its colours."""
import math

import torch
import torch.nn.functional as F
from nets import attacked, noise


def work(row):
    net = attacked(row)
    x, _ = noise(row)
    n, channels, side, _ = x.shape
    radius = math.sqrt(0.1 * side * side / math.pi)
    size = 2 * int(radius) + 1
    middle = (size - 1) / 2
    places = torch.arange(size) - middle
    mask = (torch.hypot(places[:, None], places[None, :]) <= radius).float().expand(n, 1, size, size)
    patch = torch.full((1, channels, size, size), 0.5, requires_grad=True)
    target = torch.full((n,), 3)
    optimizer = torch.optim.Adam([patch], 0.05)

    def grid():
        angle = (torch.rand(n) * 2 - 1) * math.pi / 4
        scale = 0.9 + 0.2 * torch.rand(n)
        room = 1 - scale * size / side
        row_, column = ((torch.rand(n) * 2 - 1) * room for _ in range(2))
        zoom = side / (size * scale)
        cos, sin = torch.cos(angle) * zoom, torch.sin(angle) * zoom
        theta = torch.stack([torch.stack([cos, -sin, -cos * column + sin * row_], 1), torch.stack([sin, cos, -sin * column - cos * row_], 1)], 1)
        return F.affine_grid(theta, [n, 1, side, side], align_corners=False)

    def step():
        where = grid()
        alpha = F.grid_sample(mask, where, align_corners=False)
        colours = F.grid_sample(patch.expand(n, -1, -1, -1), where, align_corners=False)
        logits = net(x * (1 - alpha) + colours * alpha)
        loss = F.cross_entropy(logits, target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            patch.clamp_(0, 1)
            logits.argmax(1)
        loss.item()

    return step
