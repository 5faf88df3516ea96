"""What is written from results: the book's page claims.md, and ERRATA.md beside the README."""

import dataclasses
from pathlib import Path

import numpy as np

from sagan_experiments import arms, errata, ledger
from sagan_experiments.claims import CHAPTERS, CLAIMS
from sagan_lib import shipped

_HEAD = """# The ledger of claims

<!-- Written by `python -m sagan_experiments claims report`; do not edit. -->

Each statement that the article makes about training is an experiment here. Code says what is
trained and what is measured, and the smallest effect worth naming, the *limit*. Limits were set
after a look at seed 0, so seed 0 decides nothing.

Seeds 1 to {first} are the first look at a claim. Where it leaves the claim undecided, seeds 1 to
{second} are the second look. There is no third. The verdict follows by rule from the mean effect
and its {percent:g} % interval (Student's *t*, over seeds):

- **holds**: the whole interval is beyond the limit;
- **does not hold here**: the whole interval is short of it;
- **the opposite holds**: the whole interval is beyond the limit on the other side;
- **undecided**: the limit is inside.

Ratios and errors are averaged as logarithms. Two looks of {percent:g} % miss a true mean in at most
{miss:g} % of the claims: with {total} claims, expect that about {missed:.1f} intervals do.

"Here" is a small scale: faces of {resolution} pixels, networks of width {width}, {steps} steps of
{batch_size} images. A technique that does not pay here may pay at a larger one. Compared runs share
seeds: same images, same noise, and the same first weights up to the first layer in which they
differ.

The default run is a SAGAN without attention: SN in both networks, hinge loss, rates {g} and {d}.

```{{admonition}} Short runs, one pair of rates
:class: warning
So these are verdicts on who starts fast at the rates named, not on who ends best.
{{ref}}`longer-look` shows how the order changes. The trials that will replace them take each way at
its own best rates, for longer: `python -m sagan_experiments questions list`.
```

Scores are taken from {images} images of the averaged generator. The Fréchet distance is in the
feature space of the book's judge, against {reference} faces. It is a ratio of two runs' distances
wherever a claim compares them; a ratio above 1 is in the claim's favour.

{summary}
{waiting}Click on a column's head to sort by it, on *seeds* to see the effect of each.

<div class="touch" data-touch="ledger"></div>
"""

_ARMS = """
## What was trained

Each *arm* is one way to train: the default run with the changes named here (`arms.Arm` tells the
words). Scores are medians over the seeds that count: 1 to {second} where all of them were run, else
1 to {first}. Agreement is that of both eyes, or of both discs, beyond chance (Cohen's kappa): 1
always, 0 as if drawn apart. A Fréchet distance stands beside those of arms with the same data and
resolution only.

"""

_FOOT = """
## Run it yourself

```sh
python -m sagan_experiments claims list          # this table, in the terminal
python -m sagan_experiments claims run ttur      # compute what a claim still lacks
python -m sagan_experiments claims check         # measure the fast ones again, compare the verdicts
```

One machine is the default. Where there are several, Dask hands the runs out (`pip install -e
'.[cluster]'` on each). A worker that is lost costs only what it was computing:

```sh
dask scheduler                                                       # on one of them
OMP_NUM_THREADS=1 dask worker tcp://ADDRESS:8786 --nworkers 2 --nthreads 1    # on each
python -m sagan_experiments claims run --scheduler tcp://ADDRESS:8786
```

Every run is stored in `data/results/{file}`, with the definition of its arm. An arm that is
defined anew is run anew. A test measures the fast claims again and fails when a verdict changes.

These results: {provenance}.
"""


def _limit(result):
    claim = result.claim
    return f"{'below' if claim.below else 'above'} {result.shown(claim.limit)}"


def _verdict(result):
    """The verdict in words; what an undecided claim would take, and whether a look is to come."""
    if not result.seeds:
        return "not run"
    if result.verdict != ledger.OPEN:
        return result.verdict
    if len(result.seeds) < len(ledger.FIRST):
        return f"{result.verdict} (first look to come)"
    seeds = f"about {result.needed}" if result.needed else "more than 1,000"
    waits = "" if len(result.seeds) == len(ledger.SECOND) else "; second look to come"
    return f"{result.verdict} ({seeds} seeds would decide it{waits})"


def _row(name, result, brief):
    claim, verdict = result.claim, _verdict(result)
    if brief:
        return [f"{claim.says} (`{name}`)", str(result), f"**{verdict}**"]
    effect = f"{claim.quantity}; {_limit(result)}"
    return [f"{claim.says} (`{name}`; {claim.where})", effect, str(result), f"**{verdict}**"]


def _markdown(head, rows):
    lines = (f"| {' | '.join(row)} |\n" for row in (head, ["---"] * len(head), *rows))
    return "".join(lines)


def table(results, brief=False):
    """The ledger's rows as Markdown.

    Args:
        results: {name: `ledger.Result`}.
        brief: without effect and limit.
    """
    first = (
        ["statement (claim)"] if brief else ["statement (claim; where it stands)", "effect; limit"]
    )
    head = [*first, f"mean ({100 * ledger.CONFIDENCE:g} % interval)", "verdict"]
    return _markdown(head, (_row(name, result, brief) for name, result in results.items()))


def _difference(arm):
    """The fields in which an arm is not the default one, as code says them."""
    plain = dataclasses.asdict(arms.ARMS["base"])
    changed = {k: v for k, v in dataclasses.asdict(arm).items() if v != plain[k]}
    return f"`{', '.join(f'{k}={v!r}' for k, v in changed.items())}`" if changed else "not at all"


def arms_table(store):
    """The arms as Markdown: how each differs from the default, and its median scores."""
    rows = []
    for name, arm in arms.ARMS.items():
        (runs,) = ledger.runs(name, store=store)
        found = ([run[key] for run in runs if key in run] for key in
                 ("frechet", "agreement" if arm.discs else "eye_agreement"))  # fmt: skip
        medians = (f"{np.median(values):.4g}" if values else "-" for values in found)
        rows.append([f"`{name}`", _difference(arm), *medians])
    return _markdown(["arm", "how it differs", "Fréchet distance", "agreement"], rows)


def _seeds(item):
    name, result = item
    return [f"`{name}`", ", ".join(map(result.shown, result.counted))]


def _waiting(results):
    """A sentence on the undecided claims whose second look is still to come; "" if none is."""
    last = ledger.SECOND[-1]
    count = sum(r.verdict == ledger.OPEN and len(r.seeds) < last for r in results)
    if not count:
        return ""
    return (
        f"Of the undecided claims {count} still wait for their second look: fewer than {last} of "
        "their seeds\nwere run.\n\n"
    )


def claims_page(store):
    """The text of claims.md."""
    results = {name: ledger.result(name, store) for name in CLAIMS}
    base, counts = arms.ARMS["base"], ledger.summary(store)
    text = _HEAD.format(
        total=len(results), g=base.g_rate, d=base.d_rate, **dataclasses.asdict(store.protocol),
        first=ledger.FIRST[-1], second=ledger.SECOND[-1], percent=100 * ledger.CONFIDENCE,
        miss=200 * (1 - ledger.CONFIDENCE), missed=2 * (1 - ledger.CONFIDENCE) * len(results),
        summary=_markdown(["verdict", "claims"], ([v, str(n)] for v, n in counts.items())),
        waiting=_waiting(results.values()),
    )  # fmt: skip
    for chapter, title in CHAPTERS.items():
        mine = ledger.of_chapter(chapter, store)
        text += f"\n## {title}\n\nThe chapter: {{doc}}`{chapter}`. "
        text += "Tests: `tests/sagan_experiments/test_ledger.py`, one by one with "
        text += f"`-k {next(iter(mine))}`.\n\n"
        text += table(mine)
        seeds = _markdown(
            ["claim", "effects of the seeds that count, from 1 on"], map(_seeds, mine.items())
        )
        text += f"\n```{{dropdown}} Every seed\n{seeds}```\n"
    text += _ARMS.format(first=ledger.FIRST[-1], second=ledger.SECOND[-1]) + arms_table(store)
    made = store.data["provenance"][-1] if store.data["provenance"] else {}
    machine, versions = made.get("machine", {}), made.get("versions", {})
    provenance = (
        f"TensorFlow {versions.get('tensorflow')}, Keras {versions.get('keras')}, "
        f"{machine.get('cores')} cores {machine.get('processor')}, {made.get('date')}"
    )
    return text + _FOOT.format(file=store.path.name, provenance=provenance)


def errata_page(store):
    """The text of ERRATA.md, with links as the repository has them."""
    text = (
        "# Errata of the article\n\n"
        "<!-- Written by `python -m sagan_experiments claims report`; do not edit. -->\n\n"
        "The book grew from one article, whose code is "
        "[here](https://github.com/sthalles/blog-resources). It is a good guide, and both have "
        "mistakes. Each is told with what is right, with the test that would fail if this book's "
        "library made it, and with what it changes when trained. The numbers are kept, so "
        "places that are right and only easily read wrongly are apart.\n\n"
        "[`sagan_experiments/bugs.py`](sagan_experiments/bugs.py) keeps the code's mistakes, each "
        "as a switch that is applied to an ordinary network from outside. The verdicts' rule is in "
        "[the ledger](chapters/claims.md).\n"
    )
    for title, remark in (("Mistakes", False), ("Easily read wrongly", True)):
        text += f"\n## {title}\n"
        for number, erratum in errata.ERRATA.items():
            text += _erratum(number, erratum, store) if erratum.remark == remark else ""
    return text


def _erratum(number, erratum, store):
    text = f"\n### {number}: {erratum.where}\n\n{erratum.says}\n\n**Right:** {erratum.right}\n\n"
    for name in erratum.claims:
        found = ledger.result(name, store)
        shown = f"{found}: **{found.verdict}**" if found.seeds else "not run"
        text += f"- {found.claim.says} ({found.claim.quantity}) {shown} (`{name}`)\n"
    text += "\n" if erratum.claims else ""
    chapter, (test, _, case) = erratum.chapter, erratum.test.partition("::")
    text += f"Chapter: [{chapter}](chapters/{chapter}.ipynb). "
    return text + f"Test: [`{case or test}`](tests/{test}).\n"


def write(store, folder=None):
    """Write both; returns their paths.

    Args:
        store: a `store.Store`.
        folder: the repository, or another that is to hold them; by default this one.
    """
    folder = Path(folder or shipped.root())
    paths = folder / "chapters" / "claims.md", folder / "ERRATA.md"
    for path, text in zip(paths, (claims_page(store), errata_page(store)), strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return paths
