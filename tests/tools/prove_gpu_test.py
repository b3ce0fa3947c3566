#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bench/gpu/prove.py without a GPU: programs that only say what real ones would stand for them, well, failing, hanging and killed."""
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench" / "gpu"))
import prove  # noqa: E402
import steps  # noqa: E402
import table  # noqa: E402

FOVEA = """#!{python}
import json, os, pathlib, sys, time
arguments = sys.argv[1:]
verb = " ".join(word for word in arguments[:2] if not word.startswith("-"))
option = lambda name: arguments[arguments.index(name) + 1]
fault = os.environ.get("FAULT", "")
if fault and (verb.startswith(fault.split(":")[1]) or fault.split(":")[1] in " ".join(arguments)):
    if fault.startswith("hang"):
        print(json.dumps({{"event": "epoch", "epoch": 1}}), flush=True)
        time.sleep(600)
    print("fovea: error: out of luck", file=sys.stderr)
    sys.exit(2)
if verb == "bench train":
    print(json.dumps({{"images_per_second": 50000.0, "median_ms": 5.1, "precision": option("--precision") if "--precision" in arguments else "bf16",
                       "traffic_gb_s": 2400.0}}))
if verb == "bench sort":
    print(json.dumps({{"device": "cuda:0", "milliseconds": 4.0, "sorted": True, "same_numbers": True}}))
if arguments[0] == "train":
    model = pathlib.Path(option("-o"))
    model.write_text("model")
    run = model.with_suffix(".run")
    run.mkdir(exist_ok=True)
    (run / "log.txt").write_text("480 photos decoded by nvJPEG 13.0, 0 by the CPU\\n")
    for epoch in range(int(option("--epochs"))):
        print(json.dumps({{"event": "epoch", "epoch": epoch + 1}}))
    print(json.dumps({{"event": "done", "seconds": 1.0}}))
if arguments[0] == "predict":
    print(json.dumps({{"path": "a.jpg", "predictions": [{{"label": "x", "probability": 0.75}}, {{"label": "y", "probability": 0.25}}]}}))
if arguments[0] == "val":
    print(json.dumps({{"accuracy": 0.9}}))
"""
TESTS = """#!/bin/sh
echo "[  PASSED  ] 7 tests."
"""
SMI = """#!/bin/sh
case "$*" in *memory.used*) echo 1000;; *) echo "NVIDIA H200, 580.1, 143771 MiB, 9.0";; esac
"""


class Fakes(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.root = pathlib.Path(self.folder.name)
        programs = {"fovea": FOVEA.format(python=sys.executable), "nvidia-smi": SMI, "libfovea_cuda.so": "", "fovea-skies": "#!/bin/sh\n"}
        programs |= {name: TESTS for name in ("contract_test", "contract_speed", "golden_test", "backend_test", "train_test")}
        for name, source in programs.items():
            (self.root / name).write_text(source)
            (self.root / name).chmod(0o755)
        (self.root / "photos/val/x").mkdir(parents=True)
        (self.root / "photos/val/x/a.jpg").write_text("photo")
        self.out = self.root / "proof.jsonl"

    def command(self, *more):
        return [sys.executable, ROOT / "bench/gpu/prove.py", "--programs", self.root, "--photos", self.root / "photos", "-o", self.out,
                "--many", "20", *more]

    def environment(self, fault=""):
        return dict(os.environ, PATH=f"{self.root}:{os.environ['PATH']}", FAULT=fault)

    def prove(self, *more, fault=""):
        done = subprocess.run(self.command(*more), env=self.environment(fault), capture_output=True, text=True, timeout=120)
        return done, {entry["step"]: entry for entry in steps.read(self.out) if "step" in entry}

    def test_every_step_is_in_the_report(self):
        done, found = self.prove()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertGreaterEqual(len(found), 30)
        self.assertEqual({entry["status"] for entry in found.values()} - {"passed", "skipped"}, set())
        for words in ("contract", "recorded networks", "mobilenet_v2, batch 256, live BatchNorm, fp16", "tf32", "PyTorch: yolo11n-cls", "20 epochs",
                      "answers", "accuracy", "nvJPEG", "memory while", "looking", "sorting"):
            self.assertTrue(any(words in name for name in found), words)
        rate = found["mobilenet_v2, batch 256, frozen BatchNorm, bf16"]
        self.assertAlmostEqual(rate["share_of_memory"], 0.5)
        report = self.out.with_suffix(".md").read_text()
        for name in found:
            self.assertIn(f"| {name} |", report)
        self.assertIn("50000 images/s, 5.10 ms a step; 50 % of the memory's rate", report)

    def test_a_step_that_fails_takes_no_other_with_it(self):
        done, found = self.prove(fault="fail:predict")
        self.assertEqual(done.returncode, 1)
        failed = {name for name, entry in found.items() if entry["status"] == "failed"}
        self.assertEqual(failed, {"answers in fp32, GPU against CPU", "looking for a GPU"})
        self.assertIn("out of luck", found["looking for a GPU"]["reason"])

    def test_what_was_found_before_the_time_was_up_is_kept(self):
        done, found = self.prove("--only", "photos decoded", "--seconds", "8", fault="hang:--decode")
        self.assertEqual(done.returncode, 1)
        entry = found["photos decoded by nvJPEG"]
        self.assertEqual(entry["status"], "failed")
        self.assertEqual(entry["epochs"], 1)
        self.assertIn("not done", entry["reason"])

    def test_only_what_has_not_passed_is_done_again(self):
        self.prove("--only", "accuracy", "--only", "training", fault="fail:val")
        done, found = self.prove("--resume", "--only", "accuracy", "--only", "training")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn("training kernels ...", done.stderr)
        self.assertIn("training ...", done.stderr, "its model is gone with the first run")
        self.assertEqual(found["accuracy, GPU and CPU"]["status"], "passed")

    def test_a_kill_leaves_all_that_was_measured(self):
        running = subprocess.Popen(self.command(), env=self.environment("hang:bench sort"), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        for line in running.stderr:
            if "nvJPEG" in line:
                break
        time.sleep(0.5)
        running.send_signal(signal.SIGTERM)
        running.communicate(timeout=20)
        self.assertEqual(running.returncode, 1)
        found = {entry["step"]: entry for entry in steps.read(self.out) if "step" in entry}
        self.assertEqual(found["photos decoded by nvJPEG"]["status"], "passed")
        self.assertIn("stopped: SIGTERM", found["sorting 200M numbers"]["reason"])
        self.assertIn("sorting 200M", self.out.with_suffix(".md").read_text())

    def test_failing_tests_are_named(self):
        (self.root / "golden_test").write_text('#!/bin/sh\necho "[  FAILED  ] PyTorch.Logits"\necho "[  PASSED  ] 3 tests."\nexit 1\n')
        done, found = self.prove("--only", "recorded")
        entry = found["recorded networks"]
        self.assertEqual((entry["status"], entry["passed"]), ("failed", 12))
        self.assertIn("PyTorch.Logits", entry["reason"])

    def test_without_programs_nothing_is_run(self):
        (self.root / "fovea").unlink()
        done, _ = self.prove()
        self.assertEqual(done.returncode, 2)


class Entries(unittest.TestCase):
    def test_a_line_that_was_cut_off_is_passed_over(self):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "proof.jsonl"
            file.write_text(json.dumps({"step": "a", "status": "passed"}) + '\n{"step": "b", "sta')
            self.assertEqual([entry["step"] for entry in steps.read(file)], ["a"])

    def test_the_last_of_a_step_counts(self):
        entries = [{"step": "a", "status": "failed", "seconds": 1}, {"step": "a", "status": "passed", "seconds": 2}]
        self.assertEqual([entry["status"] for entry in table.last_of_each(entries)], ["passed"])

    def test_promises_are_those_of_the_peers(self):
        self.assertEqual(set(prove.PEERS), {"mobilenet_v2", "efficientnet_lite0", "yolo11n-cls"})


if __name__ == "__main__":
    unittest.main()
