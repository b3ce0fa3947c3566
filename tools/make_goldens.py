#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Records what PyTorch computes for every network, as small files under tests/golden/data.

    python tools/make_goldens.py [--single] [NAME...]
    python tools/make_goldens.py --weights FOLDER       the pretrained weights of FOLDER (efficientnet_lite0, mobilenet_v2) at work
    needs torch, torchvision, efficientnet_lite_pytorch, ultralytics, safetensors

Weights and inputs are not stored: both sides draw them from Philox streams keyed by the tensor's name. PyTorch runs in double
precision, so what is stored is the truth to more digits than single precision holds. Gradients and running statistics are stored as
norm and 16 projections on random signs: the mean square of the projections of a difference is an unbiased estimate of its
squared norm. How far PyTorch's own gradients are from that with autocast to bf16 is stored too, as the most that bf16 may cost here. With --single, PyTorch also runs in single precision, and how far that is from the truth is printed: what a case allows.
"""

import functools
import json
import pathlib
import sys

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.numpy import save_file
from safetensors.torch import load_file

OUT = pathlib.Path(__file__).resolve().parent.parent / "tests" / "golden" / "data"
BATCH, HEIGHT, WIDTH, CLASSES = 3, 49, 34, 5
SMOOTHING = 0.1
LABELS = [1, 3, 0]
SAMPLE_WEIGHTS = [0.5, 0.3125, 0.1875]
STEPS, MOMENTUM = 10, 0.9
PROJECTIONS = 16
CHANGES = 8
# A gradient that is zero in exact arithmetic (of a shift that the next BatchNorm takes out again) has no relative error.
ZERO = 1e-10
# The derivative of ReLU jumps at 0, that of ReLU6 at 6 too. An input is chosen that no activation meets nearer to those than rounding can move it.
MARGIN = 3e-6


# ---- random numbers, as src/core/rng.h makes them ----------------------------------------------------------------------


def philox(counter, key):
    """counter: four uint64 arrays holding 32-bit words; key: two integers."""
    mask = np.uint64(0xFFFFFFFF)
    c = [np.asarray(x, np.uint64) for x in counter]
    k = [key[0], key[1]]
    for _ in range(10):
        a = c[0] * np.uint64(0xD2511F53)
        b = c[2] * np.uint64(0xCD9E8D57)
        c = [(b >> np.uint64(32)) ^ c[1] ^ np.uint64(k[0]), b & mask, (a >> np.uint64(32)) ^ c[3] ^ np.uint64(k[1]), a & mask]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return c


def stream(name, count):
    """The first `count` words of the stream of that name: its key is the name's FNV-1a hash."""
    seed = 0xCBF29CE484222325
    for byte in name.encode():
        seed = ((seed ^ byte) * 0x100000001B3) % 2**64
    blocks = np.arange((count + 3) // 4, dtype=np.uint64)
    zero = np.zeros_like(blocks)
    words = philox([blocks, zero, zero, zero], [seed & 0xFFFFFFFF, seed >> 32])
    return np.stack(words, 1).reshape(-1)[:count].astype(np.uint32)


def uniform(name, shape, low, high):
    unit = (stream(name, int(np.prod(shape))) >> np.uint32(8)).astype(np.float32) * np.float32(2.0**-24)
    low, high = np.float32(low), np.float32(high)
    return (low + (high - low) * unit).reshape(shape)


@functools.cache
def initial_value(name, shape):
    """The rule of tests/golden/golden_values.cpp."""
    if name.endswith("running_mean"):
        return uniform(name, shape, -0.25, 0.25)
    if name.endswith("running_var"):
        return uniform(name, shape, 0.75, 1.5)
    if len(shape) == 4:
        bound = np.float32(np.sqrt(6.0 / (shape[1] * shape[2] * shape[3])))
        return uniform(name, shape, -bound, bound)
    if len(shape) == 2:
        bound = np.float32(np.sqrt(3.0 / shape[1]))
        return uniform(name, shape, -bound, bound)
    if name.endswith("weight"):
        return uniform(name, shape, 0.5, 1.0)
    return uniform(name, shape, 1.5, 3.5)


# ---- the networks ---------------------------------------------------------------------------------------------------------


class SameConv(torch.nn.Conv2d):
    def forward(self, x):
        pads = []
        for size, kernel, stride in ((x.shape[3], self.kernel_size[1], self.stride[1]), (x.shape[2], self.kernel_size[0], self.stride[0])):
            total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
            pads += [total // 2, total - total // 2]
        return F.conv2d(F.pad(x, pads), self.weight, self.bias, self.stride, 0, self.dilation, self.groups)


def depthwise(x, weight, stride):
    """A depthwise convolution without padding as a sum of shifted products: PyTorch's in double precision is far too slow."""
    rows, columns = (x.shape[2] - weight.shape[2]) // stride + 1, (x.shape[3] - weight.shape[3]) // stride + 1
    return sum(x[:, :, r:r + stride * (rows - 1) + 1:stride, c:c + stride * (columns - 1) + 1:stride] * weight[:, 0, r, c, None, None]
               for r in range(weight.shape[2]) for c in range(weight.shape[3]))


conv2d = F.conv2d


def conv2d_with_fast_double(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    if x.dtype != torch.float64 or groups == 1:
        return conv2d(x, weight, bias, stride, padding, dilation, groups)
    assert bias is None and groups == x.shape[1]
    pads = (padding, padding) if isinstance(padding, int) else padding
    return depthwise(F.pad(x, [pads[1], pads[1], pads[0], pads[0]]), weight, stride if isinstance(stride, int) else stride[0])


def mobilenet(width, same, classes=CLASSES):
    import torchvision

    net = torchvision.models.MobileNetV2(num_classes=classes, width_mult=width, dropout=0.0)
    for module in net.modules():
        if isinstance(module, torch.nn.Conv2d) and same:
            module.__class__ = SameConv
        if isinstance(module, torch.nn.BatchNorm2d) and same:  # as TensorFlow's weights, which this padding comes with
            module.eps, module.momentum = 1e-3, 0.01
    return net, {"padding": "same" if same else "symmetric", "rate": 3e-4}


def lite(size, classes=CLASSES, sides=(HEIGHT, WIDTH)):
    from efficientnet_lite_pytorch import EfficientNet

    overrides = {"num_classes": classes, "image_size": list(sides), "dropout_rate": 0.0, "drop_connect_rate": 0.0}
    return EfficientNet.from_name(f"efficientnet-lite{size}", **overrides), {"padding": "same", "rate": 3e-4}


def yolo(size):
    from ultralytics.nn.tasks import ClassificationModel

    return ClassificationModel(f"yolo11{size}-cls.yaml", nc=CLASSES, verbose=False), {"padding": "symmetric", "rate": 3e-4}


class ConvHead(torch.nn.Module):
    """A backbone with the classic add-on: convolution, ReLU, pooling, dense."""

    def __init__(self, features, channels, hidden):
        super().__init__()
        self.features = features
        self.relu = torch.nn.ReLU()
        self.head = torch.nn.ModuleDict({"conv": torch.nn.Conv2d(channels, hidden, 3, padding=1), "fc": torch.nn.Linear(hidden, CLASSES)})

    def forward(self, x):
        return self.head["fc"](self.relu(self.head["conv"](self.features(x))).mean((2, 3)))


def mobilenet_with_conv_head(width, hidden):
    net, facts = mobilenet(width, False)
    return ConvHead(net.features, net.last_channel, hidden), facts | {"head": "conv", "head_channels": hidden}


CASES = {f"mobilenet_v2{'' if w == 1.0 else f'_{w}'}{'_same' if s else ''}": (lambda w=w, s=s: mobilenet(w, s))
         for w in (0.35, 1.0, 1.4) for s in (False, True)}
CASES |= {f"efficientnet_lite{i}": (lambda i=i: lite(i)) for i in range(5)}
CASES |= {"mobilenet_v2_0.35_conv_head": lambda: mobilenet_with_conv_head(0.35, 16)}
CASES |= {f"yolo11{s}-cls": (lambda s=s: yolo(s)) for s in "nsmlx"}


# ---- what is recorded -------------------------------------------------------------------------------------------------------


def learned(net):
    return sorted(name for name, _ in net.named_parameters())


def statistics(net):
    return sorted(name for name, _ in net.named_buffers() if name.endswith(("running_mean", "running_var")))


def set_values(net):
    with torch.no_grad():
        for name, tensor in list(net.named_parameters()) + list(net.named_buffers()):
            if not name.endswith("num_batches_tracked"):
                tensor.copy_(torch.from_numpy(initial_value(name, tuple(tensor.shape))))


def measured_statistics(net, image):
    """The batch's own statistics, in half precision, as one vector: with these stored, every activation is in its working range."""
    set_mode(net, live=True)
    norms = [module for module in net.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    momenta = [module.momentum for module in norms]
    for module in norms:
        module.momentum = 1.0
    with torch.no_grad():
        net(image)
    for module, momentum in zip(norms, momenta):
        module.momentum = momentum
    buffers = dict(net.named_buffers())
    return np.concatenate([buffers[name].double().numpy() for name in statistics(net)]).astype(np.float16)


def set_statistics(net, states):
    buffers = dict(net.named_buffers())
    begin = 0
    for name in statistics(net):
        count = buffers[name].numel()
        buffers[name].copy_(torch.from_numpy(states[begin:begin + count].astype(np.float64)))
        begin += count


def set_mode(net, live):
    net.train()
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.train(live)


def logits_of(net, image):
    out = net(image)
    return out[-1] if isinstance(out, tuple) else out


def loss_of(net, image, autocast=False):
    targets = F.one_hot(torch.tensor(LABELS), CLASSES).to(image.dtype) * (1 - SMOOTHING) + SMOOTHING / CLASSES
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        logits = logits_of(net, image).to(image.dtype)
    each = -(targets * logits.log_softmax(1)).sum(1)
    return (each * torch.tensor(SAMPLE_WEIGHTS, dtype=image.dtype)).sum()


@functools.cache
def signs(count):
    """(count, PROJECTIONS): +-1 from the bits of one stream."""
    words = stream("projection", count)
    return (1 - 2 * ((words[:, None] >> np.arange(PROJECTIONS, dtype=np.uint32)) & 1).astype(np.int8)).astype(np.float64)


def summary(tensors):
    """(tensors, 1 + PROJECTIONS): norm, then projections."""
    tensors = [tensor.detach().double().numpy().reshape(-1) for tensor in tensors]
    table = signs(max(flat.size for flat in tensors))
    return np.array([np.concatenate([[np.linalg.norm(flat)], flat @ table[:flat.size]]) for flat in tensors])


def step(net, image):
    net.zero_grad()
    loss = loss_of(net, image)
    loss.backward()
    return np.array([loss.item()])


def image_of(salt, dtype):
    values = uniform(f"image {salt}", (BATCH, HEIGHT, WIDTH, 3), -1.5, 1.5)
    return torch.from_numpy(values).permute(0, 3, 1, 2).contiguous().to(dtype)


def margin(net, image):
    """The least distance of any input of a ReLU or ReLU6 from 0 and 6, with live and with stored statistics."""
    found = []
    hooks = [module.register_forward_pre_hook(lambda _, x: found.append(torch.minimum(x[0].abs(), (x[0] - 6).abs()).min().item()))
             for module in net.modules() if isinstance(module, (torch.nn.ReLU, torch.nn.ReLU6))]
    set_values(net)
    set_statistics(net, measured_statistics(net, image))
    set_mode(net, live=False)
    with torch.no_grad():
        net(image)
    for hook in hooks:
        hook.remove()
    return min(found, default=1.0)


def find_salt(make):
    net = make()[0].double()
    margins = {}
    for salt in range(64):
        margins[salt] = margin(net, image_of(salt, torch.float64))
        if margins[salt] > MARGIN:
            break
    return max(margins, key=margins.get)


def record(make, dtype, salt, states=None):
    net, facts = make()
    net = net.to(dtype)
    image = image_of(salt, dtype)
    values = dict(net.named_parameters())
    buffers = dict(net.named_buffers())
    result = {}
    set_values(net)
    result["states"] = states = measured_statistics(net, image) if states is None else states
    set_statistics(net, states)
    net.eval()
    with torch.no_grad():
        result["logits"] = logits_of(net, image).double().numpy()
    set_mode(net, live=False)
    result["frozen.loss"] = step(net, image)
    result["frozen.gradients"] = summary(values[name].grad for name in learned(net))
    set_values(net)
    set_mode(net, live=True)
    optimizer = torch.optim.SGD(net.parameters(), lr=facts["rate"], momentum=MOMENTUM)
    losses = []
    for _ in range(STEPS):
        losses.append(step(net, image))
        if len(losses) == 1:
            result["live.gradients"] = summary(values[name].grad for name in learned(net))
            result["live.statistics"] = summary(buffers[name] for name in statistics(net))
        optimizer.step()
    result["live.losses"] = np.concatenate(losses)
    norms = [m for m in net.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    facts |= {"bn_eps": norms[0].eps, "bn_momentum": norms[0].momentum}
    assert all((m.eps, m.momentum) == (norms[0].eps, norms[0].momentum) for m in norms)
    return result, facts, learned(net), statistics(net)


def errors_in_bf16(make, salt, truth, kind):
    """Of all gradients together, relative to their norm, and of the loss, relative to it, with autocast to bf16 and channels-last, as PyTorch trains in
    bf16: the largest with the image as it is and with pixels changed in their sixth digit, so that other roundings fall the other way."""
    net = make()[0].float().to(memory_format=torch.channels_last)
    values = dict(net.named_parameters())
    right = truth[f"{kind}.gradients"]
    right_loss = truth["live.losses" if kind == "live" else "frozen.loss"][0]
    image = image_of(salt, torch.float32).contiguous(memory_format=torch.channels_last)
    errors = []
    for change in range(CHANGES):
        set_values(net)
        set_statistics(net, truth["states"])
        set_mode(net, live=kind == "live")
        net.zero_grad()
        noise = torch.from_numpy(uniform(f"change {change}", tuple(image.shape), -1e-6, 1e-6)).float() * (change > 0)
        loss = loss_of(net, image * (1 + noise), autocast=True)
        loss.backward()
        difference = summary(values[name].grad for name in learned(net)) - right
        errors.append([np.sqrt((difference[:, 1:] ** 2).mean(1).sum()) / np.linalg.norm(right[:, 0]), abs(loss.item() - right_loss) / right_loss])
    return np.max(errors, axis=0)


def distance(a, b):
    """Largest relative error by norm over the rows of two summaries, or over two plain arrays."""
    if a.ndim == 2 and a.shape[1] == PROJECTIONS + 1:
        kept = b[:, 0] > ZERO * np.linalg.norm(b[:, 0])
        return (np.sqrt(((a - b)[kept, 1:] ** 2).mean(1)) / b[kept, 0]).max()
    return np.linalg.norm(a - b) / np.linalg.norm(b)


def record_weights(folder):
    """Logits of one input of 224 x 224 with pretrained weights, which are not stored either."""
    side = 224
    image = torch.from_numpy(uniform("image 0", (1, side, side, 3), -1.0, 1.0)).permute(0, 3, 1, 2).double()
    for name, (net, _) in {"efficientnet_lite0": lite(0, 1000, (side, side)), "mobilenet_v2": mobilenet(1.0, True, 1000)}.items():
        net.load_state_dict(load_file(folder / f"{name}.safetensors"), strict=True)
        with torch.no_grad():
            logits = net.double().eval()(image)
        write(f"pretrained_{name}", {"logits": logits.numpy().astype(np.float32)}, {})


def write(name, tensors, metadata):
    path = OUT / f"{name}.safetensors"
    save_file(tensors, path, {key: value if isinstance(value, str) else json.dumps(value) for key, value in metadata.items()})
    path.chmod(0o644)


def main():
    torch.set_num_threads(1)
    F.conv2d = conv2d_with_fast_double
    if sys.argv[1:2] == ["--weights"]:
        return record_weights(pathlib.Path(sys.argv[2]))
    OUT.mkdir(parents=True, exist_ok=True)
    names = [name for name in sys.argv[1:] if name != "--single"]
    for name in names or CASES:
        salt = find_salt(CASES[name])
        truth, facts, parameters, states = record(CASES[name], torch.float64, salt)
        print(name, f"salt={salt} losses", np.array2string(truth["live.losses"], precision=4, max_line_width=200), flush=True)
        if "--single" in sys.argv:
            single, *_ = record(CASES[name], torch.float32, salt, truth["states"])
            print("   single precision:", " ".join(f"{key}={distance(single[key], truth[key]):.1e}" for key in truth if key != "states"),
                  flush=True)
        for kind in ("frozen", "live"):
            truth[f"{kind}.bf16"] = errors_in_bf16(CASES[name], salt, truth, kind)
        metadata = facts | {"salt": salt, "batch": BATCH, "height": HEIGHT, "width": WIDTH, "classes": CLASSES, "smoothing": SMOOTHING, "labels": LABELS,
                            "sample_weights": SAMPLE_WEIGHTS, "momentum": MOMENTUM, "parameters": parameters, "states": states}
        write(name, {key: value if key == "states" else value.astype(np.float32) for key, value in truth.items()}, metadata)


if __name__ == "__main__":
    main()
