"""What the papers say: an abstract with its soft hyphens and without, a structured one, a body."""

from dataclasses import replace

from tests.papers.setting import BOLD, ITALIC, ROMAN, SOFT, TITLE, Column, Paper

_WRITTEN = (
    "We measure the spec~trum of gamma rays from the inner gal~axy with eight years of data and com~pare it with a "
    "model of anni~hilating dark mat~ter. The excess is sig~nifi~cant at high lati~tudes, and its mor~phology is "
    "spher~ical to within ten per cent; a pop~ulation of unre~solved pul~sars gives a fit that is as good. We show "
    "that the self-consistent treat~ment of point sources changes the nor~mal~isation by less than 20% and leaves "
    "the well-known peak at 2 GeV where it was. Upcom~ing obser~vations in the radio band will decide be~tween the "
    "two expla~nations."
)
DIVIDED = _WRITTEN.replace("~", SOFT)
ABSTRACT = _WRITTEN.replace("~", "")
BODY = (
    "Since the first maps of the whole sky were made, the dif~fuse emis~sion of the galaxy has been stud~ied in ever "
    "more de~tail. Cosmic rays that meet gas and light pro~duce most of it, and what is left must be mod~elled with "
    "care, for small er~rors in the back~ground are large er~rors in the re~mainder. "
).replace("~", SOFT) * 5
INTRODUCTION = replace(BOLD, size=12)


def title(paper: Paper, top: float = 720) -> Column:
    column = paper.column(54, 558, top)
    column.centred("A Spectrum of Gamma Rays from the Inner Galaxy", TITLE).skip(6)
    column.centred("Ada B. Cole and Max Dorn", replace(ROMAN, size=12))
    return column.centred("Department of Physics, University of Somewhere, 12345 Somewhere", ITALIC).skip(12)


def body(*columns: Column, heading: str = "1 Introduction") -> None:
    columns[0].skip(10).line(heading, INTRODUCTION).skip(2)
    for column in columns:
        column.text(BODY, ROMAN, 12)


STRUCTURED = (
    "Background: The spectrum of gamma rays is not well known at high latitudes. Methods: We use eight years of data. "
    "Results: The excess is significant and its form is spherical. Conclusions: Pulsars fit as well as dark matter."
)
