"""The page of every recorded conversation: a list that works by itself, and a script for each study with its texts.

The page loads a study's script when one of its conversations is asked for: a script, since a page that is opened as a
file may load nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from urllib.parse import quote

from a2a.book.conversations import PLAIN, safe
from a2a.book.conversations_script import study_script
from a2a.book.shelf import Shelved, in_words, shelf
from a2a.dialogue.records import part_files
from a2a.loops.labels import Label

FOLDER = "conversations"
"""Where the scripts lie, beside the page; the records are in a folder of that name, too."""

MAIN = "main"
"""The study that comes first."""

READERS = {
    "loop": "a loop",
    "none": "no loop",
    "differ": "they differ",
    "unlabelled": "not labelled",
}
"""What readers may say, and how the page calls it."""


def write_conversations(names: Iterable[str], page: Path) -> None:
    """Write the page of the book's recorded studies, and the scripts into a folder beside it."""
    studies = shelf(sorted(names, key=lambda name: (name != MAIN, name)))
    page.write_text(conversations_page(studies), encoding="utf-8")
    (page.parent / FOLDER).mkdir(exist_ok=True)
    for one in studies:
        (page.parent / FOLDER / f"{one.name}.js").write_text(study_script(one), encoding="utf-8")


def conversations_page(studies: Sequence[Shelved]) -> str:
    """HTML for the book's page: filters, a place for the conversation that is read, and all conversations by study."""
    missing = (
        "<noscript><p>With JavaScript this page shows each conversation with its loops, its distances and its labels, "
        "and finds those that hold a text. Without it here is the list alone; the texts are in the files that it "
        "names.</p></noscript>"
    )
    lists = "\n".join(map(_study, studies))
    return (
        f'<link rel="stylesheet" href="../_static/a2a-conversations.css">\n{_filters(studies)}\n{missing}\n'
        f'<section class="a2a-told {PLAIN}" aria-label="The conversation" hidden></section>\n'
        f'<div class="a2a-shelf {PLAIN}">\n{lists}\n</div>\n'
        '<script src="../_static/a2a-conversations.js" defer></script>\n'
    )


def said_by_readers(labels: Iterable[Label]) -> str:
    """One of READERS."""
    said = {label.loops for label in labels}
    if len(said) == 2:
        return "differ"
    return "unlabelled" if not said else "loop" if said == {True} else "none"


def _filters(studies: Sequence[Shelved]) -> str:
    categories = dict.fromkeys(seed.category for one in studies for seed in one.told.study.seeds)
    choices = [
        _choice("Study", "study", {one.name: one.name for one in studies}),
        _choice("Seed sentence", "category", {name: name for name in categories}),
        _choice("The rule", "rule", {"loop": "a loop", "none": "no loop"}),
        _choice("Readers", "readers", READERS),
    ]
    search = '<label>Text <input type="search" name="text" autocomplete="off" spellcheck="false"></label>'
    said = '<output aria-live="polite"></output>'
    controls = "".join([*choices, search, said])
    return f'<form class="a2a-find" role="search" aria-label="Conversations" hidden>{controls}</form>'


def _choice(label: str, name: str, values: dict[str, str]) -> str:
    options = "".join(f'<option value="{safe(value)}">{safe(text)}</option>' for value, text in values.items())
    return f'<label>{label} <select name="{name}"><option value="">all</option>{options}</select></label>'


def _study(shelved: Shelved) -> str:
    study, loops = shelved.told.study, shelved.judged[0].loops
    pair = " × ".join(model.name.split(" (")[0] for model in study.models)
    count = f"{len(loops)} conversations, {sum(map(bool, loops))} in a loop by the rule"
    about = f'{safe(pair)}; {safe(in_words(study))}; {count}. <a href="{_script(shelved.name)}">The texts as data</a>, '
    files = islice(part_files(Path(FOLDER), shelved.name), max(len(shelved.told.parts), 1))
    about += f"in the book's files {', '.join(f'<code>{safe(str(file))}</code>' for file in files)}."
    items = "\n".join(
        _item(shelved.name, seed.id, seed.category, loops[row], shelved.labels[seed.id])
        for row, seed in enumerate(study.seeds)
    )
    summary = f"<strong>{safe(shelved.name)}</strong> <span>{safe(pair)}</span> <small>{len(loops)}</small>"
    return (
        f'<details data-study="{safe(shelved.name)}"><summary>{summary}</summary>'
        f"<p>{about}</p><ul>\n{items}\n</ul></details>"
    )


def _item(study: str, name: str, category: str, loops: Sequence[range], labels: Sequence[Label]) -> str:
    id, readers = safe(f"{study}/{name}"), said_by_readers(labels)
    found = f"rule {_turns(loops)}" if loops else ""
    if readers != "unlabelled":
        found += f"{' · ' if found else ''}readers {_said(labels, readers)}"
    about = f" <small>{found}</small>" if found else ""
    data = f'data-category="{safe(category)}" data-rule="{"loop" if loops else "none"}" data-readers="{readers}"'
    return f'<li id="{id}" {data}><a href="#{quote(f"{study}/{name}")}">{safe(name)}</a>{about}</li>'


def _said(labels: Sequence[Label], readers: str) -> str:
    """What readers found, in a word; the turns are those of the first who found some."""
    if readers == "none":
        return "no"
    spoken = next(f"{label.onset}–{label.end}" for label in labels if label.loops)
    return f"{spoken} or no" if readers == "differ" else spoken


def _turns(loops: Sequence[range]) -> str:
    return ", ".join(f"{loop[0]}–{loop[-1]}" for loop in loops)


def _script(study: str) -> str:
    return f"{FOLDER}/{quote(study, safe='')}.js"
