#!/usr/bin/env python3
# Fovea: one photo through a network, against ONNX Runtime and OpenVINO, on this machine, in this run.
# SPDX-License-Identifier: Apache-2.0
"""Takes turns: ONNX Runtime, OpenVINO (held to fp32) and Fovea each run one photo of 224 pixels many times; a turn's figure is its
fastest run, because on a busy machine only that tells of the program. Prints medians over the turns and ratios.

    latency.py build/release/bin/bench_train_step --turns 5

Weights are random: the time does not depend on them. Needs torch, torchvision, ultralytics, efficientnet_lite_pytorch, onnx,
onnxscript, onnxruntime and openvino.
"""
import argparse
import os
import re
import statistics
import subprocess
import tempfile
import time

NETWORKS = ("efficientnet_lite0", "mobilenet_v2", "yolo11n-cls")


def torch_network(name):
    if name == "mobilenet_v2":
        import torchvision
        return torchvision.models.mobilenet_v2()
    if name == "efficientnet_lite0":
        from efficientnet_lite_pytorch import EfficientNet
        return EfficientNet.from_name("efficientnet-lite0")
    from ultralytics import YOLO
    return YOLO(name + ".yaml").model


def export(name, folder):
    import torch
    path = os.path.join(folder, name + ".onnx")
    with torch.inference_mode():
        torch.onnx.export(torch_network(name).eval(), (torch.zeros(1, 3, 224, 224),), path, dynamo=False, input_names=["image"])
    return path


def fastest(run, runs):
    best = float("inf")
    for _ in range(runs):
        begin = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - begin)
    return best * 1e3


def onnxruntime_job(path, threads):
    import numpy
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    image = {"image": numpy.zeros((1, 3, 224, 224), numpy.float32)}
    return lambda: session.run(None, image)


def openvino_job(path, threads):
    import numpy
    import openvino
    settings = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32"}
    request = openvino.Core().compile_model(path, "CPU", settings).create_infer_request()
    image = numpy.zeros((1, 3, 224, 224), numpy.float32)
    return lambda: request.infer([image])


def fovea(args, name):
    command = [args.program, name, "--inference", "--batch", "1", "--threads", str(args.threads), "--steps", str(args.runs)]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return float(re.search(r"best run ([0-9.]+) ms", text).group(1))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="bench_train_step")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--runs", type=int, default=30, help="of one turn")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for name in NETWORKS:
            path = export(name, folder)
            jobs = {"ONNX Runtime": onnxruntime_job(path, args.threads), "OpenVINO": openvino_job(path, args.threads)}
            times = {peer: [] for peer in (*jobs, "Fovea")}
            for _ in range(args.turns):
                for peer, run in jobs.items():
                    times[peer].append(fastest(run, args.runs))
                times["Fovea"].append(fovea(args, name))
            ratios = sorted(f / min(o, v) for f, o, v in zip(times["Fovea"], times["ONNX Runtime"], times["OpenVINO"]))
            print(f"{name:<20}" + "".join(f"{peer} {statistics.median(values):.2f} ms ({min(values):.2f} to {max(values):.2f})  "
                                          for peer, values in times.items()) +
                  f"Fovea takes {statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f}) of the faster one's time",
                  flush=True)


if __name__ == "__main__":
    main()
