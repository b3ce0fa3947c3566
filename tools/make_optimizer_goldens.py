#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Records 20 steps of torch.optim's AdamW and SGD: tests/train/golden/optimizer.txt (lines: name, then numbers)."""
import sys

import torch

STEPS, SIZE = 20, 6
CASES = {
    "adamw": lambda p: torch.optim.AdamW(p, lr=1e-2, weight_decay=0.05),
    "sgd": lambda p: torch.optim.SGD(p, lr=1e-1, momentum=0.9, weight_decay=0.05),
    "nesterov": lambda p: torch.optim.SGD(p, lr=1e-1, momentum=0.9, nesterov=True, weight_decay=0.05),
}


def write(out, name, values):
    print(name, *[f"{v:.9g}" for v in values.flatten().tolist()], file=out)


def main(path):
    generator = torch.Generator().manual_seed(1)
    start = torch.randn(SIZE, generator=generator)
    gradients = torch.randn(STEPS, SIZE, generator=generator)
    with open(path, "w") as out:
        write(out, "start", start)
        write(out, "gradients", gradients)
        for name, make in CASES.items():
            parameter = torch.nn.Parameter(start.clone())
            optimizer = make([parameter])
            trace = []
            for step in range(STEPS):
                parameter.grad = gradients[step].clone()
                if name == "adamw":
                    torch.nn.utils.clip_grad_norm_([parameter], 1.5)
                optimizer.step()
                trace.append(parameter.detach().clone())
            write(out, name, torch.stack(trace))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "tests/train/golden/optimizer.txt")
