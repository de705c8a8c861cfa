"""Columns of objects: what follows from them, and how they are chosen and joined."""

import numpy as np
import pytest

from resim.detector.objects import Objects, concatenate


def objects():
    return Objects.of(
        event=np.array([0, 0, 1]),
        pt=np.array([3.0, 4.0, 5.0]),
        mass=np.array([0.0, 3.0, 0.0]),
        ux=np.array([1.0, 0.0, -1.0]),
        uy=np.array([0.0, -1.0, 0.0]),
        slope=np.sinh([0.0, 1.0, -2.0]),
    )


def test_angles_follow_from_the_direction():
    assert objects().eta == pytest.approx([0, 1, -2])
    assert objects().phi == pytest.approx([0, -np.pi / 2, np.pi])


def test_another_pt_gives_another_energy():
    changed = objects().with_pt(np.array([6.0, 4.0, 5.0]))
    assert changed.energy == pytest.approx([6, np.hypot(4 * np.cosh(1), 3), 5 * np.cosh(2)])
    assert changed.mass.tolist() == [0, 3, 0]
    assert objects().with_pt(objects().pt, np.full(3, 2.0)).energy[0] == pytest.approx(np.hypot(3, 2))


def test_masks_and_indices_choose_the_same():
    mask = np.array([True, False, True])
    chosen = objects().select(mask)
    assert chosen.pt.tolist() == objects().select(np.array([0, 2])).pt.tolist() == [3, 5]
    assert len(chosen) == len(chosen.d0) == 2


def test_joined_one_after_the_other():
    both = concatenate([objects(), objects().select(np.array([1]))])
    assert both.pt.tolist() == [3, 4, 5, 4]
    assert len(concatenate([objects().select(np.zeros(3, bool))])) == 0
