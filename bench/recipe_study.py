#!/usr/bin/env python3
# Fovea: ways of fine-tuning compared on training photos alone.
# SPDX-License-Identifier: Apache-2.0
"""Holds out series of look-alikes of the training photos, trains on the rest with the flags of each variant, to the end and without any
validation photos, and judges the held-out ones as the model says that photos are to be fitted, and in other ways that are known only at use.

  bench/recipe_study.py split PHOTOS FOLDER --folds 3
  bench/recipe_study.py run build/release/bin/fovea FOLDER results.jsonl --size 128 -- usual: rate-1e-3:--lr,1e-3 long:--epochs,12
  bench/recipe_study.py table results.jsonl

PHOTOS holds a folder per class. What is tried at use: the photo and its mirror image, more of the photo, larger inputs, the mean with the last
layer's model, the last layer solved again on the tuned features. Losses are of probabilities calibrated on the held-out photos themselves (one
temperature each). Needs torch, scikit-learn, Pillow and efficientnet_lite_pytorch.
"""
import collections
import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np

import verbs
from verbs import argument

SERIES = 5  # photos of a cluster of look-alikes, about


def pixels(path, side, crop, mirror=False):
    """The shorter side scaled to side / crop, the centre cut out; (side, side, 3) floats as the backbone expects them."""
    from PIL import Image, ImageOps

    with Image.open(path) as photo:
        image = ImageOps.exif_transpose(photo).convert("RGB")
    short = min(image.size)
    scaled = round(side / crop)
    width, height = (round(extent * scaled / short) for extent in image.size)
    image = image.resize((width, height), Image.BILINEAR)
    left, top = (width - side) // 2, (height - side) // 2
    image = image.crop((left, top, left + side, top + side))
    values = (np.asarray(image, np.float32) - 127) / 128
    return values[:, ::-1] if mirror else values


def network_of(weights, classes):
    import torch
    from efficientnet_lite_pytorch import EfficientNet
    from safetensors.numpy import load_file

    network = EfficientNet.from_name("efficientnet-lite0")
    tensors = load_file(weights)
    if classes:
        network._fc = torch.nn.Linear(network._fc.in_features, classes)
    own = network.state_dict()
    missing = [name for name in own if name not in tensors and "num_batches" not in name]
    assert not missing, missing
    network.load_state_dict({name: torch.from_numpy(tensors[name].copy()).reshape(own[name].shape) for name in own if name in tensors}, strict=False)
    return network.eval().to(memory_format=torch.channels_last)


def features_of(network, paths, side, crop, mirror=False):
    import torch

    rows = []
    with torch.inference_mode():
        for begin in range(0, len(paths), 16):
            batch = np.stack([pixels(path, side, crop, mirror) for path in paths[begin:begin + 16]])
            images = torch.from_numpy(batch.copy()).permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)
            rows.append(network.extract_features(images).mean((2, 3)).numpy())
    return np.concatenate(rows)


def clusters_of(rows):
    """A number for each row: spherical k-means from centres that are far apart, about SERIES rows in each."""
    rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    count = max(2, len(rows) // SERIES)
    centres = [rows[0]]
    nearest = rows @ rows[0]
    for _ in range(count - 1):
        centres.append(rows[np.argmin(nearest)])
        nearest = np.maximum(nearest, rows @ centres[-1])
    centres = np.stack(centres)
    for _ in range(8):
        number = np.argmax(rows @ centres.T, axis=1)
        for k in range(count):
            if np.any(number == k):
                mean = rows[number == k].sum(0)
                centres[k] = mean / np.linalg.norm(mean)
    return number


def split(arguments):
    photos = pathlib.Path(arguments.photos)
    network = network_of(arguments.weights, 0)
    folder = pathlib.Path(arguments.folder)
    for label in sorted(p.name for p in photos.iterdir() if p.is_dir()):
        paths = sorted(p for p in (photos / label).iterdir() if p.is_file())
        number = clusters_of(features_of(network, paths, 224, 0.875))
        sizes = collections.Counter()
        groups = [[path for path, n in zip(paths, number) if n == k] for k in range(number.max() + 1)]
        for group in sorted(groups, key=len, reverse=True):
            fold = min(range(arguments.folds), key=lambda f: (sizes[f], (f + len(group)) % arguments.folds))
            sizes[fold] += len(group)
            for other in range(arguments.folds):
                target = folder / f"fold-{other}" / ("held" if other == fold else "train") / label
                target.mkdir(parents=True, exist_ok=True)
                for path in group:
                    (target / path.name).symlink_to(path.resolve())
        print(label, dict(sizes))


def held_out_photos(fold):
    labels = sorted(p.name for p in (fold / "train").iterdir())
    paths, truth = [], []
    for k, label in enumerate(labels):
        for path in sorted((fold / "held" / label).glob("*")):
            paths.append(path)
            truth.append(k)
    return labels, paths, np.array(truth)


def log_softmax(logits):
    logits = logits - logits.max(1, keepdims=True)
    return logits - np.log(np.exp(logits).sum(1, keepdims=True))


def judge(logits, truth):
    """Which are right, and the losses at the best temperature."""
    best = None
    for inverse in np.exp(np.linspace(math.log(1 / 8), math.log(8), 61)):
        losses = -log_softmax(logits * inverse)[np.arange(len(truth)), truth]
        if best is None or losses.mean() < best.mean():
            best = losses
    return {"right": (logits.argmax(1) == truth).astype(int).tolist(), "losses": np.round(best, 4).tolist()}


def solved_again(network, fold, labels, side, crop, features, strength=1e-2):
    from sklearn.linear_model import LogisticRegression

    paths, truth = [], []
    for k, label in enumerate(labels):
        for path in sorted((fold / "train" / label).glob("*")):
            paths.append(path)
            truth.append(k)
    rows = features_of(network, paths, side, crop)
    scale = np.sqrt((rows ** 2).sum(1).mean())
    solver = LogisticRegression(C=1 / (strength * len(truth)), max_iter=500).fit(rows / scale, truth)
    return solver.decision_function(features / scale)


def judgements(model, fold, card, extra):
    labels, paths, truth = held_out_photos(fold)
    network = network_of(model, len(labels))
    weight, bias = (t.detach().numpy() for t in (network._fc.weight, network._fc.bias))
    side, crop = card
    logits = {}

    def at(name, s, c, mirror=False):
        features = features_of(network, paths, s, c, mirror)
        logits[name] = features @ weight.T + bias
        return features

    features = at("as said", side, crop)
    if extra:
        at("mirror", side, crop, True)
        logits["with mirror"] = np.logaddexp(log_softmax(logits["as said"]), log_softmax(logits.pop("mirror")))
        at("crop 100 %", side, 1.0)
        larger = side * 8 // 7
        at(f"{larger}", larger, crop)
        at(f"{larger}, crop 100 %", larger, 1.0)
        logits["solved again"] = solved_again(network, fold, labels, side, crop, features)
    return {name: judge(values, truth) for name, values in logits.items()}, len(truth)


def run(arguments):
    folder = pathlib.Path(arguments.folder)
    folds = [folder / f"fold-{k}" for k in arguments.only] if arguments.only else sorted(folder.glob("fold-*"))
    for variant in arguments.rest:
        name, _, flags = variant.partition(":")
        for seed in arguments.seeds:
            for fold in folds:
                with tempfile.TemporaryDirectory() as place:
                    model = os.path.join(place, "model.safetensors")
                    command = [arguments.program, "train", str(fold / "train"), "-o", model, "--val", "0", "--scope", "full", "--fit", "crop",
                               "--zoom", str(1 / arguments.crop), "--size", str(arguments.size), "--seed", str(seed), "--json", "--reject-rate", "0",
                               *(flag for flag in flags.split(",") if flag)]
                    begin = time.time()
                    done = subprocess.run(command, capture_output=True, text=True)
                    if done.returncode > 1:
                        sys.exit(done.stderr)
                    seconds = time.time() - begin
                    result, photos = judgements(model, fold, (arguments.size, arguments.crop), arguments.extra)
                line = {"name": name, "data": folder.name, "size": arguments.size, "seed": seed, "fold": fold.name, "seconds": round(seconds), "result": result}
                with open(arguments.results, "a") as file:
                    file.write(json.dumps(line) + "\n")
                plain = result["as said"]
                print(f"{name:24} seed {seed} {fold.name}  {100 * np.mean(plain['right']):5.1f} % of {photos}  loss {np.mean(plain['losses']):.4f}"
                      f"  {seconds:4.0f} s", flush=True)


def table(arguments):
    rows = collections.defaultdict(lambda: collections.defaultdict(list))
    for line in open(arguments.results):
        entry = json.loads(line)
        for way, result in entry["result"].items():
            rows[(entry["data"], entry["size"], entry["name"], way)][(entry["seed"], entry["fold"])] = result
    firsts = {}
    print("| photos | size | variant | at use | right | loss | against the first: loss | right | runs |\n|---|---|---|---|---|---|---|---|---|")
    for key, entries in rows.items():
        first = firsts.setdefault(key[:2], entries)
        losses = np.concatenate([e["losses"] for e in entries.values()])
        right = np.concatenate([e["right"] for e in entries.values()])
        shared = [k for k in entries if k in first]
        compared = ""
        if shared and entries is not first:
            loss = np.concatenate([np.array(entries[k]["losses"]) - np.array(first[k]["losses"]) for k in shared])
            gain = np.concatenate([np.array(entries[k]["right"]) - np.array(first[k]["right"]) for k in shared])
            compared = f"{loss.mean():+.4f} ± {loss.std() / math.sqrt(len(loss)):.4f} | {100 * gain.mean():+.2f} ± {100 * gain.std() / math.sqrt(len(gain)):.2f} %"
        print(f"| {' | '.join(map(str, key))} | {100 * right.mean():.2f} % | {losses.mean():.4f} | {compared or ' | '} | {len(entries)} |")


def main():
    return verbs.run(__doc__, {
        "split": (split, [argument("photos"), argument("folder"), argument("--folds", type=int, default=3),
                          argument("--weights", required=True, help="of the backbone, safetensors")]),
        "run": (run, [argument("program"), argument("folder"), argument("results"), argument("--size", type=int, default=224),
                      argument("--crop", type=float, default=0.875), argument("--seeds", type=int, nargs="+", default=[0]),
                      argument("--only", type=int, nargs="+", help="these folds"),
                      argument("--extra", action="store_true", help="also the ways at use")]),
        "table": (table, [argument("results")]),
    })


if __name__ == "__main__":
    main()
