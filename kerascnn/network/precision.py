"""The precision that a network computes in: float32, or bfloat16 where the processor has it.

bfloat16 keeps eight bits of a number's mantissa, and a processor made for it multiplies matrices of
it about twice as fast. TensorFlow's optimiser for oneDNN converts a compiled function
(convolutions and products in bfloat16, sums and sensitive operations in float32), so weights and
pictures stay as they are.
"""

from __future__ import annotations

import contextlib
import platform
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kerascnn.errors import UsageError, nearest, one_line

if TYPE_CHECKING:
    import numpy as np

FLOAT32, BFLOAT16, AUTO = "float32", "bfloat16", "auto"
PRECISIONS = (FLOAT32, BFLOAT16, AUTO)

_SWITCH = "auto_mixed_precision_onednn_bfloat16"
_INSTRUCTIONS = frozenset({"avx512_bf16", "amx_bf16"})
#: How far bfloat16 scores may be off for ``auto`` to take it, relative to the largest score.
_TOLERANCE = 0.02


@dataclass(frozen=True)
class Precision:
    """What was chosen, and why.

    Attributes:
        name: ``float32`` or ``bfloat16``.
        why: the reason, as a phrase; empty for float32 that was asked for.
        difference: of the scores of a random picture to those in float32, relative to the largest;
            None where nothing was compared.
    """

    name: str = FLOAT32
    why: str = ""
    difference: float | None = None


def check_precision(name: str) -> str:
    """Return a precision's name.

    Raises:
        UsageError: there is no such precision.
    """
    if name not in PRECISIONS:
        raise UsageError(
            f"the precision must be float32, bfloat16 or auto{nearest(name, PRECISIONS)}. "
            f"Received: {one_line(name, 40)!r}"
        )
    return name


def choose(
    asked: str, scores: Callable[[np.ndarray], np.ndarray], probe: Callable[[], np.ndarray]
) -> Precision:
    """Choose the precision for a network: by the processor, and by what a random picture gives.

    Args:
        asked: ``float32``; ``bfloat16``, which is then taken whatever the processor has; or
            ``auto``, which takes bfloat16 where it is fast and agrees with float32.
        scores: gives the network's logits of pictures.
        probe: gives a random picture, as the network takes it.

    Raises:
        UsageError: there is no such precision.
    """
    if check_precision(asked) == FLOAT32:
        return Precision()
    able = has_bfloat16()
    if asked == AUTO and not able:
        return Precision(FLOAT32, "the processor has no bfloat16 arithmetic")
    import numpy as np

    picture = probe()
    exact = scores(picture)
    with computing_in(BFLOAT16):
        rounded = scores(picture)
    scale = float(np.abs(exact).max(initial=0.0))
    difference = float(np.abs(exact - rounded).max(initial=0.0)) / max(scale, 1e-30)
    told = f"scores differ from float32 by {difference:.1%} of the largest"
    if difference == 0.0 and scale > 0.0:
        return Precision(FLOAT32, "TensorFlow here computes in float32 all the same", 0.0)
    if asked == AUTO and difference > _TOLERANCE:
        return Precision(FLOAT32, f"in bfloat16 {told}", difference)
    slow = "" if able else "; slow here, the processor has no bfloat16 arithmetic"
    return Precision(BFLOAT16, told + slow, difference)


@contextlib.contextmanager
def computing_in(precision: str) -> Iterator[None]:
    """Let TensorFlow's compiled functions compute in a precision while the block runs.

    The setting is TensorFlow's, so it holds for the whole process.
    """
    if precision == FLOAT32:
        yield
        return
    import tensorflow as tf

    options = tf.config.optimizer
    before = bool(options.get_experimental_options().get(_SWITCH, False))
    options.set_experimental_options({_SWITCH: True})
    try:
        yield
    finally:
        options.set_experimental_options({_SWITCH: before})


def has_bfloat16() -> bool:
    """Return whether the processor multiplies bfloat16 itself (known on Linux alone)."""
    if platform.system() != "Linux":
        return False
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    flags = next((line for line in text.splitlines() if line.startswith("flags")), "")
    return not _INSTRUCTIONS.isdisjoint(flags.split())
