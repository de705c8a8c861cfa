"""Two Gaussian classes of unit width at -1 and +1 on the first axis: everything about them is known."""

import numpy as np
import torch
from torch import nn

from jetssl.evaluation.classifier import Rates
from jetssl.weak.student import Lesson, School, Vectors

BEST = 0.8413447460685429
"""Accuracy of the best classifier, Phi(1)."""
SIDE = 6000


def gaussians(rng, size=2 * SIDE):
    """Points, float32 `(size, 2)`, and their classes."""
    classes = np.arange(size) % 2
    points = rng.normal(size=(size, 2))
    points[:, 0] += 2 * classes - 1
    return points.astype(np.float32), classes


def linear_school(points, steps=300):
    """Students that are logistic regressions."""
    inputs = torch.from_numpy(points)
    return School(
        lambda: (Vectors(), nn.Linear(points.shape[1], 2)),
        lambda rows, _: (inputs[torch.from_numpy(rows)],),
        Rates(0.0, 0.05),
        steps,
    )


def lessons(labels):
    """The first half of the points to learn from, the next quarter held out, with labels as they are given."""
    targets = np.eye(2)[labels]
    half, quarter = len(labels) // 2, 3 * len(labels) // 4
    return Lesson(np.arange(half), targets[:half]), Lesson(np.arange(half, quarter), targets[half:quarter])


def accuracy(school, student, classes):
    """Of a student on the last quarter, and its statistical error."""
    test = np.arange(3 * len(classes) // 4, len(classes))
    right = (school.probabilities(student, test).argmax(1) == classes[test]).mean()
    return right, np.sqrt(BEST * (1 - BEST) / len(test))
