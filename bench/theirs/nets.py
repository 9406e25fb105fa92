"""The networks of ours/nets.ts."""
import json
from pathlib import Path

import numpy as np
import torch
import torch.nn as nn

# Height, width and channels of the small networks' images; [slices, height, width, channels] of volumes.
SHAPES = {"cnn2d": (3, 32, 32), "papernot": (1, 28, 28), "cnn3d": (3, 16, 8, 8), "resnext": (3, 56, 56)}
SHAPES |= {"lenet": (1, 28, 28), "resnet9": (3, 32, 32), "lenet3d": (1, 4, 14, 14), "resnet93d": (3, 16, 8, 8)}


def pair(inputs, outputs, pad):
    return [nn.Conv2d(inputs, outputs, 3, padding=pad), nn.ReLU(), nn.Conv2d(outputs, outputs, 3, padding=pad), nn.ReLU(), nn.MaxPool2d(2)]


def volume(inputs, outputs):
    return [nn.Conv3d(inputs, outputs, 3, padding=1), nn.ReLU()]


class Centered(nn.Module):
    def forward(self, x):
        return x - 0.5


class PerSlice(nn.Module):
    """[b,C,Z,h,w] → [b,Z,C·h·w]; with `mean`, the mean over the grid of each slice."""

    def __init__(self, mean=False):
        super().__init__()
        self.mean = mean

    def forward(self, x):
        return x.mean((3, 4)).transpose(1, 2) if self.mean else x.transpose(1, 2).flatten(2)


class Residual(nn.Module):
    def __init__(self, *layers):
        super().__init__()
        self.inner = nn.Sequential(*layers)

    def forward(self, x):
        return x + self.inner(x)


def cnn2d():
    return [*pair(3, 32, 1), *pair(32, 64, 1), *pair(64, 128, 1), nn.Flatten(), nn.Linear(2048, 256), nn.ReLU(), nn.Linear(256, 10)]


def papernot():
    dense = [nn.Linear(1024, 200), nn.ReLU(), nn.Linear(200, 200), nn.ReLU(), nn.Linear(200, 10)]
    return [Centered(), *pair(1, 32, 0), *pair(32, 64, 0), nn.Flatten(), *dense]


def cnn3d():
    pools = [nn.MaxPool3d((1, 2, 2)) for _ in range(2)]
    return [*volume(3, 32), *volume(32, 32), pools[0], *volume(32, 64), pools[1], nn.Flatten(), nn.Linear(4096, 10)]


def lenet(volumes=False):
    conv = (lambda a, b: nn.Conv3d(a, b, (3, 5, 5), padding=(1, 2, 2))) if volumes else (lambda a, b: nn.Conv2d(a, b, 5, padding=2))
    pool = (lambda: nn.MaxPool3d((1, 2, 2), ceil_mode=True)) if volumes else (lambda: nn.MaxPool2d(2))
    features = [conv(1, 32), nn.ReLU(), pool(), conv(32, 64), nn.ReLU(), pool()]
    flat = 64 * (4 * 4 if volumes else 7 * 7)
    return [*features, PerSlice() if volumes else nn.Flatten(), nn.Linear(flat, 1024), nn.ReLU(), nn.Dropout(0.5), nn.Linear(1024, 10)]


def resnet9(volumes=False):
    conv = nn.Conv3d if volumes else nn.Conv2d
    norm = nn.BatchNorm3d if volumes else nn.BatchNorm2d
    pool = (lambda: nn.MaxPool3d((1, 2, 2))) if volumes else (lambda: nn.MaxPool2d(2))
    block = lambda a, b: [conv(a, b, 3, padding=1, bias=False), norm(b, eps=1e-3), nn.ReLU()]
    twice = lambda n: Residual(*block(n, n), *block(n, n))
    features = [*block(3, 64), *block(64, 128), pool(), twice(128), *block(128, 256), pool(), *block(256, 512), pool(), twice(512)]
    mean = [PerSlice(mean=True)] if volumes else [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return [*features, *mean, nn.Linear(512, 10)]


class Block(nn.Module):
    """A block of ResNeXt with 32 groups, without batch normalisation."""

    def __init__(self, width, stride):
        super().__init__()
        inputs, outputs = 2 * width // stride, 2 * width
        layers = [nn.Conv2d(inputs, width, 1), nn.ReLU(True), nn.Conv2d(width, width, 3, stride, 1, groups=32), nn.ReLU(True), nn.Conv2d(width, outputs, 1)]
        self.inner = nn.Sequential(*layers)
        self.beside = nn.Identity() if stride == 1 else nn.Conv2d(inputs, outputs, 1, stride)

    def forward(self, x):
        return (self.inner(x) + self.beside(x)).relu_()


def resnext():
    blocks = [Block(128, 1), Block(256, 2), Block(512, 2)]
    return [nn.Conv2d(3, 256, 1), nn.ReLU(True), *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1024, 10)]


def trained_papernot(root):
    """The network of the samples; images flatten there with their channels last."""
    folder = Path(root) / "samples/models/papernot"
    specs = json.loads((folder / "model.json").read_text())["weightsManifest"][0]["weights"]
    data, at, weights = (folder / "weights.bin").read_bytes(), 0, []
    for spec in specs:
        size = int(np.prod(spec["shape"]))
        weights.append(np.frombuffer(data, "<f4", size, at).reshape(spec["shape"]))
        at += 4 * size
    net = nn.Sequential(*papernot())
    with torch.no_grad():
        for parameter, values in zip(net.parameters(), weights):
            if values.ndim == 4:
                values = values.transpose(3, 2, 0, 1)
            if values.shape == (1024, 200):
                values = values.reshape(4, 4, 64, 200).transpose(2, 0, 1, 3).reshape(1024, 200)
            parameter.copy_(torch.from_numpy(np.ascontiguousarray(values.T if values.ndim == 2 else values)))
    return net


def photographs(name):
    from torchvision import models

    if name == "inceptionV3":
        return models.inception_v3(weights=None, init_weights=False)
    net = {"vgg16": models.vgg16, "resnet50": models.resnet50, "efficientNetB0": models.efficientnet_b0, "mobileNetV2": models.mobilenet_v2}[name](weights=None)
    if name == "resnet50":  # halves the size in a block's first convolution, as the paper and Keras do, not in its second
        for stage in (net.layer2, net.layer3, net.layer4):
            stage[0].conv1.stride, stage[0].conv2.stride = (2, 2), (1, 1)
    return net


def new_network(name):
    return nn.Sequential(*{"lenet3d": lambda: lenet(True), "resnet93d": lambda: resnet9(True)}.get(name, globals().get(name))())


def attacked(row):
    """A network in inference mode whose weights stay as they are."""
    if row["net"] == "papernot":
        net = trained_papernot(row["root"])
    else:
        net = new_network(row["net"]) if row["net"] in SHAPES else photographs(row["net"])
    return net.eval().requires_grad_(False)


def noise(row):
    shape = SHAPES.get(row["net"]) or (3, row["side"], row["side"])
    classes = 10 if row["net"] in SHAPES else 1000
    return torch.rand((row["batch"], *shape)), torch.arange(row["batch"]) * 7 % classes
