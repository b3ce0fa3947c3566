#!/usr/bin/env python3
# Fovea: everything that only a GPU can prove, in one run of ten minutes.
# SPDX-License-Identifier: Apache-2.0
"""Builds Fovea with its CUDA plug-in, and on this machine's GPU: runs the contract tests of every op and the recorded networks,
times every op, compares answers on photos with the CPU's, trains (once with photos decoded by nvJPEG), and measures training steps in every precision, and in bf16 beside PyTorch's where that (and torchvision, timm, ultralytics)
is installed. Each step is told by itself and none stops the next; everything goes into one file.

    bench/gpu/prove.py --photos FOLDER -o proof.json

FOLDER has a folder of photos per class; without one, labelled skies are rendered. --build: an existing build folder to use as it is.
Exit status: 0 if every step passed, 1 if one failed (it is named), 2 if nothing could be run.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
TAIL = 6000  # characters of output that are kept of a step
LOGITS = 1e-3  # of probabilities, GPU against CPU


class Proof:
    """The steps so far, written after each of them."""

    def __init__(self, path, seconds):
        self.path = path
        self.deadline = time.monotonic() + seconds
        self.record = {"started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "machine": machine(), "steps": []}

    def step(self, name, most_seconds, work):
        left = self.deadline - time.monotonic()
        entry = {"step": name}
        start = time.monotonic()
        print(f"{name} ...", end=" ", flush=True, file=sys.stderr)
        if left < 5:
            entry |= {"status": "skipped", "reason": "no time left"}
        else:
            try:
                found = work(min(most_seconds, left))
                entry |= {"status": "passed"} | (found or {})
            except Skipped as reason:
                entry |= {"status": "skipped", "reason": str(reason)}
            except subprocess.TimeoutExpired as expired:
                entry |= {"status": "failed", "reason": f"not done after {expired.timeout:.0f} s", "output": text(expired.stdout)[-TAIL:]}
            except Exception as failure:  # whatever it is, the next step is tried
                entry |= {"status": "failed", "reason": f"{type(failure).__name__}: {failure}"[:TAIL]}
        entry["seconds"] = round(time.monotonic() - start, 1)
        print(entry["status"], entry.get("reason", "")[:200], file=sys.stderr)
        self.record["steps"].append(entry)
        self.path.write_text(json.dumps(self.record, indent=1) + "\n")
        return entry["status"] == "passed"


class Skipped(Exception):
    """Why a step does not apply here."""


class Failed(Exception):
    """What a command said."""


def text(output):
    return output.decode(errors="replace") if isinstance(output, bytes) else output or ""


def run(command, seconds, allow=(0,), **options):
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds, **options)
    output = text(done.stdout)
    if done.returncode not in allow:
        raise Failed(f"{pathlib.Path(str(command[0])).name} ended with {done.returncode}: {output[-TAIL:]}")
    return output


def json_lines(output):
    return [json.loads(line) for line in output.splitlines() if line.startswith("{")]


def machine():
    facts = {"processors": os.cpu_count()}
    query = ["nvidia-smi", "--query-gpu=name,driver_version,memory.total,compute_cap", "--format=csv,noheader"]
    try:
        facts["gpus"] = subprocess.run(query, capture_output=True, text=True, timeout=30).stdout.strip().splitlines()
    except OSError as failure:
        facts["gpus"] = [f"nvidia-smi: {failure}"]
    return facts


def build(folder, seconds):
    """For this GPU alone, which is quick."""
    deadline = time.monotonic() + seconds
    configure = ["cmake", "-S", ROOT, "-B", folder, "-G", "Ninja", "-D", "CMAKE_BUILD_TYPE=Release", "-D", "FOVEA_UNITY=ON",
                 "-D", "FOVEA_CUDA=ON", "-D", "FOVEA_CUDA_ARCHITECTURES=native", "-D", "FOVEA_FUZZ=OFF"]
    run(configure, seconds)
    targets = ["fovea", "fovea_cuda", "contract_test", "contract_speed", "golden_test", "backend_test", "train_test", "bench_train_step", "fovea-skies"]
    run(["cmake", "--build", folder, "--target", *targets], max(deadline - time.monotonic(), 5))


def tests(program, pattern, seconds):
    """The tests of a program whose names match; none at all is a failure."""
    output = run([program, f"--gtest_filter={pattern}", "--gtest_brief=1"], seconds, allow=(0, 1))
    counts = {word: int(number) for word, number in
              re.findall(r"\[  (PASSED|SKIPPED|FAILED)  ?\] (\d+) tests?", output)}
    failed = [line.strip() for line in output.splitlines() if line.startswith("[  FAILED  ]")]
    agreement = [line for line in output.splitlines() if line.startswith("[agreement ]")]
    if failed:
        raise Failed("\n".join([*failed[:40], *agreement, output[:TAIL]]))
    if not counts.get("PASSED"):
        raise Failed(f"no test ran: {output[-TAIL:]}")
    return {"passed": counts["PASSED"], "skipped": counts.get("SKIPPED", 0), "agreement": agreement}


def predictions(fovea, model, photos, device, seconds):
    start = time.monotonic()
    output = run([fovea, "predict", model, photos, "--device", device, "--json", "--top", "1000"], seconds, allow=(0, 1))
    answers = {line["path"]: {p["label"]: p["probability"] for p in line["predictions"]} for line in json_lines(output) if "path" in line}
    if not answers:
        raise Failed(f"no answers: {output[-TAIL:]}")
    return answers, time.monotonic() - start


def compare(fovea, model, photos, seconds):
    cpu, cpu_seconds = predictions(fovea, model, photos, "cpu", seconds / 2)
    gpu, gpu_seconds = predictions(fovea, model, photos, "cuda", seconds / 2)
    if cpu.keys() != gpu.keys():
        raise Failed(f"{len(cpu)} photos answered by the CPU, {len(gpu)} by the GPU")
    worst = max(abs(cpu[path][label] - gpu[path].get(label, 0)) for path in cpu for label in cpu[path])
    other = [path for path in cpu if max(cpu[path], key=cpu[path].get) != max(gpu[path], key=gpu[path].get)]
    found = {"photos": len(cpu), "largest_difference": worst, "other_top": other[:20], "cpu_seconds": round(cpu_seconds, 2),
             "gpu_seconds": round(gpu_seconds, 2)}
    if worst > LOGITS or other:
        raise Failed(json.dumps(found))
    return found


def train(fovea, photos, model, device, seconds, extra=()):
    start = time.monotonic()
    output = run([fovea, "train", photos, "-o", model, "--device", device, "--seed", "1", *extra], seconds)
    return {"train_seconds": round(time.monotonic() - start, 1), "output": output[-1500:]}


def train_decoded(fovea, photos, model, seconds):
    """A failure where no photo was decoded by the GPU: of JPEG photos most are."""
    found = train(fovea, photos, model, "cuda", seconds, ["--decode", "gpu", "--scope", "full", "--epochs", "2"])
    log = model.with_suffix(".run").joinpath("log.txt").read_text()
    told = [line for line in log.splitlines() if " decoded by nvJPEG" in line]
    if not told:
        raise Failed(f"nothing is said of nvJPEG: {log[-TAIL:]}")
    if re.search(r" 0 photos decoded by nvJPEG", told[-1]) and any(photos.rglob("*.jpg")):
        raise Failed(told[-1])
    return found | {"decoding": told[-1]}


TORCH = """
import json, sys, time, torch
arch, batch, frozen, steps = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "frozen", 20
if arch == "mobilenet_v2":
    import torchvision
    model = torchvision.models.mobilenet_v2()
elif arch == "efficientnet_lite0":
    import timm
    model = timm.create_model("efficientnet_lite0")
else:
    from ultralytics.nn.tasks import ClassificationModel
    model = ClassificationModel(arch + ".yaml", nc=1000, verbose=False)
model = model.cuda().to(memory_format=torch.channels_last).train()
if frozen:
    for m in model.modules():
        if isinstance(m, torch.nn.BatchNorm2d): m.eval()
optimiser = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9, fused=True)
images = torch.randn(batch, 3, 224, 224, device="cuda").to(memory_format=torch.channels_last)
labels = torch.randint(0, 1000, (batch,), device="cuda")
def step(run):
    with torch.autocast("cuda", torch.bfloat16):
        answer = run(images)
        loss = torch.nn.functional.cross_entropy(answer[0] if isinstance(answer, (tuple, list)) else answer, labels)
    loss.backward(); optimiser.step(); optimiser.zero_grad(set_to_none=True)
best = {}
for name, run in {"channels-last": lambda: model, "compiled": lambda: torch.compile(model)}.items():
    try:
        net = run()
        for _ in range(5): step(net)
        torch.cuda.synchronize(); start = time.perf_counter()
        for _ in range(steps): step(net)
        torch.cuda.synchronize()
        best[name] = batch * steps / (time.perf_counter() - start)
    except Exception as failure:
        best[name] = f"{type(failure).__name__}: {failure}"[:300]
print(json.dumps({"torch": torch.__version__, "images_per_second": best}))
"""


PEERS = {"mobilenet_v2": ("torchvision", 2.0), "efficientnet_lite0": ("timm", 1.5), "yolo11n-cls": ("ultralytics", 1.5)}  # and what is promised


def torch_rates(arch, batch, norm, seconds):
    package = PEERS[arch][0]
    if subprocess.run([sys.executable, "-c", f"import torch, {package}"], capture_output=True, timeout=60).returncode != 0:
        raise Skipped(f"PyTorch and {package} are not installed for this Python")
    return json_lines(run([sys.executable, "-c", TORCH, arch, str(batch), norm], seconds))[-1]


def training_rate(fovea, arch, batch, norm, precision, seconds):
    """Photos a second; a failure if the products were not of the precision that was asked for."""
    command = [fovea, "bench", "train", "--device", "cuda", "--arch", arch, "--batch", str(batch), "--bn", norm, "--precision", precision,
               "--threads", "1", "--seconds", "3", "--json"]
    rate = json_lines(run(command, seconds))[-1]
    if rate.get("precision", "fp32") != precision:
        raise Failed(f"asked for {precision}, computed in {rate.get('precision', 'fp32')}")
    return rate


def beside_torch(fovea, arch, batch, norm, seconds):
    """bf16 beside PyTorch's best in the same minute: a failure where less than promised."""
    ours = training_rate(fovea, arch, batch, norm, "bf16", seconds / 3)
    theirs = torch_rates(arch, batch, norm, seconds * 2 / 3)
    best = max((rate for rate in theirs["images_per_second"].values() if isinstance(rate, float)), default=0)
    ratio = ours["images_per_second"] / best if best else None
    found = {"fovea": ours, "torch": theirs, "ratio": ratio, "promised": PEERS[arch][1]}
    if ratio is None or ratio < PEERS[arch][1]:
        raise Failed(json.dumps(found))
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=pathlib.Path, help="a folder with a folder of photos per class")
    parser.add_argument("--build", type=pathlib.Path, help="an existing build folder")
    parser.add_argument("--seconds", type=float, default=570, help="for everything")
    parser.add_argument("-o", "--output", type=pathlib.Path, default=pathlib.Path("proof.json"))
    args = parser.parse_args()
    folder = args.build or ROOT / "build" / "gpu"
    programs = folder / "bin"
    proof = Proof(args.output, args.seconds)
    if not args.build and not proof.step("build", 400, lambda s: build(folder, s)) and not (programs / "fovea").exists():
        return 2
    fovea = programs / "fovea"
    work = pathlib.Path(tempfile.mkdtemp(prefix="fovea-gpu-"))
    model = work / "sky.safetensors"
    photos = args.photos

    def skies(seconds):
        nonlocal photos
        if photos:
            raise Skipped(f"{photos} is given")
        run([programs / "fovea-skies", work / "skies", "--count", "120", "--size", "320x240"], seconds)
        photos = work / "skies"

    proof.step("doctor", 30, lambda s: {"output": run([fovea, "doctor", "--device", "cuda", "--no-measuring"], s)})
    proof.step("contract tests on cuda", 120, lambda s: tests(programs / "contract_test", "*.cuda/*", s))
    proof.step("training kernels on cuda", 30, lambda s: tests(programs / "backend_test", "*TrainingOpsOf*/cuda", s))
    proof.step("augmentation on cuda, the host's bits", 40, lambda s: tests(programs / "train_test", "*DeviceBatchesOn*/cuda", s))
    proof.step("recorded networks on cuda", 90, lambda s: tests(programs / "golden_test", "*_cuda", s))
    proof.step("photos", 60, skies)
    proof.step("training on cuda", 120, lambda s: train(fovea, photos, model, "cuda", s))
    proof.step("training on cuda, photos decoded by nvJPEG", 120, lambda s: train_decoded(fovea, photos, work / "decoded.safetensors", s))
    proof.step("answers on photos, cuda against cpu", 60, lambda s: compare(fovea, model, photos, s))
    for precision in ("fp32", "tf32", "bf16", "fp16"):
        for norm in ("frozen", "live"):
            proof.step(f"mobilenet_v2, batch 256, {norm}, {precision}", 30,
                       lambda s, n=norm, p=precision: {"rate": training_rate(fovea, "mobilenet_v2", 256, n, p, s)})
    fed = [fovea, "bench", "train", "--device", "cuda", "--arch", "mobilenet_v2", "--batch", "64", "--seconds", "5", "--json", "--data"]
    proof.step("bench train, batch 64, from photos", 90, lambda s: {"rates": json_lines(run([*fed, photos], s))})
    proof.step("bench infer", 40, lambda s: {"rates": json_lines(
        run([fovea, "bench", "infer", "--device", "cuda", "--arch", "mobilenet_v2", "--batch", "64", "--seconds", "3", "--json"], s))})
    proof.step("bench sort", 60, lambda s: {"rates": json_lines(run([fovea, "bench", "sort", "--json"], s))})
    proof.step("every op's time on cuda", 90, lambda s: {"output": run([programs / "contract_speed", "--backend", "cuda"], s)})
    for arch in PEERS:  # the slowest steps, of which the last are left out where time runs short
        for norm in ("frozen", "live"):
            proof.step(f"{arch} in bf16 beside PyTorch, batch 256, {norm}", 90,
                       lambda s, a=arch, n=norm: beside_torch(fovea, a, 256, n, s))
    shutil.rmtree(work, ignore_errors=True)
    failed = [step["step"] for step in proof.record["steps"] if step["status"] == "failed"]
    print(f"{args.output}: " + (f"failed: {', '.join(failed)}" if failed else "nothing failed"), file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
