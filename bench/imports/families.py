"""PyTorch's side of `node bench/imports.mjs families`.

families.py make FOLDER NAME:OPSET:BATCH…  exports networks of torchvision with random weights and statistics, and writes two pictures (x), their
logits (y) and the gradient (g) of the logits weighted by w. BATCH is "dyn" or the number of pictures that is written into the file.
families.py rescore FOLDER NAME:OPSET:BATCH…  classifies the images that our PGD made, and compares its predictions with ours.
families.py large FOLDER NAME…  exports networks of photographs, 1000 classes at 224×224, batch 1, as NAME.onnx.

The exporter knows operator sets up to 17. For 18 to 22 its file is raised: their definitions of the operators that it uses are the same for
float32, but for reductions, and files with these are refused.
"""

import json
import os
import sys
import warnings

import numpy as np
import torch
import torchvision.models as M

warnings.filterwarnings("ignore")
torch.set_num_threads(1)
plain = {"num_classes": 10}
no_heads = {**plain, "aux_logits": False, "init_weights": False}
FAMILIES = {
    "alexnet": (lambda: M.alexnet(**plain), 224),
    "vgg11_bn": (lambda: M.vgg11_bn(**plain), 64),
    "resnet18": (lambda: M.resnet18(**plain), 64),
    "resnet50": (lambda: M.resnet50(**plain), 64),
    "squeezenet": (lambda: M.squeezenet1_1(**plain), 64),
    "densenet121": (lambda: M.densenet121(**plain), 64),
    "inception_v3": (lambda: M.inception_v3(**no_heads), 128),
    "googlenet": (lambda: M.googlenet(**no_heads), 64),
    "mobilenet_v2": (lambda: M.mobilenet_v2(**plain), 64),
    "mobilenet_v3": (lambda: M.mobilenet_v3_small(**plain), 64),
    "mnasnet": (lambda: M.mnasnet0_5(**plain), 64),
    "efficientnet_b0": (lambda: M.efficientnet_b0(**plain), 64),
    "resnext50": (lambda: M.resnext50_32x4d(**plain), 64),
    "regnet_x": (lambda: M.regnet_x_400mf(**plain), 64),
    "regnet_y": (lambda: M.regnet_y_400mf(**plain), 64),
    "shufflenet": (lambda: M.shufflenet_v2_x0_5(**plain), 64),
    "convnext": (lambda: M.convnext_tiny(**plain), 64),
    "vit": (
        lambda: M.VisionTransformer(
            image_size=64, patch_size=16, num_layers=2, num_heads=4, hidden_dim=64, mlp_dim=128, num_classes=10
        ),
        64,
    ),
    "swin": (
        lambda: M.SwinTransformer(
            patch_size=[4, 4], embed_dim=24, depths=[2, 2], num_heads=[2, 4], window_size=[4, 4], num_classes=10
        ),
        64,
    ),
}


def resnet50_of_2015():
    """Strides in the first convolution of a block, as in the paper and in our builder."""
    network = M.resnet50()
    for stage in (network.layer2, network.layer3, network.layer4):
        stage[0].conv1.stride, stage[0].conv2.stride = (2, 2), (1, 1)
    return network


LARGE = {"resnet50": resnet50_of_2015, "vgg11_bn": M.vgg11_bn, "alexnet": M.alexnet}


def large(folder, name):
    torch.manual_seed(1)
    file = os.path.join(folder, f"{name}.onnx")
    torch.onnx.export(LARGE[name]().eval(), torch.zeros(1, 3, 224, 224), file, opset_version=13)


def raise_opset(file, opset):
    """OperatorSetIdProto (field 8 of the model): version 17, with or without an empty domain before it."""
    with open(file, "rb") as source:
        model = source.read()
    if b"Reduce" in model:
        raise ValueError("reductions take their axes as an input from operator set 18 on")
    for old in (b"\x42\x02\x10\x11", b"\x42\x04\x0a\x00\x10\x11"):
        if model.endswith(old):
            with open(file, "wb") as target:
                target.write(model[:-1] + bytes([opset]))
            return
    raise ValueError("the exporter wrote the operator set elsewhere")


def build(name):
    """The network, its statistics moved: with means 0 and variances 1 folding a normalisation would be right in any case."""
    torch.manual_seed(1)
    network, size = FAMILIES[name][0](), FAMILIES[name][1]
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
        if isinstance(module, (torch.nn.BatchNorm2d, torch.nn.LayerNorm)):
            module.weight.data.uniform_(0.5, 1.5)
            module.bias.data.normal_(0, 0.1)
        if type(module).__name__ == "CNBlock":
            module.layer_scale.data.uniform_(0.1, 0.5)
    for parameter in network.parameters():
        if parameter.abs().max() == 0:
            parameter.data.normal_(0, 0.05)
    return network.eval(), size


def nhwc(tensor):
    return tensor.detach().permute(0, 2, 3, 1).contiguous().float().numpy()


def make(folder, name, opset, batch):
    network, size = build(name)
    x = torch.rand(2, 3, size, size)
    weights = torch.linspace(-1, 1, 10).cos() * torch.arange(10).add(1.0).sin()

    def answers(net, images):
        images = images.clone().requires_grad_(True)
        y = net(images)
        (y * weights.to(y.dtype)).sum().backward()
        return y, images.grad

    stem = os.path.join(folder, f"{name}-{opset}-{batch}")
    axes = {"dynamic_axes": {"x": {0: "b"}, "y": {0: "b"}}} if batch == "dyn" else {}
    shown = torch.zeros(2 if batch == "dyn" else int(batch), 3, size, size)
    torch.onnx.export(
        network, shown, f"{stem}.onnx", opset_version=min(opset, 17), input_names=["x"], output_names=["y"], **axes
    )
    if opset > 17:
        raise_opset(f"{stem}.onnx", opset)
    y, g = answers(network, x)
    # What torch itself loses in 32 bits: gradients of DenseNet and Inception differ by more than ours do.
    y64, g64 = answers(network.double(), x.double())
    nhwc(x).tofile(f"{stem}.x.bin")
    nhwc(g64).tofile(f"{stem}.g.bin")
    y64.detach().float().numpy().tofile(f"{stem}.y.bin")
    weights.numpy().astype("<f4").tofile(f"{stem}.w.bin")
    worst = lambda a, b: float((a.double() - b).abs().max() / b.abs().max())  # noqa: E731
    own = {"logits": worst(y, y64), "gradient": worst(g, g64)}
    with open(f"{stem}.json", "w") as file:
        json.dump({"size": size, "classes": 10, "torch32": own}, file)


def rescore(folder, name, opset, batch):
    """How many of the images have the prediction that we gave them."""
    stem = os.path.join(folder, f"{name}-{opset}-{batch}")
    network, size = build(name)
    x = np.fromfile(f"{stem}.adversarial.bin", "<f4").reshape(-1, size, size, 3).transpose(0, 3, 1, 2)
    with open(f"{stem}.predicted.json") as file:
        ours = json.load(file)
    theirs = network(torch.from_numpy(x.copy())).argmax(1).tolist()
    return {"same": sum(a == b for a, b in zip(ours["after"], theirs)), "of": len(theirs)}


if __name__ == "__main__":
    action, folder, *cases = sys.argv[1:]
    if action == "large":
        for case in cases:
            large(folder, case)
        sys.exit()
    for case in cases:
        name, opset, batch = case.split(":")
        try:
            done = {"make": make, "rescore": rescore}[action](folder, name, int(opset), batch)
            print(json.dumps({"case": case, **(done or {})}), flush=True)
        except Exception as error:  # an operator that this opset of the exporter lacks
            print(json.dumps({"case": case, "error": str(error).split("\n")[0][:120]}), flush=True)
