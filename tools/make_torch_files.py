#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the small PyTorch files of tests/format/data, what each must give as safetensors, and seeds for the fuzz targets.

    make_torch_files.py tests/format/data fuzz/seeds          (needs torch, safetensors and ultralytics)
"""

import argparse
import collections
import pathlib
import pickle

import torch
from safetensors.torch import save_file


def state_dictionary() -> "collections.OrderedDict[str, torch.Tensor]":
    """One tensor of every dtype, and every layout that a file may hold."""
    generator = torch.Generator().manual_seed(1)
    base = torch.randn(4, 6, generator=generator)
    channels_last = torch.randn(2, 3, 4, 5, generator=generator).contiguous(memory_format=torch.channels_last)
    state = collections.OrderedDict()
    for dtype in (torch.float64, torch.float32, torch.float16, torch.bfloat16):
        state[f"float.{dtype}".replace("torch.", "")] = base.to(dtype)
    for dtype in (torch.int64, torch.int32, torch.int16, torch.int8):
        state[f"integer.{dtype}".replace("torch.", "")] = torch.arange(-3, 4).to(dtype)
    state["integer.uint8"] = torch.arange(250, 256).to(torch.uint8)
    state["boolean"] = torch.tensor([[True, False], [False, True]])
    state["scalar"] = torch.tensor(2.5)
    state["empty"] = torch.empty(0, 3)
    state["transposed"] = base.t()
    state["part_of_the_storage"] = base[1:3, 2:5]
    state["the_same_storage"] = base
    state["channels_last"] = channels_last
    state["expanded"] = torch.tensor([1.0, 2.0]).expand(3, 2)
    state["parameter"] = torch.nn.Parameter(torch.ones(3))
    return state


def tiny_yolo(names: "dict[int, str]"):
    """YOLO11-cls of a sixteenth of the n size's width; its statistics are drawn so that none is trivial."""
    import ultralytics
    import yaml
    from ultralytics.nn.tasks import ClassificationModel

    config = pathlib.Path(ultralytics.__file__).parent / "cfg/models/11/yolo11-cls.yaml"
    options = yaml.safe_load(config.read_text())
    options["scales"] = {"n": [0.5, 1 / 64, 1024]}
    options["scale"] = "n"
    torch.manual_seed(2)
    model = ClassificationModel(options, nc=len(names), ch=3, verbose=False)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
            module.num_batches_tracked.fill_(7)
    model.names = names
    model.task = "classify"
    model.yaml["nc"] = 80  # as the official files say it, wrongly
    for parameter in model.parameters():
        parameter.requires_grad = False
    return model.half().eval()


def plain(state):
    return {name: value.detach().clone().contiguous() for name, value in state.items()}


def write_seeds(folder, state):
    """Small files: a mutation should hit something that matters. Legacy ones have no checksum that stops it early."""
    for name in ("safetensors", "torch"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    small = {"a.weight": torch.ones(2, 3), "a.bias": torch.zeros(2, dtype=torch.float16), "n": torch.tensor(3)}
    save_file(small, folder / "safetensors/small.safetensors", metadata={"format": "pt"})
    save_file({}, folder / "safetensors/empty.safetensors", metadata={"k": "v"})
    network = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 1, bias=False), torch.nn.BatchNorm2d(2))
    network.names = {0: "a", 1: "b"}
    seeds = {
        "state.zip.pt": (small, True),
        "state.legacy.pt": (small, False),
        "layouts.legacy.pt": (state, False),
        "network.zip.pt": ({"model": network, "train_args": {"imgsz": 64}}, True),
        "network.legacy.pt": ({"ema": network, "train_args": {"imgsz": [64, 32]}}, False),
    }
    def no_source(_):
        raise OSError("left out: the legacy format would carry torch's own source text along")

    torch.serialization.get_source_lines_and_file = no_source
    for name, (value, new) in seeds.items():
        torch.save(value, folder / "torch" / name, _use_new_zipfile_serialization=new)
    (folder / "torch/protocol4.pickle").write_bytes(pickle.dumps({"a": [1, 2.5, None, {3}], "b": (b"x", 2**70)}, protocol=4))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("seeds", type=pathlib.Path)
    arguments = parser.parse_args()
    folder = arguments.folder
    folder.mkdir(parents=True, exist_ok=True)

    state = state_dictionary()
    write_seeds(arguments.seeds, state)
    save_file(plain(state), folder / "state.safetensors")
    torch.save(state, folder / "state.zip.pt")
    torch.save(state, folder / "state.legacy.pt", _use_new_zipfile_serialization=False)
    for protocol in (3, 4, 5):
        torch.save({"epoch": 3, "state_dict": state, "lr": 0.1}, folder / f"nested.protocol{protocol}.pt", pickle_protocol=protocol)

    names = {0: "clear", 1: "semi-clear", 2: "cloudy"}
    model = tiny_yolo(names)
    checkpoint = {
        "date": "2026-01-01T00:00:00",
        "version": "8.3.0",
        "license": "random weights, for tests",
        "epoch": -1,
        "best_fitness": None,
        "model": model,
        "ema": None,
        "updates": None,
        "optimizer": None,
        "train_args": {"task": "classify", "imgsz": 64, "data": pathlib.PurePosixPath("skies"), "lr0": 0.01},
        "train_results": {"epoch": [1, 2], "train/loss": [1.5, 0.5]},
    }
    save_file(plain(model.state_dict()), folder / "yolo.safetensors")
    torch.save(checkpoint, folder / "yolo.pt")


if __name__ == "__main__":
    main()
