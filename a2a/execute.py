"""Running a notebook, under the name that other people's code imports: see `a2a.book.execute`."""

from a2a.book.execute import execute

__all__ = ["execute"]
