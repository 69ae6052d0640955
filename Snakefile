"""The map of the book: what is made from what. Nothing else schedules, caches or resumes anything."""

import json
import os
import shlex
import signal
from pathlib import Path

import yaml

from a2a.book.inputs import package_files, required_versions, versions
from a2a.dialogue.records import study_names

CHAPTERS = yaml.safe_load(Path("chapters.yml").read_text())
VARIANTS = {
    f"{name}--{variant}": parameters
    for name, chapter in CHAPTERS.items()
    for variant, parameters in chapter.get("variants", {}).items()
}
LONG = [name for name, chapter in CHAPTERS.items() if chapter.get("long")]
HEADLINE = next(name for name, chapter in CHAPTERS.items() if "headline" in chapter)
EXECUTED = expand("notebooks/{name}.ipynb", name=CHAPTERS)
GENERATED = [f"_build/generated/{name}" for name in ("claims.html", "claims.json", "status.md", "equilibrium.png")]
STUDIES = study_names(Path("conversations"))
CONVERSATIONS = expand("_build/generated/conversations/{study}.js", study=STUDIES)
GENERATED += ["_build/generated/conversations.html"] * bool(STUDIES)
VARIANT_PAGES = expand("_build/variants/{run}.html", run=VARIANTS)
EXTENSIONS = yaml.safe_load(Path("_config.yml").read_text())["sphinx"]["extra_extensions"]
README_PICTURE = "book/images/equilibrium.png"  # the one file in book/ that is made
SITE = Path("_build/site.txt")  # the files of the built site
if SITE.exists() and not all(map(os.path.exists, SITE.read_text().splitlines())):
    SITE.unlink()  # one of them is gone: without its list the site is built again


def scripts(wildcards):
    """What runs for a chapter: its text, and what runs it."""
    return f"notebooks/{wildcards.name}.py", "a2a/book/execute.py"


def recordings(wildcards):
    return files_in(CHAPTERS[wildcards.name].get("data", ()))


def files_in(folders):
    files = (file for folder in folders for file in Path(folder).iterdir())
    return sorted(str(file) for file in files if file.is_file() and file.suffix != ".lock")


def options(parameters):
    return " ".join(f"-p {name} {shlex.quote(str(value))}" for name, value in parameters.items())


wildcard_constraints:
    name=r"\d+_[^\W_]\w*?",
    variant=r"\w+",


onstart:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)  # Snakemake would wait for its chapters, which a2a.book.build ends


rule book:
    input:
        SITE,
        EXECUTED,  # asked for by name, as what follows: else one that is gone isn't missed
        GENERATED,
        CONVERSATIONS,
        VARIANT_PAGES,


rule site:
    input:
        EXECUTED,
        GENERATED,
        [str(page) for page in Path("book").rglob("[!.]*") if page.is_file() and str(page) != README_PICTURE],
        ["_config.yml", "_toc.yml", "constraints.txt", "CONTRIBUTING.md"],
        variants=VARIANT_PAGES,
        conversations=CONVERSATIONS,
    output:
        "_build/html/index.html",
        site=SITE,
    params:
        libraries=lambda wildcards: required_versions(["jupyter-book", *EXTENSIONS]),
    shell:
        "rm -rf _build/html && "
        "jupyter-book build . -W -n --keep-going --quiet && "
        "cp _build/generated/claims.json _build/html && "
        "mkdir -p _build/html/variants _build/html/book/conversations && "
        "for page in {input.variants}; do cp $page _build/html/variants; done && "
        "for study in {input.conversations}; do cp $study _build/html/book/conversations; done && "
        "find _build/html -type f > {output.site}"


rule execute:
    input:
        lambda wildcards: package_files(*scripts(wildcards)),
        recordings,
        "constraints.txt",
        notebook="notebooks/{name}.py",
    output:
        "notebooks/{name}.ipynb",
    threads: lambda wildcards: CHAPTERS[wildcards.name].get("threads", 1)
    params:
        libraries=lambda wildcards: versions(*scripts(wildcards)),
        running="_build/running/{name}.ipynb",  # stays, traceback and all, when a cell fails
        chosen="",
    shell:
        "a2a run {input.notebook} -o {params.running} --no-page {params.chosen} && "
        "mv {params.running} {output}"


use rule execute as execute_long with:
    wildcard_constraints:
        name="|".join(LONG),
    priority: 1


ruleorder: execute_long > execute


use rule execute as variant with:
    output:
        "_build/variants/{name}--{variant}.ipynb",
    params:
        libraries=lambda wildcards: versions(*scripts(wildcards)),
        running="_build/running/{name}--{variant}.ipynb",
        chosen=lambda wildcards: options(VARIANTS[f"{wildcards.name}--{wildcards.variant}"]),


rule variant_page:
    input:
        lambda wildcards: package_files("a2a/book/page.py"),
        expand("notebooks/{name}.py", name=CHAPTERS),
        [str(page) for page in Path("book").rglob("[!.]*") if page.is_file() and str(page) != README_PICTURE],
        ["_config.yml", "_toc.yml", "constraints.txt"],
        executed="_build/variants/{name}--{variant}.ipynb",
    output:
        "_build/variants/{name}--{variant}.html",
    params:
        parameters=lambda wildcards: VARIANTS[f"{wildcards.name}--{wildcards.variant}"],
    run:
        from a2a.book.page import write_page

        notebook = Path(f"notebooks/{wildcards.name}.py").resolve()
        write_page(Path(input.executed).resolve(), notebook, Path(output[0]), params.parameters)


rule claims:
    input:
        lambda wildcards: package_files("a2a/book/claims_page.py"),
        notebooks=EXECUTED,
        statements="book/claims.yml",
    output:
        page="_build/generated/claims.html",
        data="_build/generated/claims.json",
    run:
        from a2a.book.claims_page import claims_page
        from a2a.book.collected import claims_json, load_statements

        statements = load_statements()
        found = claims_json(map(Path, input.notebooks), statements)
        Path(output.page).write_text(claims_page(found["claims"], statements))
        Path(output.data).write_text(json.dumps(found, indent=1))


rule conversations:
    input:
        lambda wildcards: package_files("a2a/book/conversations_page.py"),
        lambda wildcards: files_in(["conversations"]),
    output:
        page="_build/generated/conversations.html",
        texts=CONVERSATIONS,
    run:
        from a2a.book.conversations_page import write_conversations

        write_conversations(STUDIES, Path(output.page))


rule status:
    input:
        lambda wildcards: package_files("a2a/book/report.py"),
        notebooks=EXECUTED,
        variants=expand("_build/variants/{run}.ipynb", run=VARIANTS),
    output:
        "_build/generated/status.md",
    run:
        from a2a.book.report import status_table

        Path(output[0]).write_text(status_table([*map(Path, input.notebooks), *map(Path, input.variants)]))


rule headline:
    input:
        lambda wildcards: package_files("a2a/book/report.py"),
        notebook=f"notebooks/{HEADLINE}.ipynb",
    output:
        "_build/generated/equilibrium.png",
    run:
        from a2a.book.report import headline_picture

        Path(output[0]).write_bytes(headline_picture(Path(input.notebook), CHAPTERS[HEADLINE]["headline"]))


rule references:
    input:
        expand("tests/reference/{name}.ipynb", name=CHAPTERS),
        README_PICTURE,


rule reference:
    input:
        lambda wildcards: package_files(*scripts(wildcards)),
        recordings,
        "constraints.txt",
        notebook="notebooks/{name}.py",
    output:
        "tests/reference/{name}.ipynb",
    params:
        libraries=lambda wildcards: versions(*scripts(wildcards)),
        running="_build/running/reference/{name}.ipynb",
        small=lambda wildcards: options(CHAPTERS[wildcards.name]["small"]),
    run:
        from a2a.book.references import as_reference

        shell("a2a run {input.notebook} -o {params.running} --no-page {params.small}")
        as_reference(Path(params.running), Path(output[0]))


rule readme_picture:
    input:
        "_build/generated/equilibrium.png",
    output:
        README_PICTURE,
    shell:
        "cp {input} {output}"
