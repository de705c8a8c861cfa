import numpy as np

from jetssl.weak.rooms import scores_in
from tests.helpers.gaussians import gaussian_room


def test_scores_of_every_room_and_draw_at_their_address(rng):
    rooms = [gaussian_room(rng, 40)[0] for _ in range(2)]
    size = len(rooms[0].task.test)

    def one(room, address):
        return {"arm": np.full(size, 100 * rooms.index(room) + 10 * address[1] + address[2], float)}

    scores = scores_in(rooms, 7, 3, one)["arm"]
    assert scores.shape == (2, 3, size)
    assert scores[..., 0].tolist() == [[0, 1, 2], [110, 111, 112]]


def test_lessons_are_the_labels_of_the_simulation(rng):
    room, _ = gaussian_room(rng, 40)
    learn, held_out = room.lessons
    assert learn.rows.tolist() == room.task.train.tolist()
    np.testing.assert_array_equal(held_out.targets[:, 1], room.task.is_signal[room.task.validation])
    assert max(learn.rows.max(), held_out.rows.max()) < room.shift <= room.task.test.min()
