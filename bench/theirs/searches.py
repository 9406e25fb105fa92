"""Plain batched loops: differential evolution of one pixel, vectorised over a population, and Grad-CAM maps of a batch."""
import numpy as np
import torch
import torch.nn.functional as F
from nets import attacked, noise


def work(row):
    return search(row) if row["task"] == "npixel" else maps(row)


def search(row):
    net = attacked(row)
    x, _ = noise({**row, "batch": row["images"]})
    with torch.no_grad():
        labels = net(x).argmax(1).tolist()
    size, rng = row["population"], np.random.default_rng(0)
    bounds = np.array([28, 28, 1], np.float32)

    def scores(image, label, genes):
        pictures = np.repeat(image[None], len(genes), 0)
        rows, columns = (np.clip(genes[:, i].astype(int), 0, 27) for i in range(2))
        pictures[np.arange(len(genes)), 0, rows, columns] = np.clip(genes[:, 2], 0, 1)
        with torch.no_grad():
            return F.softmax(net(torch.from_numpy(pictures)), 1)[:, label].numpy()

    def run():
        for image, label in zip(x.numpy(), labels):
            genes = rng.random((size, 3), np.float32) * bounds
            fitness = scores(image, label, genes)
            for _ in range(row["generations"]):
                a, b, c = (rng.permutation(size) for _ in range(3))
                children = genes[a] + 0.5 * (genes[b] - genes[c])
                theirs = scores(image, label, children)
                better = theirs < fitness
                genes[better], fitness[better] = children[better], theirs[better]

    return run


def maps(row):
    net = attacked(row)
    x, y = noise(row)
    if row["net"] == "resnet50":
        stem = [net.conv1, net.bn1, net.relu, net.maxpool, net.layer1, net.layer2, net.layer3, net.layer4]
        front, rest = torch.nn.Sequential(*stem), torch.nn.Sequential(net.avgpool, torch.nn.Flatten(), net.fc)
    else:
        place = {"conv4": 10, "pool2": 11}[row["layer"]]  # Centered, then five modules a pair
        front, rest = net[:place], net[place:]

    def alone():
        with torch.no_grad():
            features = front(x)
        features.requires_grad_(True)
        score = rest(features).gather(1, y[:, None]).sum()
        return features, torch.autograd.grad(score, features)[0]

    def hooked():
        net.zero_grad()
        features = front(x)
        features.retain_grad()
        rest(features).gather(1, y[:, None]).sum().backward()
        return features, features.grad

    if row["loop"] == "hooks":
        net.requires_grad_(True)

    def run():
        features, gradient = hooked() if row["loop"] == "hooks" else alone()
        with torch.no_grad():
            raw = F.relu((features * gradient.mean((2, 3), keepdim=True)).sum(1, keepdim=True))
            normal = raw / (raw.amax((1, 2, 3), keepdim=True) + 1e-7)
            image = F.interpolate(normal, x.shape[2:], mode="bilinear", align_corners=False)
            (image >= image.mean((1, 2, 3), keepdim=True)).numpy()

    return run
