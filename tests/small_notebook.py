"""A notebook of two cells that runs in a few seconds, and what a run of it printed."""

import nbformat

NOTEBOOK = """\
# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% tags=["parameters"]
d = 3  # dimension; [1, 100]
eta = (
    0.1  # step size
)
name = "plain"  # a word
flag = True  # a switch

# %%
import os

print(d, eta, name, flag, os.path.basename(os.getcwd()))

# %% tags=["nbval-check-output"]
assert d < 9, "d is too large"
print(d + 1)
"""


def printed(run):
    cells = nbformat.read(run, as_version=4).cells
    return "".join(output.get("text", "") for cell in cells for output in cell.get("outputs", []))
