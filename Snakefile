"""The map of the book: what is made from what. Nothing else schedules, caches or resumes anything."""

import shlex
from modulefinder import ModuleFinder
from pathlib import Path

import yaml

from a2a.claims import collect
from a2a.execute import as_reference
from a2a.report import claims_table, headline_picture, status_table

NAMES = sorted(file.stem for file in Path("notebooks").glob("[0-9]*.py"))
EXECUTED = expand("notebooks/{name}.ipynb", name=NAMES)
SMALL = yaml.safe_load(Path("tests/reference/parameters.yml").read_text())


def package_files(wildcards):
    """The files of a2a that a notebook imports, directly or through others: a change in one of them re-runs it."""
    finder = ModuleFinder(path=["."])
    finder.run_script(f"notebooks/{wildcards.name}.py")
    found = [module.__file__ for name, module in finder.modules.items() if name.split(".")[0] == "a2a"]
    return sorted(str(Path(file)) for file in found)


def recordings(wildcards):
    """What a notebook replays or reads: recorded replies, recorded conversations."""
    folder = {"06": "transcripts", "07": "conversations", "08": "conversations"}.get(wildcards.name[:2])
    return sorted(str(file) for file in Path(folder).iterdir()) if folder else []


rule book:
    input:
        EXECUTED,
        claims="_build/generated/claims.html",
        status="_build/generated/status.md",
        picture="_build/generated/equilibrium.png",
        pages=[str(page) for page in Path("book").rglob("*") if page.suffix in (".md", ".bib", ".css", ".svg")],
        settings=["_config.yml", "_toc.yml"],
    output:
        "_build/html/index.html",
    shell:
        "jupyter-book build . -W -n --keep-going --quiet && test -s {output}"


rule execute:
    input:
        package_files,
        recordings,
        notebook="notebooks/{name}.py",
    output:
        "notebooks/{name}.ipynb",
    threads: lambda wildcards: 2 if wildcards.name.startswith("08") else 1  # it embeds some ten thousand texts
    params:
        running="_build/running/{name}.ipynb",  # stays, traceback and all, when a cell fails
    shell:
        "a2a run {input.notebook} -o {params.running} && mv {params.running} {output}"


rule claims:
    input:
        "a2a/report.py",
        notebooks=EXECUTED,
        statements="book/claims.yml",
    output:
        "_build/generated/claims.html",
    run:
        statements = yaml.safe_load(Path(input.statements).read_text())
        Path(output[0]).write_text(claims_table(statements, collect(map(Path, input.notebooks))))


rule status:
    input:
        "a2a/report.py",
        notebooks=EXECUTED,
    output:
        "_build/generated/status.md",
    run:
        Path(output[0]).write_text(status_table(map(Path, input.notebooks)))


rule headline:
    input:
        "a2a/report.py",
        notebook="notebooks/02_equilibrium.ipynb",
    output:
        "_build/generated/equilibrium.png",
    run:
        Path(output[0]).write_bytes(headline_picture(Path(input.notebook), "equilibrium-headline"))


rule references:
    input:
        expand("tests/reference/{name}.ipynb", name=SMALL),
        "book/images/equilibrium.png",


rule reference:
    input:
        package_files,
        recordings,
        notebook="notebooks/{name}.py",
        parameters="tests/reference/parameters.yml",
    output:
        "tests/reference/{name}.ipynb",
    params:
        running="_build/running/reference/{name}.ipynb",
        small=lambda wildcards: " ".join(
            f"-p {key} {shlex.quote(str(value))}" for key, value in SMALL[wildcards.name].items()
        ),
    run:
        shell("a2a run {input.notebook} -o {params.running} {params.small}")
        as_reference(Path(params.running), Path(output[0]))


rule readme_picture:
    input:
        "_build/generated/equilibrium.png",
    output:
        "book/images/equilibrium.png",
    shell:
        "cp {input} {output}"
