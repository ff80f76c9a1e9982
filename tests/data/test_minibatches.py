"""Hold-out, minibatches and the thread that prepares them."""

import threading
import time

import numpy as np
from nose.tools import assert_raises, eq_, ok_
from numpy.testing import assert_array_equal

from colornet.data.crops import epoch_crops
from colornet.data.minibatches import (EpochMinibatches, epoch_plan, hold_out,
                                       iterate_minibatches, prefetch)
from colornet.errors import ColornetError

SIZE = 24


def test_hold_out_is_disjoint_and_drawn_by_seed():
    training, validation = hold_out(360, 0.1, seed=1)
    eq_(len(validation), 36)
    assert_array_equal(np.sort(np.concatenate([training, validation])),
                       np.arange(360))
    assert_array_equal(validation, np.sort(validation))
    assert_array_equal(training, np.sort(training))
    assert_array_equal(validation, hold_out(360, 0.1, seed=1)[1])
    ok_((validation != hold_out(360, 0.1, seed=2)[1]).any())


def test_hold_out_keeps_at_least_one_each():
    for num_images, proportion, expected in [
            (3, 0.01, 1), (3, 0, 0), (2, 0.5, 1), (10, 0.25, 2)]:
        training, validation = hold_out(num_images, proportion, seed=0)
        eq_(len(validation), expected)
        eq_(len(training), num_images - expected)
    for num_images, proportion in [(1, 0.1), (3, 0.9), (0, 0), (10, 1),
                                   (10, -0.1), (10, float('nan'))]:
        assert_raises(ColornetError, hold_out, num_images, proportion, 0)


def test_epoch_plan_depends_on_seed_and_epoch_alone():
    indices = np.arange(5, 45)
    order, flips = epoch_plan(indices, seed=3, epoch=7, flip=True)
    np.random.rand(9)
    again = epoch_plan(indices, seed=3, epoch=7, flip=True)
    assert_array_equal(order, again[0])
    assert_array_equal(flips, again[1])
    assert_array_equal(np.sort(order), indices)
    assert_array_equal(indices, np.arange(5, 45))
    ok_(10 < flips.sum() < 30)
    for seed, epoch in [(3, 8), (4, 7), (7, 3)]:
        other, other_flips = epoch_plan(indices, seed, epoch, flip=True)
        ok_((order != other).any())
        ok_((flips != other_flips).any())


def test_epoch_plan_without_flips_has_the_same_order():
    order, flips = epoch_plan(range(40), 3, 7, flip=False)
    ok_(not flips.any())
    assert_array_equal(order, epoch_plan(range(40), 3, 7, flip=True)[0])


def test_minibatches_agree_with_a_loop():
    images = np.random.RandomState(0).randint(0, 256, (7, 4, 5, 3), np.uint8)
    before = images.copy()
    indices = [6, 0, 3, 3, 1]
    flips = [True, False, False, True, True]
    batches = list(iterate_minibatches(images, indices, 2, flips))
    eq_([len(batch) for batch in batches], [2, 2, 1])
    got = np.concatenate(batches)
    for number, (index, flip) in enumerate(zip(indices, flips)):
        for column in range(5):
            source = 4 - column if flip else column
            assert_array_equal(got[number, :, column],
                               images[index, :, source])
    assert_array_equal(images, before)
    assert_array_equal(
        np.concatenate(list(iterate_minibatches(images, indices, 3))),
        images[indices])


def test_minibatches_refuse_bad_arguments():
    images = np.zeros((3, 2, 2, 3), np.uint8)
    assert_raises(ColornetError, next, iterate_minibatches(images, [0], 0))
    assert_raises(ValueError, next,
                  iterate_minibatches(images, [0, 1], 2, [True]))


class Recorded:
    """Images that tell which were read, and by which crops."""

    def __init__(self):
        self.indices, self.crops = [], []

    def read_crops(self, indices, crops):
        self.crops += list(crops)
        return self[indices]

    def __getitem__(self, indices):
        self.indices += list(indices)
        # The left half is dark.
        return np.tile(np.uint8([0, 9])[None, None, :, None],
                       (len(indices), 2, 1, 3))


def test_an_epoch_goes_on_where_it_stopped():
    for min_crop in None, 0.6:
        seen = []
        for skip in 0, 3:
            images = Recorded()
            batches = list(EpochMinibatches(
                images, range(5, 15), 2, seed=3, flip=True,
                min_crop=min_crop).iterate(7, skip))
            seen.append((images.indices, images.crops,
                         [image[0, 0, 0] > 0 for batch in batches
                          for image in batch]))
        (whole, crops, flips), (rest, rest_crops, rest_flips) = seen
        order, expected = epoch_plan(range(5, 15), 3, 7, True)
        eq_((whole, flips), (list(order), list(expected)))
        eq_((rest, rest_flips), (whole[6:], flips[6:]))
        if min_crop is None:
            eq_(crops, [])
        else:
            assert_array_equal(crops, epoch_crops(10, 3, 7, min_crop))
            assert_array_equal(rest_crops, crops[6:])


def wait_for_threads(count):
    deadline = time.time() + 2
    while threading.active_count() > count and time.time() < deadline:
        time.sleep(0.01)
    eq_(threading.active_count(), count)


def test_prefetch_keeps_the_order_and_transforms_in_a_thread():
    before = threading.active_count()
    threads = set()

    def square(item):
        threads.add(threading.current_thread())
        return item * item

    eq_(list(prefetch(range(50), square)), [n * n for n in range(50)])
    ok_(threading.current_thread() not in threads)
    eq_(list(prefetch([])), [])
    eq_(list(prefetch([None, 0], num_ahead=1)), [None, 0])
    wait_for_threads(before)


def test_prefetch_works_ahead_but_not_further():
    done = []
    items = prefetch(range(20), done.append, num_ahead=3)
    next(items)
    deadline = time.time() + 2
    while len(done) < 4 and time.time() < deadline:
        time.sleep(0.01)
    time.sleep(0.05)
    eq_(done, [0, 1, 2, 3])
    items.close()


def test_prefetch_overlaps_with_the_consumer():
    start = time.time()
    for _ in prefetch(range(10), lambda item: time.sleep(0.03)):
        time.sleep(0.03)
    ok_(time.time() - start < 0.5)  # One after the other: 0.6 s.


def test_prefetch_raises_what_the_thread_raised():
    before = threading.active_count()

    def fail():
        yield 1
        raise ColornetError('no more')

    items = prefetch(fail())
    eq_(next(items), 1)
    with assert_raises(ColornetError) as caught:
        next(items)
    eq_(str(caught.exception), 'no more')

    items = prefetch([1, 0], lambda item: 1 // item)
    eq_(next(items), 1)
    assert_raises(ZeroDivisionError, next, items)
    wait_for_threads(before)


def test_closing_prefetch_ends_the_thread():
    before = threading.active_count()
    done = []

    def work(item):
        done.append(item)
        time.sleep(0.02)

    items = prefetch(iter(int, 1), work, num_ahead=10)  # Without end.
    next(items)
    items.close()
    wait_for_threads(before)
    ok_(len(done) < 5)


def test_leaving_the_loop_ends_the_thread():
    before = threading.active_count()
    for _ in prefetch(iter(int, 1)):
        break
    wait_for_threads(before)


def test_interrupting_the_consumer_ends_the_thread():
    before = threading.active_count()

    def train():
        for _ in prefetch(iter(int, 1)):
            raise KeyboardInterrupt

    assert_raises(KeyboardInterrupt, train)
    wait_for_threads(before)
