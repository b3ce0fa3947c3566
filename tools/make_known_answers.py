#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes tests/contract/known_answers.json: what PyTorch, in double precision, says the forward ops of src/graph/ops.h compute.

Needs PyTorch. Run it anew only when an op is added or its meaning changes: tools/make_known_answers.py tests/contract/known_answers.json
"""
import json
import sys

import torch
import torch.nn.functional as F

torch.manual_seed(1)
torch.set_default_dtype(torch.float64)


def draw(*shape):
    """Exact in single precision too, and short to write."""
    return (torch.randn(*shape) * 256).round() / 256


def nchw(x):
    return x.permute(0, 3, 1, 2)


def nhwc(x):
    return x.permute(0, 2, 3, 1)


def convolution(x, w, b, groups, stride, pad):
    top, left, bottom, right = pad
    return nhwc(F.conv2d(F.pad(nchw(x), (left, right, top, bottom)), w, b, stride=stride, groups=groups))


def attention(qkv, heads, key_dim, head_dim):
    """The attention of YOLO11's C2PSA blocks, on (N,H,W,C)."""
    n, h, w, _ = qkv.shape
    q, k, v = nchw(qkv).reshape(n, heads, 2 * key_dim + head_dim, h * w).split([key_dim, key_dim, head_dim], dim=2)
    p = ((q.transpose(-2, -1) @ k) * key_dim**-0.5).softmax(dim=-1)
    o = (v @ p.transpose(-2, -1)).reshape(n, heads * head_dim, h, w)
    return nhwc(o), nhwc(v.reshape(n, heads * head_dim, h, w)), p


def answers():
    x, w, b = draw(2, 4, 5, 3), draw(4, 3, 3, 2), draw(4)
    yield "Conv2d", [x, w, b], [F.silu(convolution(x, w, b, 1, 2, (1, 0, 2, 1)))]
    x, w, b = draw(1, 5, 4, 3), draw(3, 1, 3, 3), draw(3)
    yield "DepthwiseConv2d", [x, w, b], [F.relu6(convolution(x, w, b, 3, 1, (0, 1, 1, 1)))]
    x, w, b = draw(2, 5), draw(3, 5), draw(3)
    yield "Linear", [x, w, b], [F.linear(x, w, b)]

    x, gamma, beta, mean, var = draw(2, 3, 2, 4), draw(4), draw(4), draw(4), draw(4).abs() + 0.25
    yield "BatchNorm", [x, gamma, beta, mean, var], [nhwc(F.batch_norm(nchw(x), mean, var, gamma, beta, False, 0.0, 2**-10))]
    running_mean, running_var = mean.clone(), var.clone()
    y = nhwc(F.batch_norm(nchw(x), running_mean, running_var, gamma, beta, True, 0.25, 2**-10))
    batch_mean, batch_var = x.mean(dim=(0, 1, 2)), x.var(dim=(0, 1, 2), unbiased=False)
    yield "BatchNormTrain", [x, gamma, beta], [F.relu(y), batch_mean, batch_var]
    yield "UpdateRunningStatistics", [batch_mean, batch_var, mean, var], [running_mean, running_var]

    x = 4 * draw(3, 7)
    for name, f in ("Relu", F.relu), ("Relu6", F.relu6), ("Silu", F.silu):
        yield "Activate" + name, [x], [f(x)]
    a, c = draw(2, 2, 1, 3), draw(2, 2, 1, 5)
    yield "Add", [x, 2 * x], [x + 2 * x]
    yield "Concat", [a, c], [torch.cat([a, c], dim=-1)]
    yield "SliceChannels", [c], [c[..., 1:4]]
    yield "PadChannels", [a], [F.pad(a, (2, 1))]
    x = draw(2, 3, 4, 3)
    yield "GlobalAveragePool", [x], [F.adaptive_avg_pool2d(nchw(x), 1).flatten(1)]
    qkv = draw(2, 2, 3, 2 * (2 * 3 + 4))
    yield "Attention", [qkv], list(attention(qkv, 2, 3, 4))
    logits, weights = 3 * draw(4, 5), draw(4).abs()
    targets = draw(4, 5).abs()
    yield "Softmax", [logits], [logits.softmax(dim=1)]
    losses = F.cross_entropy(logits, targets, reduction="none")
    yield "SoftmaxCrossEntropy", [logits, targets, weights], [(weights * losses).sum().reshape(1), logits.softmax(dim=1)]
    targets = targets / 4  # from 0 to 1
    losses = F.binary_cross_entropy_with_logits(logits, targets, reduction="none").sum(dim=1)
    yield "SigmoidBinaryCrossEntropy", [logits, targets, weights], [(weights * losses).sum().reshape(1), logits.sigmoid()]


def tensor(t):
    return {"shape": list(t.shape), "data": t.flatten().tolist()}


with open(sys.argv[1], "w", encoding="utf-8") as file:
    json.dump({op: {"inputs": [tensor(t) for t in inputs], "outputs": [tensor(t) for t in outputs]}
               for op, inputs, outputs in answers()}, file, separators=(",", ":"))
    file.write("\n")
