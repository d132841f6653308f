"""The colours, each with one meaning, in figures and pages alike.

- **More and less.** Where the sign has a meaning, red is above zero (it speaks for the target, the
  weight is positive), blue is below, white is zero: `SIGNED`, and `POSITIVE` and `NEGATIVE` for
  bars. ColorBrewer's red and blue differ for every kind of colour blindness, as red and green do
  not, and the lightness grows evenly on both sides.
- **Important.** What matters glows on black: `IMPORTANT`, whose lightness alone gives the order, so
  that it reads the same in grey, and laid over a picture it hides nothing where nothing matters.
- **A score.** Where the values are the score itself (occlusion), deep blue is low, as the lecture
  paints it, and pale is high: `SCORE`. What is important is then dark blue on a pale ground, which
  can't be taken for the glow of `IMPORTANT`.
- **Amounts** without a sign are grey as pictures are, black is none: `AMOUNT`. Numbers of which
  nothing is known have a scale that nothing else has: `UNKNOWN`.
- **Lines** of a chart are Okabe and Ito's colours for every kind of sight, without their yellow,
  which can't be seen on white: `SERIES`. More lines than colours differ by their dashes.
- **Surfaces.** `LIGHT` and `DARK` are the themes of pages; figures are drawn on `SHEET` with the
  inks of `LIGHT`, whatever the page's theme. Text has a contrast of 4.5 or more (WCAG AA) on paper
  and pane. What holds is blue-green and what fails is orange-red; the word always stands beside.
"""

from __future__ import annotations

from dataclasses import dataclass

SIGNED = "RdBu_r"
"""Matplotlib's name of the scale for values with a sign; zero is in its middle."""

IMPORTANT = "inferno"
"""… for importance without a sign, from zero."""

SCORE = "YlGnBu_r"
"""… for a score, low to high."""

AMOUNT = "gray"
"""… for amounts, from zero; also for pictures of one channel."""

UNKNOWN = "viridis"
"""… for numbers without a known meaning."""

POSITIVE = "#b2182b"
NEGATIVE = "#2166ac"

SERIES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
AREAS: tuple[str, ...] = (
    "#4477aa",
    "#66ccee",
    "#228833",
    "#ccbb44",
    "#ee6677",
    "#aa3377",
    "#999999",
)
AREAS += ("#dd8833", "#55aa99")
"""… of areas that carry text, such as one for each of nine shared weights."""

DASHES = ("-", "--", ":", "-.")


@dataclass(frozen=True)
class Surface:
    """The colours of a page's theme.

    Attributes:
        paper: the ground that text is on.
        pane: the ground of what stands apart: the side bar, code.
        ink: text.
        muted: text and lines of less weight: captions, axes, frames.
        line: rules between rows and around boxes.
        accent: links, the chosen entry, the cursor.
        highlight: the ground of what is looked at now.
        holds: a claim that holds.
        fails: a claim that does not hold; warnings.
    """

    paper: str
    pane: str
    ink: str
    muted: str
    line: str
    accent: str
    highlight: str
    holds: str
    fails: str


LIGHT = Surface(
    paper="#fdfdfb",
    pane="#f3f3ef",
    ink="#1d2127",
    muted="#5b6470",
    line="#dcdcd4",
    accent="#0b6bcb",
    highlight="#fff3c4",
    holds="#00706b",
    fails="#b5400a",
)
DARK = Surface(
    paper="#15181d",
    pane="#1d2127",
    ink="#e4e6ea",
    muted="#a0a8b4",
    line="#333a44",
    accent="#6db3f8",
    highlight="#4a4114",
    holds="#4fd0c0",
    fails="#ff9a6b",
)

SHEET = "#ffffff"
"""The ground of figures, in both themes."""

VEIL = "#000000"
"""What is laid over a picture so that text on it can be read: `ON_VEIL`."""

ON_VEIL = "#ffffff"


def series(number: int) -> tuple[str, str]:
    """Return the colour and the line style of a chart's line, by the line's number."""
    return SERIES[number % len(SERIES)], DASHES[number // len(SERIES) % len(DASHES)]
