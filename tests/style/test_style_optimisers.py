"""L-BFGS and Adam, against SciPy's and against the formulas in double precision."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from kerascnn.style.objective import Value
from kerascnn.style.optimisers import Adam, Lbfgs

SHAPE = (1, 4, 5, 3)
SIZE = int(np.prod(SHAPE))


def quadratic(seed=0, spread=30.0):
    """Return a bowl, its bottom and how to ask it."""
    random = np.random.default_rng(seed)
    turn, _ = np.linalg.qr(random.normal(size=(SIZE, SIZE)))
    matrix = (turn * np.geomspace(1.0, spread, SIZE)) @ turn.T
    bottom = random.normal(size=SIZE)

    def value(x):
        apart = x.ravel().astype(float) - bottom
        return 0.5 * apart @ matrix @ apart, matrix @ apart

    return value, bottom


def asked(value, calls=None):
    def evaluate(picture):
        if calls is not None:
            calls.append(picture.copy())
        loss, slope = value(picture)
        return Value(float(loss), np.array([loss]), slope.reshape(SHAPE).astype(np.float32))

    return evaluate


def rosenbrock(x):
    x = x.ravel().astype(float)
    left, right = x[:-1], x[1:]
    slope = np.zeros_like(x)
    slope[:-1] = -400 * left * (right - left**2) - 2 * (1 - left)
    slope[1:] += 200 * (right - left**2)
    return np.sum(100 * (right - left**2) ** 2 + (1 - left) ** 2), slope


def test_lbfgs_finds_the_bottom_of_a_bowl_as_fast_as_scipys():
    value, bottom = quadratic()
    found = minimize(value, np.zeros(SIZE), jac=True, method="L-BFGS-B",
                     options={"maxcor": 10, "maxiter": 30, "ftol": 0, "gtol": 0})  # fmt: skip
    calls = []
    ours = Lbfgs(np.zeros(SHAPE, np.float32), 10)
    for _ in range(30):
        ours.step(asked(value, calls))
    first = value(np.zeros(SIZE))[0]
    assert max(ours.value.loss, found.fun) < 1e-7 * first  # what float32 slopes allow
    assert len(calls) <= found.nfev + 5
    np.testing.assert_allclose(ours.picture.ravel(), bottom, atol=1e-3)


def test_lbfgs_goes_down_a_curved_valley_without_ever_going_up():
    ours = Lbfgs(np.zeros(SHAPE, np.float32), 10)
    losses = [ours.step(asked(rosenbrock)).loss for _ in range(200)]
    assert (np.diff(losses) <= 0).all()
    found = minimize(rosenbrock, np.zeros(SIZE), jac=True, method="L-BFGS-B",
                     options={"maxcor": 10, "maxiter": 200})  # fmt: skip
    assert losses[-1] < 1.5 * found.fun + 1.0


def textbook(value, x, steps, history):
    """Neural-style's L-BFGS written out with dense matrices (Nocedal and Wright, 7.16 to 7.19)."""
    pairs, path = [], []
    _, slope = value(x)
    for number in range(steps):
        inverse = np.eye(len(x))
        if pairs:
            s, y = pairs[-1]
            inverse *= (s @ y) / (y @ y)
        for s, y in pairs:
            rho = 1 / (s @ y)
            turn = np.eye(len(x)) - rho * np.outer(y, s)
            inverse = turn.T @ inverse @ turn + rho * np.outer(s, s)
        length = min(1.0, 1.0 / np.abs(slope).sum()) if number == 0 else 1.0
        moved = -length * inverse @ slope
        before, x = slope, x + moved
        _, slope = value(x)
        if moved @ (slope - before) > 1e-10:
            pairs = [*pairs, (moved, slope - before)][-history:]
        path.append(x)
    return path


@pytest.mark.parametrize("history", [3, 100])
def test_without_search_it_is_neural_styles(history):
    value, _ = quadratic(1)
    start = np.random.default_rng(2).normal(size=SIZE)
    path = textbook(value, start, 12, history)
    ours = Lbfgs(start.reshape(SHAPE).astype(np.float32), history, search=False)
    for expected in path:
        ours.step(asked(value))
        np.testing.assert_allclose(ours.picture.ravel(), expected, atol=1e-3)


def test_adam_is_the_papers():
    value, _ = quadratic(3)
    x = np.zeros(SIZE)
    first, second = np.zeros(SIZE), np.zeros(SIZE)
    ours = Adam(np.zeros(SHAPE, np.float32), 0.1)
    for count in range(1, 11):
        _, slope = value(x)
        first = 0.9 * first + 0.1 * slope
        second = 0.999 * second + 0.001 * slope**2
        x = x - 0.1 * (first / (1 - 0.9**count)) / (np.sqrt(second / (1 - 0.999**count)) + 1e-12)
        ours.step(asked(value))
        np.testing.assert_allclose(ours.picture.ravel(), x, atol=1e-5)


OPTIMISERS = {"lbfgs": lambda x: Lbfgs(x, 5), "adam": lambda x: Adam(x, 0.1)}


@pytest.mark.parametrize("name", OPTIMISERS)
@pytest.mark.parametrize("before", [0, 1, 4, 9])
def test_a_state_goes_on_bit_for_bit(name, before):
    start = np.random.default_rng(4).normal(size=SHAPE).astype(np.float32)
    straight = OPTIMISERS[name](start)
    for _ in range(before):
        straight.step(asked(rosenbrock))
    state = {key: np.array(values) for key, values in straight.state().items()}
    other = OPTIMISERS[name](start)
    other.restore(state)
    for _ in range(5):
        one, two = straight.step(asked(rosenbrock)), other.step(asked(rosenbrock))
        assert one.loss == two.loss
        np.testing.assert_array_equal(straight.picture, other.picture)


@pytest.mark.parametrize("name", OPTIMISERS)
def test_a_loss_that_is_no_number_is_stepped_back_from(name):
    """Beyond a wall there are no numbers; the bottom lies at its foot."""
    value, _ = quadratic(5)

    def walled(x):
        loss, slope = value(x)
        beyond = np.abs(x).max() > 1.0
        return (np.nan if beyond else loss), slope

    ours = OPTIMISERS[name](np.zeros(SHAPE, np.float32))
    first = value(np.zeros(SIZE))[0]
    for _ in range(60):
        ours.step(asked(walled))
    assert ours.recovered
    assert np.isfinite(ours.value.loss)
    assert ours.value.loss < first
    assert np.abs(ours.picture).max() <= 1.0


def test_it_says_when_no_step_goes_down():
    ours = Lbfgs(np.zeros(SHAPE, np.float32), 5)
    flat = asked(lambda x: (1.0, np.zeros(SIZE)))
    for _ in range(3):
        ours.step(flat)
    assert ours.value.loss == 1.0
    assert np.isfinite(ours.picture).all()


@pytest.mark.parametrize("name", OPTIMISERS)
def test_what_was_learned_is_carried_to_another_size(name):
    """A change that only scales the slope must not cost what was learned."""
    value, _ = quadratic(6)
    ours = OPTIMISERS[name](np.zeros(SHAPE, np.float32))
    for _ in range(8):
        ours.step(asked(value))
    quarter = asked(lambda x: tuple(0.25 * part for part in value(x)))
    carried = ours.carried(ours.picture, lambda values: values, 0.25)
    straight, after = ours.step(asked(value)), carried.step(quarter)
    assert abs(after.loss - 0.25 * straight.loss) <= 1e-3 * straight.loss


def textbook_two_loops(value, x, steps, history=100):
    """Neural-style's L-BFGS as Nocedal and Wright write it (algorithm 7.4), in double precision."""
    pairs, path = [], []
    _, slope = value(x)
    for number in range(steps):
        q, alphas = slope.copy(), []
        for s, y in reversed(pairs):
            alphas.append((s @ q) / (s @ y))
            q -= alphas[-1] * y
        if pairs:
            s, y = pairs[-1]
            q *= (s @ y) / (y @ y)
        for (s, y), alpha in zip(pairs, reversed(alphas), strict=True):
            q += (alpha - (y @ q) / (s @ y)) * s
        length = min(1.0, 1.0 / np.abs(slope).sum()) if number == 0 else 1.0
        before, x = slope, x - length * q
        _, slope = value(x)
        if -length * q @ (slope - before) > 1e-10:
            pairs = [*pairs, (-length * q, slope - before)][-history:]
        path.append(x)
    return path


def test_the_two_loops_are_the_dense_formula():
    value, _ = quadratic(8)
    start = np.random.default_rng(9).normal(size=SIZE)
    pairs = zip(textbook(value, start, 8, 4), textbook_two_loops(value, start, 8, 4), strict=True)
    for dense, loops in pairs:
        np.testing.assert_allclose(dense, loops, rtol=1e-6, atol=1e-9)


def test_broad_strokes_first_is_a_symmetric_positive_operator():
    random = np.random.default_rng(0)
    ours = Lbfgs(np.zeros((1, 9, 14, 3), np.float32), broad=True)
    one, two = random.standard_normal((2, 1, 9, 14, 3)).astype(np.float32)
    assert (one * ours._broadened(two)).sum() == pytest.approx(
        (two * ours._broadened(one)).sum(), rel=1e-4
    )
    assert (one * ours._broadened(one)).sum() > 0
    # A plane is a wave of frequency 0, taken for the broadest that there is: 1/14.
    plane = np.ones((1, 9, 14, 3), np.float32)
    np.testing.assert_allclose(ours._broadened(plane), np.sqrt(14.0), rtol=1e-5)
    # Rows that alternate are the finest cosine wave but one step: about the frequency 1.
    fine = np.cos(np.pi * 13 * (np.arange(14) + 0.5) / 14)[None, None, :, None] * plane
    np.testing.assert_allclose(ours._broadened(fine), fine * (13 / 14) ** -0.5, atol=1e-4)


@pytest.mark.parametrize("broad", [False, True])
def test_the_last_pair_is_taken_at_its_word(broad):
    """Every quasi-Newton matrix maps the last change of slope to the last step."""
    random = np.random.default_rng(1)
    ours = Lbfgs(np.zeros((1, 6, 8, 3), np.float32), broad=broad)
    for _ in range(4):
        step = random.standard_normal((1, 6, 8, 3)).astype(np.float32)
        ours._learn(step, step * 2 + 0.1 * random.standard_normal(step.shape).astype(np.float32))
    step, change = ours._pairs[-1]
    np.testing.assert_allclose(ours._direction(change), -step, atol=1e-4)


def test_broad_strokes_first_is_quicker_where_fine_ones_are_stiffer():
    from scipy import fft

    shape = (1, 24, 32, 3)
    frequency = np.hypot(np.arange(24)[:, None] / 24, np.arange(32) / 32)
    stiff = np.maximum(frequency, 1 / 32)[None, :, :, None]
    goal = np.random.default_rng(2).standard_normal(shape).cumsum(1).cumsum(2)

    def evaluate(picture):
        off = fft.dctn(picture - goal, axes=(1, 2), norm="ortho")
        gradient = fft.idctn(stiff * off, axes=(1, 2), norm="ortho").astype(np.float32)
        return Value(0.5 * float((stiff * off**2).sum()), np.zeros(1), gradient)

    losses = {}
    for broad in (False, True):
        ours = Lbfgs(np.zeros(shape, np.float32), broad=broad)
        for _ in range(12):
            losses[broad] = ours.step(evaluate).loss
    assert losses[True] < 0.3 * losses[False]
