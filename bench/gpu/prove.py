#!/usr/bin/env python3
# Fovea: everything that only a GPU can prove, in one run of ten minutes.
# SPDX-License-Identifier: Apache-2.0
"""On this machine's GPU: the contract tests of every op and the recorded networks; steps of training beside PyTorch's and as a share of
the memory's rate; 60,000 photos for 20 epochs; every precision; answers against the CPU's; photos decoded by nvJPEG; memory while a run is
recorded; what looking for a GPU costs; sorting. The most important first. Each step has its own time, is written to FILE when it ends, and
stops none of the others; beside FILE, a table of all of them is kept (FILE.md).

    bench/gpu/prove.py --programs build/release/bin --photos FOLDER --weights mobilenet_v2=FILE -o proof.jsonl
    bench/gpu/prove.py --programs build/release/bin -o proof.jsonl --resume          what has not passed yet
    bench/gpu/prove.py --programs build/release/bin -o proof.jsonl --only pytorch    steps with this in their name; answers need "training"

FOLDER has train/ and val/ with a folder of photos per class; without one, labelled skies are rendered. Without --programs, they are built
for this GPU first. Exit status: 0 if every step passed or does not apply here, 1 if one failed (it is named), 2 if nothing could be run.
"""
import argparse
import json
import math
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import table
from here import library_folders, machine
from steps import TAIL, Failed, Record, Skipped, Stopped, checked, run, start, stop_group, stop_on_signals

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
NEEDED = ["fovea", "libfovea_cuda.so", "contract_test", "contract_speed", "golden_test", "backend_test", "train_test", "fovea-skies"]
LOGITS = 1e-3  # GPU against CPU, of logits in fp32 (they agree to 1e-4 for one image; this is the worst of all)
BATCH = 256
PEERS = {"mobilenet_v2": ("torchvision", 2.0), "efficientnet_lite0": ("timm", 1.5), "yolo11n-cls": ("ultralytics", 1.5)}  # and what is promised
MANY, EPOCHS, MOST_SECONDS = 60000, 20, 180


class Proof:
    """What the steps share. A method is a step, and gives what it found."""

    def __init__(self, args, record, work):
        self.args, self.record, self.work = args, record, work
        self.programs = (args.programs or ROOT / "build" / "gpu" / "bin").resolve()
        self.fovea = self.programs / "fovea"
        self.model = work / "photos.safetensors"
        self.photos = args.photos
        folders = [str(self.programs.parent / "lib"), *library_folders(), os.environ.get("LD_LIBRARY_PATH", "")]
        self.environment = dict(os.environ, FOVEA_SOURCE_DIR=str(ROOT), XDG_CACHE_HOME=str(work / "cache"),
                                LD_LIBRARY_PATH=":".join(folder for folder in folders if folder))
        self.weights = dict(entry.split("=", 1) for entry in args.weights)

    def checked(self, command, seconds, **options):
        return checked(command, seconds, environment=self.environment, **options)

    # What is needed first.

    def build(self, seconds):
        """For this GPU alone, which is quick."""
        folder = self.programs.parent
        until = time.monotonic() + seconds
        self.checked(["cmake", "-S", ROOT, "-B", folder, "-G", "Ninja", "-D", "CMAKE_BUILD_TYPE=Release", "-D", "FOVEA_UNITY=ON", "-D",
                      "FOVEA_CUDA=ON", "-D", "FOVEA_CUDA_ARCHITECTURES=native", "-D", "FOVEA_FUZZ=OFF"], seconds)
        targets = [name.removeprefix("lib").removesuffix(".so") for name in NEEDED]
        self.checked(["cmake", "--build", folder, "--target", *targets], max(until - time.monotonic(), 5))

    def doctor(self, seconds):
        output = self.checked([self.fovea, "doctor", "--device", "cuda", "--no-measuring"], seconds, allow=(0, 1, 2))
        found = {"output": output.text[-TAIL:]}
        if output.status != 0:
            raise Failed(output.text.strip()[:500], found)
        return found

    def skies(self, seconds):
        if self.args.photos:
            raise Skipped(f"{self.args.photos} is given")
        for split, count, seed in (("train", 240, 1), ("val", 60, 2)):
            self.checked([self.programs / "fovea-skies", self.work / "skies" / split, "--count", count, "--size", "320x240", "--seed", seed],
                         seconds / 2)
        self.photos = self.work / "skies"

    # Tests.

    def tests(self, program, pattern, seconds, shards=1):
        """Those of a program whose names match, in several processes; none at all is a failure."""
        counts, failed, ends, files = {"passed": 0, "skipped": 0}, [], [], []
        until = time.monotonic() + seconds
        command = [self.programs / program, f"--gtest_filter={pattern}", "--gtest_brief=1"]
        running = []
        try:
            for shard in range(shards):
                files.append(tempfile.TemporaryFile())
                environment = dict(self.environment, GTEST_TOTAL_SHARDS=str(shards), GTEST_SHARD_INDEX=str(shard), OMP_NUM_THREADS="2")
                running.append(start(command, files[-1], environment))
            while any(process.poll() is None for process in running) and time.monotonic() < until:
                time.sleep(0.05)
            ends = [process.poll() for process in running]
        finally:
            for process in running:
                if process.poll() is None:
                    stop_group(process)
        agreement = []
        for file, end in zip(files, ends):
            file.seek(0)
            output = file.read().decode(errors="replace")
            for word, number in re.findall(r"\[  (PASSED|SKIPPED)  ?\] (\d+) tests?", output):
                counts[word.lower()] += int(number)
            names = [line.strip() for line in output.splitlines() if line.startswith("[  FAILED  ]")]
            failed += names
            agreement += [line for line in output.splitlines() if line.startswith("[agreement ]")]
            if end is None:
                failed.append(f"not done after {seconds:.0f} s")
            elif end != 0 and not names:
                failed.append(f"ended with {end}: {output.strip()[-500:]}")
        found = counts | ({"agreement": agreement[:40]} if agreement else {})
        if failed:
            raise Failed(f"{len(failed)} of them: " + "; ".join(failed[:6]), found | {"failed": failed[:200]})
        if not counts["passed"]:
            raise Failed(f"no test of {program} ran ({pattern}; {counts['skipped']} skipped)", found)
        return found

    # Rates.

    def rate(self, arch, norm, precision, seconds):
        """Photos a second; a failure if the products were not of the precision that was asked for."""
        output = self.checked([self.fovea, "bench", "train", "--device", "cuda", "--arch", arch, "--batch", BATCH, "--bn", norm, "--precision",
                               precision, "--threads", 1, "--seconds", 3, "--json"], seconds)
        rates = output.lines()
        if not rates:
            raise Failed(f"no rate: {output.text[-500:]}")
        rate = rates[-1] | {"share_of_memory": table.share_of_memory(rates[-1], self.record)}
        if rate["precision"] != precision:
            raise Failed(f"asked for {precision}, computed in {rate['precision']}", rate)
        return rate

    def torch(self, arch, norm, seconds):
        """PyTorch's best; a failure where Fovea's rate is less than promised beside it."""
        package, promised = PEERS[arch]
        until = time.monotonic() + seconds
        if run([sys.executable, "-c", f"import torch, {package}"], min(60, seconds)).status != 0:
            raise Skipped(f"PyTorch and {package} are not installed for {sys.executable}")
        output = run([sys.executable, HERE / "torch_step.py", arch, BATCH, norm], max(1.0, until - time.monotonic()))
        rates = {line["kind"]: line["images_per_second"] for line in output.lines()}
        found = {"images_per_second": rates, "torch": next((line["torch"] for line in output.lines()), None)}
        if not rates:
            raise Failed(f"no rate: {output.text.strip()[-500:]}", found)
        ours = self.record.find(rate_step(arch, norm, "bf16")).get("images_per_second")
        if ours:
            found["times_as_fast"] = ours / max(rates.values())
            if found["times_as_fast"] < promised:
                raise Failed(f"{found['times_as_fast']:.2f} times as fast as PyTorch, promised {promised}", found)
        if output.status != 0:
            raise Failed("the compiled network: " + (output.text.strip()[-500:] if output.status else f"not done after {seconds:.0f} s"), found)
        return found

    def sort(self, seconds):
        output = run([self.fovea, "bench", "sort", "--count", "200M", "--threads", os.cpu_count(), "--json"], seconds, environment=self.environment)
        rates = output.lines()
        found = {"rates": rates}
        gpus = [rate for rate in rates if str(rate.get("device", "")).startswith("cuda")]
        if not gpus or not all(rate.get("sorted") and rate.get("same_numbers") for rate in gpus):
            raise Failed(f"no GPU sorted the numbers: {output.text.strip()[-300:]}", found)
        return found

    # Whole runs.

    def backbone(self, arch="mobilenet_v2"):
        """Flags of a network that learns: from weights, if they are given."""
        flags = ["--arch", arch, "--scope", "full", "--fit", "crop", "--size", "224", "--lr", "5e-4"]
        return [*flags, "--weights", self.weights[arch]] if arch in self.weights else [*flags, "--from-scratch"]

    def train(self, seconds, *more, folder=None, model=None):
        """What is known of the epochs is kept even where the run was not done."""
        command = [self.fovea, "train", folder or self.photos, "-o", model or self.model, "--seed", "1", "--json", *self.backbone(), *more]
        output = run(command, seconds, environment=self.environment)
        epochs = [line for line in output.lines() if line.get("event") == "epoch"]
        done = next((line for line in output.lines() if line.get("event") == "done"), {})
        stages = {line["stage"]: line["seconds"] for line in output.lines() if line.get("event") == "stage" and "seconds" in line}
        found = {"epochs": len(epochs), "stages": stages, "run_seconds": round(output.seconds, 1), "done": done}
        if epochs:
            found["last_epoch"] = epochs[-1]
        if output.status is None:
            raise Failed(f"training was not done after {seconds:.0f} s, but {len(epochs)} epochs", found)
        if output.status not in (0, 1) or not done:
            raise Failed(f"training ended with {output.status}: {output.text.strip()[-500:]}", found | {"output": output.text[-TAIL:]})
        return found

    def make_many(self, seconds):
        if run([sys.executable, "-c", "import PIL, numpy"], 60).status != 0:
            raise Skipped(f"Pillow and NumPy are not installed for {sys.executable}")
        self.checked([sys.executable, HERE / "many_photos.py", self.work / "many", "--count", self.args.many], seconds)

    def many(self, seconds):
        if not (self.work / "many" / "train").exists():
            raise Skipped("there are no photos to train on")
        found = self.train(seconds, "--device", "cuda", "--epochs", EPOCHS, "--batch", BATCH, folder=self.work / "many", model=self.work / "many.safetensors")
        if found["run_seconds"] > MOST_SECONDS:
            raise Failed(f"{found['run_seconds']:.0f} s, promised {MOST_SECONDS}", found)
        return found

    def a_model(self, seconds):
        """By the CPU, if the GPU made none: answers are compared, not accuracy."""
        try:
            return self.train(seconds / 2, "--device", "cuda", "--epochs", "2")
        except Failed as failure:
            found = self.train(seconds / 2, "--device", "cpu", "--epochs", "1")
            raise Failed(f"the CPU made the model, the GPU none: {failure}", failure.found | {"on_cpu": found}) from failure

    def decoded(self, seconds):
        """A failure where no photo was decoded by the GPU: of JPEG photos most are."""
        model = self.work / "decoded.safetensors"
        found = self.train(seconds, "--device", "cuda", "--decode", "gpu", "--epochs", "2", model=model)
        log = model.with_suffix(".run").joinpath("log.txt").read_text()
        told = [line for line in log.splitlines() if " decoded by nvJPEG" in line]
        if not told:
            raise Failed(f"nothing is said of nvJPEG: {log[-500:]}", found)
        found["decoding"] = told[-1]
        if re.search(r"\b0 photos decoded by nvJPEG", told[-1]) and any(self.photos.rglob("*.jpg")):
            raise Failed(told[-1], found)
        return found

    # Answers.

    def predictions(self, device, seconds):
        if not self.model.exists():
            raise Skipped("there is no model")
        begin = time.monotonic()
        photos = self.photos / "val" if (self.photos / "val").exists() else self.photos
        output = self.checked([self.fovea, "predict", self.model, photos, "--device", device, "--json", "--top", "1000"], seconds, allow=(0, 1))
        answers = {line["path"]: {p["label"]: p["probability"] for p in line["predictions"]} for line in output.lines() if "predictions" in line}
        if not answers:
            raise Failed(f"no answers: {output.text[-500:]}")
        return answers, round(time.monotonic() - begin, 2)

    def answers(self, seconds):
        """Logits but for a constant, by the logarithms of probabilities, of classes that are not all but impossible; and the first choice."""
        cpu, cpu_seconds = self.predictions("cpu", seconds / 2)
        gpu, gpu_seconds = self.predictions("cuda", seconds / 2)
        if cpu.keys() != gpu.keys():
            raise Failed(f"{len(cpu)} photos answered by the CPU, {len(gpu)} by the GPU")
        worst, other = 0.0, []
        for path, answer in cpu.items():
            first = max(answer, key=answer.get)
            if first != max(gpu[path], key=gpu[path].get):
                other.append(path)
            for label, probability in answer.items():
                if probability > 1e-6 and gpu[path].get(label, 0) > 0:
                    ours, theirs = math.log(probability / answer[first]), math.log(gpu[path][label] / max(gpu[path][first], 1e-30))
                    worst = max(worst, abs(ours - theirs))
        found = {"photos": len(cpu), "largest_difference_of_logits": worst, "other_first_choice": other[:20], "cpu_seconds": cpu_seconds,
                 "gpu_seconds": gpu_seconds}
        if worst > LOGITS or other:
            raise Failed(f"logits differ by {worst:.2g}, {len(other)} photos have another first choice", found)
        return found

    def accuracy(self, seconds):
        if not self.model.exists():
            raise Skipped("there is no model")
        found = {}
        for device in ("cpu", "cuda"):
            lines = self.checked([self.fovea, "val", self.model, self.photos, "--device", device, "--json"], seconds / 2, allow=(0, 1)).lines()
            found[device] = next((line["accuracy"] for line in lines if "accuracy" in line), None)
        if found["cpu"] is None or found["cpu"] != found["cuda"]:
            raise Failed(f"{found['cpu']} by the CPU, {found['cuda']} by the GPU", found)
        return found

    # What else a GPU costs.

    def memory(self, seconds):
        """Megabytes in use on the GPU, ten times a second: before, the most (a run is recorded then), and once it is replayed."""
        def used():
            query = ["nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits"]
            return int(subprocess.run(query, capture_output=True, text=True, timeout=10, check=True).stdout.split()[0])

        try:
            before = used()
        except (OSError, subprocess.SubprocessError, ValueError, IndexError) as failure:
            raise Skipped(f"nvidia-smi does not tell: {failure}") from failure
        found = {}
        for norm in ("frozen", "live"):
            seen = []
            command = [self.fovea, "bench", "train", "--device", "cuda", "--arch", "mobilenet_v2", "--batch", BATCH, "--bn", norm, "--threads", 1,
                       "--seconds", 4, "--json"]
            self.checked(command, seconds / 2, watch=lambda: seen.append(used()))
            settled = statistics.median(seen[len(seen) // 2:]) if len(seen) > 4 else None
            found[norm] = {"before_mb": before, "most_mb": max(seen, default=None), "replayed_mb": settled}
        return found

    def looking(self, seconds):
        """Seconds of one answer, the median of five: what `auto` costs more than `cpu`, with a GPU, and with none that may be used."""
        photo = next(iter(sorted(self.photos.rglob("*.jpg"))), None)
        if not self.model.exists() or photo is None:
            raise Skipped("there is no model or no photo")
        found = {}
        hidden = dict(self.environment, CUDA_VISIBLE_DEVICES="-1")
        until = time.monotonic() + seconds
        for name, device, environment in (("cpu", "cpu", self.environment), ("auto, GPU hidden", "auto", hidden), ("auto", "auto", self.environment),
                                          ("cuda", "cuda", self.environment)):
            times = []
            for _ in range(5):
                command = [self.fovea, "predict", self.model, photo, "--device", device, "--json"]
                output = run(command, max(1.0, until - time.monotonic()), environment=environment)
                if output.status != 0:
                    raise Failed(f"{name}: {output.text.strip()[-300:]}", found)
                times.append(output.seconds)
            found[name] = round(statistics.median(times), 4)
        return {"seconds_of": found}


def rate_step(arch, norm, precision):
    return f"{arch}, batch {BATCH}, {norm} BatchNorm, {precision}"


def prove(proof, record):
    """The most important first. Times add up to more than there is, for few steps need all of theirs."""
    step = record.step
    step("doctor", 20, proof.doctor)
    step("contract tests", 90, lambda s: proof.tests("contract_test", "*.cuda/*", s, shards=min(8, os.cpu_count() or 1)))
    step("recorded networks", 60, lambda s: proof.tests("golden_test", "*_cuda", s, shards=4))
    step("training kernels", 25, lambda s: proof.tests("backend_test", "*TrainingOpsOf*/cuda", s))
    step("augmentation, the host's bits", 30, lambda s: proof.tests("train_test", "*DeviceBatchesOn*/cuda", s))
    for arch in PEERS:
        for norm in ("frozen", "live"):
            step(rate_step(arch, norm, "bf16"), 25, lambda s, a=arch, n=norm: proof.rate(a, n, "bf16", s))
    for norm in ("frozen", "live"):
        step(f"PyTorch: mobilenet_v2, {norm} BatchNorm", 75, lambda s, n=norm: proof.torch("mobilenet_v2", n, s))
    for precision in ("fp16", "tf32", "fp32"):
        for norm in ("frozen", "live"):
            step(rate_step("mobilenet_v2", norm, precision), 20, lambda s, p=precision, n=norm: proof.rate("mobilenet_v2", n, p, s))
    step("photos", 40, proof.skies, made=proof.photos or proof.work / "skies")
    step("training", 60, proof.a_model, made=proof.model)
    step("answers in fp32, GPU against CPU", 30, proof.answers)
    step("accuracy, GPU and CPU", 30, proof.accuracy)
    step(f"{proof.args.many} photos made", 60, proof.make_many, made=proof.work / "many")
    step(f"{proof.args.many} photos, {EPOCHS} epochs", MOST_SECONDS + 20, proof.many)
    step("photos decoded by nvJPEG", 40, proof.decoded)
    step("sorting 200M numbers", 45, proof.sort)
    step("memory while a run is recorded", 30, proof.memory)
    step("looking for a GPU", 25, proof.looking)
    for arch in ("efficientnet_lite0", "yolo11n-cls"):
        for norm in ("frozen", "live"):
            step(f"PyTorch: {arch}, {norm} BatchNorm", 75, lambda s, a=arch, n=norm: proof.torch(a, n, s))
    step("every op's time", 60, lambda s: {"output": proof.checked([proof.programs / "contract_speed", "--backend", "cuda"], s).text[-16000:]})


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=pathlib.Path, help="a folder with " + ", ".join(NEEDED))
    parser.add_argument("--photos", type=pathlib.Path, help="train/ and val/, with a folder of photos per class")
    parser.add_argument("--weights", action="append", default=[], metavar="ARCH=FILE", help="pretrained weights to train from")
    parser.add_argument("--seconds", type=float, default=570, help="for everything")
    parser.add_argument("--many", type=int, default=MANY, help="photos of the long run")
    parser.add_argument("--only", action="append", default=[], metavar="WORDS", help="steps with these words in their name")
    parser.add_argument("--resume", action="store_true", help="steps that have not passed yet; the others stay in FILE")
    parser.add_argument("-o", "--output", type=pathlib.Path, default=pathlib.Path("proof.jsonl"), metavar="FILE")
    return parser.parse_args()


def main():
    args = arguments()
    stop_on_signals()
    record = Record(args.output, args.seconds, args.only, args.resume)
    record.add({"started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "machine": machine()})
    record.after = lambda: args.output.with_suffix(".md").write_text(table.markdown(record.entries))
    work = pathlib.Path(tempfile.mkdtemp(prefix="fovea-gpu-"))
    proof = Proof(args, record, work)
    try:
        if not args.programs:
            record.step("build", 400, proof.build)
        missing = [name for name in NEEDED if not (proof.programs / name).exists()]
        if "fovea" in missing:
            print(f"{proof.programs}: there is no fovea; see --programs", file=sys.stderr)
            return 2
        if missing:
            print(f"{proof.programs}: without {', '.join(missing)}; their steps will fail", file=sys.stderr)
        prove(proof, record)
    except Stopped:
        pass
    finally:
        shutil.rmtree(work, ignore_errors=True)
    print(table.markdown(record.entries))
    failed = [entry["step"] for entry in table.last_of_each(record.entries) if entry["status"] == "failed"]
    print(f"{args.output}: " + (f"failed: {'; '.join(failed)}" if failed else "nothing failed"), file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
