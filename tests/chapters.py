"""The chapters, as chapters.yml lists them, by their names: no test knows a chapter's number."""

from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
CHAPTERS = yaml.safe_load((ROOT / "chapters.yml").read_text())
BY_NAME = {stem.partition("_")[2]: stem for stem in CHAPTERS}


def stem_of(name):
    """The file name, without its suffix, of the chapter of that name."""
    return BY_NAME[name]
