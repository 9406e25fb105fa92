#!/usr/bin/env python3
"""A second opinion on a run folder, from NumPy and SciPy alone (Debian: python3-numpy python3-scipy): no line of Bulwark is used.

  reference.py rescore RUN                          scores every adversarial-*.npz again in float64: predictions, successes, norms, bounds
  reference.py search RUN ARM ATTACK [--images N]   SciPy's differential_evolution beside an N-pixel attack, with as many candidates at most

Reads saved networks of convolutions, max pools and dense layers in 2-D and 3-D (lenet, papernot, vgg) on volumes ordered by any measure.
Exits with 1 where the two disagree beyond what float32 explains.
"""
import argparse
import json
import re
import sys
from pathlib import Path

import numpy as np

TIE = 1e-4  # between the two largest scores: what float32 and float64 may see differently


class Network:
    def __init__(self, folder):
        saved = json.loads((folder / "model.json").read_text())
        contract = json.loads((folder / "model.bulwark.json").read_text())
        topology = saved["modelTopology"]
        self.layers = (topology.get("model_config") or topology)["config"]
        self.layers = self.layers["layers"] if isinstance(self.layers, dict) else self.layers
        volumized = [d["params"] for d in contract.get("defense") or [] if d["id"] == "volumizedCurriculum" and d["params"]["volumizer"]]
        self.volumizer = volumized[0] if volumized else None
        data, self.weights, at = (folder / "weights.bin").read_bytes(), {}, 0
        for spec in saved["weightsManifest"][0]["weights"]:
            size = int(np.prod(spec["shape"]))
            self.weights[spec["name"]] = np.frombuffer(data, "<f4", size, at).reshape(spec["shape"]).astype(np.float64)
            at += 4 * size

    def scores(self, images, batch=25):
        return np.concatenate([self._scores(images[i : i + batch]) for i in range(0, len(images), batch)])

    def _scores(self, images):
        x = np.asarray(images, np.float64)
        if self.volumizer:
            x, _ = volumes(np.asarray(images, np.float32), self.volumizer)
        values = {}
        for layer in self.layers:
            inbound = layer.get("inbound_nodes") or []
            x = self._apply(layer, values[inbound[0][0][0]] if inbound else x)
            values[layer["config"]["name"]] = x
        if not self.volumizer:
            return x
        assert self.volumizer["aggregate"] == "meanProb", self.volumizer["aggregate"]
        return np.log(np.exp(log_softmax(x)).mean(axis=1))

    def _apply(self, layer, x):
        kind, config = layer["class_name"], layer["config"]
        weight = lambda part: self.weights[f"{config['name']}/{part}"]
        if kind in ("InputLayer", "Dropout"):
            return x
        if kind == "Rescaling":
            return x * config["scale"] + config["offset"]
        if kind in ("Flatten", "Reshape"):
            return x.reshape(len(x), *(config["target_shape"] if kind == "Reshape" else [-1]))
        if kind == "ZeroPadding2D":
            return np.pad(x, [(0, 0), *map(tuple, config["padding"]), (0, 0)])
        if kind in ("MaxPooling2D", "MaxPooling3D"):
            windows = windowed(x, config["pool_size"], config["strides"], config["padding"], -np.inf)
            return windows.max(axis=tuple(range(x.ndim, windows.ndim)))
        if kind == "Dense":
            return activated(x @ weight("kernel") + weight("bias"), config)
        if kind in ("Conv2D", "Conv3D"):
            kernel = weight("kernel")
            windows = windowed(x, kernel.shape[:-2], config["strides"], config["padding"], 0)  # [b, places…, c, kernel…]
            axes = list(range(x.ndim, windows.ndim))
            product = np.tensordot(windows, kernel, axes=([*axes, x.ndim - 1], list(range(kernel.ndim - 1))))
            return activated(product + weight("bias"), config)
        raise SystemExit(f"no reference for a layer {kind}")


def windowed(x, size, strides, padding, filler):
    """[b, places…, c] as [b, new places…, c, window…]."""
    size, axes = tuple(size), tuple(range(1, x.ndim - 1))
    if padding == "same":
        short = [max(0, (-(-x.shape[a] // s) - 1) * s + k - x.shape[a]) for a, s, k in zip(axes, strides, size)]
        x = np.pad(x, [(0, 0), *[(n // 2, n - n // 2) for n in short], (0, 0)], constant_values=filler)
    windows = np.lib.stride_tricks.sliding_window_view(x, size, axes)
    return windows[(slice(None), *[slice(None, None, s) for s in strides])]


def activated(x, config):
    assert config["activation"] in ("relu", "linear"), config["activation"]
    return np.maximum(x, 0) if config["activation"] == "relu" else x


def log_softmax(x):
    x = x - x.max(axis=-1, keepdims=True)
    return x - np.log(np.exp(x).sum(axis=-1, keepdims=True))


def entropy(values):
    shares = np.unique(values, return_counts=True)[1] / len(values)
    return float(-(shares * np.log2(shares)).sum())


def divergence(a, b):
    """KL(a‖b) in bits of the histograms, with 1/256 more in each of the 256 bins."""
    p, q = ((np.bincount(x, minlength=256) + 1 / 256) / (len(x) + 1) for x in (a, b))
    return float((p * np.log2(p / q)).sum())


def similarity(a, b):
    a, b, (c1, c2) = a.astype(float), b.astype(float), ((0.01 * 255) ** 2, (0.03 * 255) ** 2)
    covariance = ((a - a.mean()) * (b - b.mean())).mean()
    return float((2 * a.mean() * b.mean() + c1) * (2 * covariance + c2) / ((a.mean() ** 2 + b.mean() ** 2 + c1) * (a.var() + b.var() + c2)))


def peak_ratio(a, b):
    error = float(((a - b) ** 2).mean())
    return np.inf if error == 0 else 20 * np.log10(255 / np.sqrt(error))


MEASURES = {
    "entropy": lambda a, b: entropy(a),
    "jointEntropy": lambda a, b: entropy(256 * a + b),
    "mutualInformation": lambda a, b: entropy(a) + entropy(b) - entropy(256 * a + b),
    "klDivergence": divergence,
    "ssim": similarity,
    "maxNorm": lambda a, b: float(max(a.max(), b.max())),
    "psnr": peak_ratio,
    "mse": lambda a, b: float(((a - b) ** 2).mean()),
}


def volumes(images, options):
    """[n,H,W,C] → [n,Z,p,p,C], ordered by a measure of each slice, or of it and the slice of highest entropy; and the orders [n,Z]."""
    assert (options["reference"], options["refScore"], options["maxNormMode"], options["jeMode"]) == ("mostSalient", "true", "paper", "joint")
    p, (n, height, width, channels) = options["patch"], images.shape
    slices = images.reshape(n, height // p, p, width // p, p, channels).transpose(0, 1, 3, 2, 4, 5).reshape(n, -1, p, p, channels)
    levels = np.floor(255 * slices.astype(np.float64) + 0.5).clip(0, 255).astype(np.int64).reshape(n, slices.shape[1], -1)
    order, sign = np.empty(slices.shape[:2], int), 1 if options["order"] == "asc" else -1
    for i, own in enumerate(levels):
        reference = own[int(np.argmax(np.round([entropy(s) for s in own], 9)))]
        scores = np.round([MEASURES[options["measure"]](s, reference) for s in own], 9)  # equal counts tie, whatever the sums' order
        order[i] = np.argsort(sign * scores, kind="stable")
    return np.take_along_axis(slices, order[:, :, None, None, None], axis=1).astype(np.float64), order


def predictions(network, images):
    """Classes, and the distance between the two largest scores."""
    scores = network.scores(images)
    two = np.sort(scores, axis=1)[:, -2:]
    return scores.argmax(axis=1), two[:, 1] - two[:, 0]


def runs_of(run):
    """(arm, folder of its network, records, document) of every finished attack."""
    report = json.loads((run / "report.json").read_text())
    slug = lambda name: re.sub(r"^-+|-+$", "", re.sub(r"[^A-Za-z0-9]+", "-", name))[:60]
    names = [slug(arm["name"]) for arm in report["arms"]]
    for place, (arm, name) in enumerate(zip(report["arms"], names)):
        folder = run / ("model" if place == 0 else f"model-{name}")
        for file in sorted(run.glob("records-*.json")):
            owner = next((k for k, other in enumerate(names) if k > 0 and file.name.startswith(f"records-{other}-")), 0)
            document = json.loads(file.read_text())
            if owner == place:
                yield arm["name"], folder, file.name, document


def rescore(run):
    wrong = 0
    print(f"{'arm':24} {'records':52} images  predictions  after 8 bits  successes  norms  outside")
    for arm, folder, name, document in runs_of(run):
        network, arrays = Network(folder), np.load(run / document["files"]["adversarial"])
        clean, adversarial, records = arrays["clean"], arrays["adversarial"], document["images"]
        field = lambda key: np.array([record[key] for record in records])
        label, params = field("label"), document["attack"]["params"]
        target = params.get("target", -1)
        reached = lambda classes: classes == target if target >= 0 else classes != label
        before, near0 = predictions(network, clean)
        after, near1 = predictions(network, adversarial)
        rounded, near2 = predictions(network, np.floor(255 * adversarial.astype(np.float64) + 0.5) / 255)
        difference = adversarial.astype(np.float64) - clean
        axes = (1, 2, 3)
        norms = {"linf": np.abs(difference).max(axes), "l2": np.sqrt((difference**2).sum(axes)), "l0": (difference != 0).any(3).sum((1, 2))}
        success = ~reached(before) & reached(after)
        clear = (near0 > TIE) & (near1 > TIE)
        bad = {
            "predictions": ((before != field("cleanPrediction")) & (near0 > TIE)).sum() + ((after != field("prediction")) & (near1 > TIE)).sum(),
            "rounded": ((success & reached(rounded)) != field("successAfter8Bit"))[clear & (near2 > TIE)].sum(),
            "successes": (success != field("success"))[clear].sum(),
            "norms": sum((np.abs(values - field(key)) > 1e-4).sum() for key, values in norms.items()),
            "outside": ((adversarial < 0) | (adversarial > 1)).any(axes).sum()
            + (norms["l0"] > params.get("pixels", np.inf)).sum()
            + (norms["linf"] > params.get("eps", 1) + 1e-6).sum(),
        }
        wrong += sum(bad.values())
        doubtful = int((~clear | (near2 <= TIE)).sum())
        cells = [f"{bad[key]:{width}d}" for key, width in (("predictions", 12), ("rounded", 13), ("successes", 10), ("norms", 6), ("outside", 8))]
        print(f"{arm[:24]:24} {name:52} {len(records):6d} {''.join(cells)}{f'   ({doubtful} too close to tell)' if doubtful else ''}")
    print(f"{wrong} disagreements" if wrong else "no disagreement")
    return wrong


def orders(run):
    print(f"{'arm':24} {'records':52} right before  order changed: fooled  order kept: fooled")
    for arm, folder, name, document in runs_of(run):
        network, arrays = Network(folder), np.load(run / document["files"]["adversarial"])
        if not network.volumizer:
            continue
        before, after = (volumes(arrays[key], network.volumizer)[1] for key in ("clean", "adversarial"))
        right = np.array([record["cleanPrediction"] == record["label"] for record in document["images"]])
        fooled = np.array([record["prediction"] != record["label"] for record in document["images"]])
        changed = (before != after).any(axis=1)
        counts = [(right & moved & which).sum() for moved in (changed, ~changed) for which in (True, fooled)]
        print(f"{arm[:24]:24} {name:52} {right.sum():12d} {counts[1]:13d} of {counts[0]:4d} {counts[3]:11d} of {counts[2]:3d}")


def search(run, arm, attack, count):
    """SciPy's search as one-pixel-attack-keras uses it, on the images that ours attacked, stopped at the same number of candidates."""
    from scipy.optimize import differential_evolution

    folder, document = next((f, d) for a, f, n, d in runs_of(run) if a == arm and n.endswith(f"-{attack}.json"))
    network, arrays, params = Network(folder), np.load(run / document["files"]["adversarial"]), document["attack"]["params"]
    clean, genes = arrays["clean"], params["pixels"] * (2 + arrays["clean"].shape[3])
    height, width, channels = clean.shape[1:]
    bounds = ([(0, height - 1e-6), (0, width - 1e-6)] + [(0, 255)] * channels) * params["pixels"]
    ours, theirs, attacked = 0, 0, 0
    for record in document["images"]:
        if attacked == count:
            break
        if record["cleanPrediction"] != record["label"]:
            continue
        image, label = clean[record["index"]], record["label"]

        def painted(candidates):
            pictures = np.repeat(image[None], candidates.shape[1], axis=0)
            for pixel in candidates.T.reshape(candidates.shape[1], params["pixels"], -1).transpose(1, 0, 2):
                pictures[np.arange(len(pictures)), pixel[:, 0].astype(int), pixel[:, 1].astype(int)] = pixel[:, 2:] / 255
            return pictures

        odds = lambda scores: scores[:, label] - np.log(np.exp(np.delete(scores, label, axis=1)).sum(axis=1))
        fitness = lambda candidates: odds(log_softmax(network.scores(painted(candidates), 400)))
        found = lambda x, convergence=0: int(network.scores(painted(x[:, None]))[0].argmax()) != label
        start = np.random.default_rng(record["index"]).random((max(5, params["popSize"]), genes)) * np.array(bounds)[:, 1]
        result = differential_evolution(
            fitness, bounds, init=start, maxiter=params["maxGen"], recombination=1, atol=-1, tol=0, polish=False, vectorized=True,
            updating="deferred", callback=found, rng=record["index"],
        )
        attacked, ours, theirs = attacked + 1, ours + record["success"], theirs + found(result.x)
    print(f"{arm}, {attack} ({params['pixels']} pixels, {params['popSize']} candidates, {params['maxGen']} generations), {attacked} images:")
    print(f"  ours ({params['strategy']}) fools it on {ours}, SciPy's best1bin on {theirs}")


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
verbs = parser.add_subparsers(dest="verb", required=True)
for verb in ("rescore", "orders"):
    verbs.add_parser(verb).add_argument("run", type=Path)
compared = verbs.add_parser("search")
for name, kind in (("run", Path), ("arm", str), ("attack", str)):
    compared.add_argument(name, type=kind)
compared.add_argument("--images", type=int, default=20)
asked = parser.parse_args()
if asked.verb == "search":
    search(asked.run, asked.arm, asked.attack, asked.images)
elif asked.verb == "orders":
    orders(asked.run)
elif rescore(asked.run):
    sys.exit(1)
