#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Records scikit-learn's optimum of small softmax regressions: tests/train/golden/softmax_regression.txt (lines: name, then numbers).

The features look like a network's: not negative, with a large common part. scikit-learn minimises sum_n loss_n + |W|^2 / (2 C);
divided by N that is Fovea's objective with strength = 1 / (C N), on features divided by the root of their mean squared length.
"""
import sys

import numpy as np
from sklearn.linear_model import LogisticRegression

ROWS, WIDTH, CLASSES = 60, 12, 5
STRENGTHS = [1e-2, 1e-3, 1e-4]


def main(path):
    rng = np.random.default_rng(3)
    labels = np.arange(ROWS) % CLASSES
    centres = rng.normal(size=(CLASSES, WIDTH))
    features = np.maximum(centres[labels] + 1.2 * rng.normal(size=(ROWS, WIDTH)) + 1, 0).astype(np.float32)
    scaled = features.astype(np.float64)
    scaled /= np.sqrt((scaled**2).sum(axis=1).mean())
    with open(path, "w") as out:
        print("shape", ROWS, WIDTH, CLASSES, file=out)
        print("features", *[f"{v:.9g}" for v in features.flatten()], file=out)
        print("labels", *labels, file=out)
        for strength in STRENGTHS:
            model = LogisticRegression(C=1 / (strength * ROWS), solver="newton-cg", tol=1e-12, max_iter=10000).fit(scaled, labels)
            logits = scaled @ model.coef_.T + model.intercept_
            largest = logits.max(axis=1, keepdims=True)
            log_sum = np.log(np.exp(logits - largest).sum(axis=1)) + largest[:, 0]
            loss = (log_sum - logits[np.arange(ROWS), labels]).mean() + strength / 2 * (model.coef_**2).sum()
            print("optimum", strength, f"{loss:.15g}", file=out)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "tests/train/golden/softmax_regression.txt")
