#!/usr/bin/env python3
# Fovea: training speed against PyTorch, eager and compiled, on this machine, in this run.
# SPDX-License-Identifier: Apache-2.0
"""Runs PyTorch and bench_train_step in turn, several times over, so that all meet the same disturbances, and prints the medians,
the ratios with their spread, and the peak memory of each. One step is forward, backward and SGD with momentum, all layers, fp32,
on random photos. PyTorch runs eager in both memory layouts and compiled (channels-last), each in a process of its own.
--bf16: Fovea multiplies bf16 numbers, and PyTorch runs under autocast to bf16 as well, eager and compiled.
--avx2: both sides are held to AVX2.

    train_step.py build/release/bin/bench_train_step --arch mobilenet_v2 --bn frozen --micro-batch 16

needs torch, and torchvision for mobilenet_v2, efficientnet_lite_pytorch for efficientnet_lite0, ultralytics for yolo11n-cls.
"""
import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time

PEERS = {"eager NCHW": {}, "eager channels-last": {"channels_last": True},
         "compiled channels-last": {"channels_last": True, "compiled": True}}
PEERS_BF16 = {"channels-last, bf16": {"channels_last": True, "autocast": True},
              "compiled, bf16": {"channels_last": True, "compiled": True, "autocast": True}}


def torch_model(arch):
    if arch == "mobilenet_v2":
        import torchvision

        return torchvision.models.mobilenet_v2()
    if arch.startswith("efficientnet_lite"):
        from efficientnet_lite_pytorch import EfficientNet

        return EfficientNet.from_name("efficientnet-lite" + arch[-1])
    if arch.startswith("yolo11") and arch.endswith("-cls"):
        from ultralytics.nn.tasks import ClassificationModel

        return ClassificationModel(arch + ".yaml", nc=1000, verbose=False)
    raise SystemExit(f"--arch: got '{arch}', expected mobilenet_v2, efficientnet_lite0 to 4 or yolo11n-cls")


class TorchStep:
    def __init__(self, args, channels_last=False, compiled=False, autocast=False):
        import torch

        self.torch = torch
        torch.manual_seed(1)
        torch.set_num_threads(args.threads)
        self.batch = args.batch
        self.autocast = autocast
        self.model = torch_model(args.arch).train()
        for parameter in self.model.parameters():
            parameter.requires_grad_(True)
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
        self.run = torch.compile(self.model) if compiled else self.model
        for _ in range(2 if compiled else 1):
            self.step()

    def step(self):
        self.optimiser.zero_grad()
        with self.torch.autocast("cpu", dtype=self.torch.bfloat16, enabled=self.autocast):
            loss = self.torch.nn.functional.cross_entropy(self.run(self.images), self.labels)
        loss.backward()
        self.optimiser.step()

    def images_per_second(self, steps):
        begin = time.perf_counter()
        for _ in range(steps):
            self.step()
        return steps * self.batch / (time.perf_counter() - begin)


def serve(args, peer):
    """One turn for each line of standard input, answered by a line of JSON."""
    step = TorchStep(args, **(PEERS | PEERS_BF16)[peer])
    print(json.dumps({"version": step.torch.__version__}), flush=True)
    for _ in sys.stdin:
        speed = step.images_per_second(args.steps)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"images_per_second": speed, "peak_mib": peak}), flush=True)


class Peer:
    def __init__(self, name):
        self.process = subprocess.Popen([sys.executable, "-W", "ignore", *sys.argv, "--serve", name], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.version = self.answer()["version"]

    def answer(self):
        for line in self.process.stdout:
            if line.startswith("{"):
                return json.loads(line)
        raise SystemExit("a PyTorch process ended early: see its message above")

    def turn(self):
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        return self.answer()


def fovea(args):
    command = [args.program, args.arch, "--bn", args.bn, "--batch", str(args.batch), "--size", str(args.size),
               "--threads", str(args.threads), "--steps", str(args.steps), "--micro-batch", str(args.micro_batch), "--json"]
    command += ["--bf16"] if args.bf16 else []
    environment = dict(os.environ, FOVEA_CPU="avx2") if args.avx2 else None
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout)


def spread(values):
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def report(args, version, peers, ours):
    print(f"{args.arch}, batch {args.batch} by {args.micro_batch or args.batch}, {args.size} pixels, BatchNorm {args.bn}, "
          f"{args.threads} threads, {'bf16, ' if args.bf16 else ''}{'AVX2, ' if args.avx2 else ''}{args.turns} turns; "
          f"PyTorch {version}")
    speeds = {name: [turn["images_per_second"] for turn in turns] for name, turns in peers.items()}
    for name, values in speeds.items():
        print(f"  PyTorch {name:<22} {spread(values)} images/s, peak {max(turn['peak_mib'] for turn in peers[name]):.0f} MiB")
    mine = [turn["images_per_second"] for turn in ours]
    print(f"  Fovea {'':<24} {spread(mine)} images/s, {spread([turn['share_of_gemm'] for turn in ours])} of this machine's "
          f"GEMM, peak {max(turn['peak_mib'] for turn in ours):.0f} MiB")
    best = [max(turn) for turn in zip(*speeds.values())]
    print(f"  Fovea / best PyTorch of a turn {spread([a / b for a, b in zip(mine, best)])}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="bench_train_step")
    parser.add_argument("--arch", default="mobilenet_v2")
    parser.add_argument("--bn", default="live", choices=["live", "frozen"])
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--micro-batch", type=int, default=0, help="Fovea's; 0: the whole batch at once")
    parser.add_argument("--bf16", action="store_true", help="bf16 products where they are to be had")
    parser.add_argument("--avx2", action="store_true", help="hold both to AVX2")
    parser.add_argument("--without", action="append", default=[], metavar="NAME",
                        help="a PyTorch to leave out, as it is printed: each holds its memory all the time")
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=1, help="steps of each turn, after one to warm up")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    args = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(args.threads)
    if args.avx2:
        os.environ |= {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2"}
    if args.serve:
        return serve(args, args.serve)
    peers = {name: Peer(name) for name in PEERS | (PEERS_BF16 if args.bf16 else {}) if name not in args.without}
    turns = {name: [] for name in peers}
    ours = []
    for turn in range(args.turns):
        for name, peer in peers.items():
            turns[name].append(peer.turn())
        ours.append(fovea(args))
        last = {name: f"{rates[-1]['images_per_second']:.1f}" for name, rates in (turns | {"Fovea": ours}).items()}
        print(f"turn {turn + 1}: {last}", file=sys.stderr, flush=True)
    report(args, next(iter(peers.values())).version, turns, ours)


if __name__ == "__main__":
    main()
