#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Records scikit-learn's answers for photos with any number of labels: tests/train/golden/label_sets.txt (lines: name, then numbers).

optimum: strength and minimum of a logistic regression for each class. scikit-learn minimises sum_n loss_n + |w|^2 / (2 C) for a
class; divided by N and summed over the classes that is Fovea's objective with strength = 1 / (C N), on features divided by the root
of their mean squared length. average_precision: one per class, of scores with ties; f1: micro and macro, of scores from 0.5 on.
"""
import sys

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, f1_score

ROWS, WIDTH, CLASSES = 60, 8, 3
STRENGTHS = [1e-2, 1e-3]


def main(path):
    rng = np.random.default_rng(5)
    centres = rng.normal(size=(CLASSES, WIDTH))
    targets = (rng.random((ROWS, CLASSES)) < [0.5, 0.3, 0.15]).astype(int)
    features = np.maximum(targets @ centres + 1.5 * rng.normal(size=(ROWS, WIDTH)) + 1, 0).astype(np.float32)
    scaled = features.astype(np.float64)
    scaled /= np.sqrt((scaled**2).sum(axis=1).mean())
    with open(path, "w") as out:
        print("shape", ROWS, WIDTH, CLASSES, file=out)
        print("features", *[f"{v:.9g}" for v in features.flatten()], file=out)
        print("targets", *targets.flatten(), file=out)
        for strength in STRENGTHS:
            objective = 0
            for k in range(CLASSES):
                model = LogisticRegression(C=1 / (strength * ROWS), solver="newton-cg", tol=1e-12, max_iter=10000)
                model.fit(scaled, targets[:, k])
                signed = (2 * targets[:, k] - 1) * model.decision_function(scaled)
                objective += np.logaddexp(0, -signed).mean() + strength / 2 * (model.coef_**2).sum()
            print("optimum", strength, f"{objective:.15g}", file=out)
        scores = np.round(np.clip(0.2 * targets + 0.8 * rng.random(targets.shape), 0, 1), 1)  # few values: many ties
        print("scores", *[f"{v:.1f}" for v in scores.flatten()], file=out)
        print("average_precision", *[f"{average_precision_score(targets[:, k], scores[:, k]):.15g}" for k in range(CLASSES)], file=out)
        answered = (scores >= 0.5).astype(int)
        print("f1", *[f"{f1_score(targets, answered, average=how):.15g}" for how in ("micro", "macro")], file=out)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "tests/train/golden/label_sets.txt")
