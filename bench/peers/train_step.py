#!/usr/bin/env python3
# Fovea: training speed against PyTorch eager, on this machine, in this run.
# SPDX-License-Identifier: Apache-2.0
"""Runs PyTorch (both memory layouts) and bench_train_step in turn, several times over, so that both meet the same
disturbances, and prints the medians and the ratios with their spread. One step is forward, backward and SGD with momentum,
all layers, fp32, on random photos. --bf16: Fovea's blocks multiply bf16 numbers, and PyTorch runs under autocast to bf16 too.

    train_step.py build/release/bin/bench_train_step --arch mobilenet_v2 --bn live

needs torch, torchvision and, for efficientnet_lite0, efficientnet_lite_pytorch.
"""
import argparse
import json
import os
import statistics
import subprocess
import time


def torch_model(arch):
    if arch == "mobilenet_v2":
        import torchvision

        return torchvision.models.mobilenet_v2()
    if arch.startswith("efficientnet_lite"):
        from efficientnet_lite_pytorch import EfficientNet

        return EfficientNet.from_name("efficientnet-lite" + arch[-1])
    raise SystemExit(f"--arch: got '{arch}', expected mobilenet_v2 or efficientnet_lite0 to 4")


class TorchStep:
    def __init__(self, args, channels_last, autocast=False):
        import torch

        self.torch = torch
        torch.manual_seed(1)
        self.batch = args.batch
        self.autocast = autocast
        self.model = torch_model(args.arch).train()
        if args.bn == "frozen":
            for module in self.model.modules():
                if isinstance(module, torch.nn.BatchNorm2d):
                    module.eval()
        self.images = torch.randn(args.batch, 3, args.size, args.size)
        self.labels = torch.arange(args.batch)
        if channels_last:
            self.model = self.model.to(memory_format=torch.channels_last)
            self.images = self.images.to(memory_format=torch.channels_last)
        self.optimiser = torch.optim.SGD(self.model.parameters(), lr=1e-3, momentum=0.9)
        self.step()

    def step(self):
        self.optimiser.zero_grad()
        with self.torch.autocast("cpu", dtype=self.torch.bfloat16, enabled=self.autocast):
            loss = self.torch.nn.functional.cross_entropy(self.model(self.images), self.labels)
        loss.backward()
        self.optimiser.step()

    def images_per_second(self, steps):
        begin = time.perf_counter()
        for _ in range(steps):
            self.step()
        return steps * self.batch / (time.perf_counter() - begin)


def fovea(args):
    command = [args.program, args.arch, "--bn", args.bn, "--batch", str(args.batch), "--size", str(args.size),
               "--threads", str(args.threads), "--steps", str(args.steps), "--micro-batch", str(args.micro_batch), "--json"]
    command += ["--bf16"] if args.bf16 else []
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def spread(values):
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="bench_train_step")
    parser.add_argument("--arch", default="mobilenet_v2")
    parser.add_argument("--bn", default="live", choices=["live", "frozen"])
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--micro-batch", type=int, default=0, help="Fovea's; 0: the whole batch at once")
    parser.add_argument("--bf16", action="store_true", help="bf16 products where they are to be had")
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=1, help="steps of each turn, after one to warm up")
    parser.add_argument("--turns", type=int, default=5)
    args = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(args.threads)

    import torch

    torch.set_num_threads(args.threads)
    peers = {"eager NCHW": TorchStep(args, False), "eager channels-last": TorchStep(args, True)}
    if args.bf16:
        peers["channels-last, bf16"] = TorchStep(args, True, autocast=True)
    speeds = {name: [] for name in peers}
    ours, shares, memory = [], [], 0.0
    for _ in range(args.turns):
        for name, peer in peers.items():
            speeds[name].append(peer.images_per_second(args.steps))
        result = fovea(args)
        ours.append(result["images_per_second"])
        shares.append(result["share_of_gemm"])
        memory = max(memory, result["peak_mib"])

    print(f"{args.arch}, batch {args.batch}, {args.size} pixels, BatchNorm {args.bn}, {args.threads} threads, "
          f"{'bf16, ' if args.bf16 else ''}{args.turns} turns; PyTorch {torch.__version__}")
    for name, values in speeds.items():
        print(f"  PyTorch {name:<22} {spread(values)} images/s")
    print(f"  Fovea {'':<24} {spread(ours)} images/s, {spread(shares)} of this machine's GEMM, peak {memory:.0f} MiB")
    better = [max(turn) for turn in zip(*speeds.values())]
    print(f"  Fovea / better PyTorch         {spread([a / b for a, b in zip(ours, better)])}")


if __name__ == "__main__":
    main()
