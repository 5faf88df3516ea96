"""What is written from results: the book's page claims.md with its tables, and ERRATA.md."""

import csv
import dataclasses
import io
import json
from pathlib import Path

import numpy as np

from sagan_experiments import answers, arms, errata, ledger, trials
from sagan_experiments.claims import CLAIMS
from sagan_lib import shipped

_HEAD = """# The ledger of claims

<!-- Written by `python -m sagan_experiments claims report`; do not edit. -->

Each statement about training is an experiment: code says what is trained, what is measured, and the
smallest effect worth naming, the *limit*. The verdict follows by rule from the mean over seeds.
All is in tables: {{download}}`fair trials <../{answers}>`, {{download}}`earlier claims
<../{claims}>`, {{download}}`what was trained for these <../{arms}>`.

Sort by a click on a column's head; *seeds* shows what was measured, the limit, and every seed.

<div class="touch" data-touch="ledger"><script type="application/json">{data}</script></div>

{fair}
## Measured, not raced

These are about one network or one step, whatever the rates. Limits were set after a look at seed
0, which decides nothing. Seeds 1 to {first} are the first look; for what is undecided then seeds 1
to {second} are the last. The intervals have {percent:g} %, so that both miss a true mean in at most
{miss:g} % of the claims.

{measured}
## Earlier: who starts fast

Before the fair trials this book compared short runs: {protocol},
a SAGAN without attention, SN in both networks, hinge loss, rates {g} and {d}, but for
what a claim names. Such a verdict says who starts fast at those rates, not who ends best:
{{ref}}`longer-look` shows how the order changes. {trained} of them are kept
{{download}}`in a file <../{claims}>`; where a chapter still quotes one, it says that it is of short
runs.
"""

_FOOT = """
## Run it yourself

```sh
python -m sagan_experiments questions run sn-r1  # answer a question, searches for rates included
python -m sagan_experiments questions list       # the fair trials' table, in the terminal
python -m sagan_experiments claims list          # all others, in the terminal
python -m sagan_experiments claims check         # measure the fast ones again, compare the verdicts
```

Every run is stored in `data/results/{fair_file}` or `{file}`, with the definition of its arm: an
arm that is defined anew is run anew. What is not of the trials: {provenance}.
"""

#: Where `write` puts what, below the repository.
PAGE, ERRATA = Path("chapters/claims.md"), Path("ERRATA.md")
CLAIMS_TABLE, ARMS_TABLE = Path("data/results/claims.csv"), Path("data/results/arms.csv")
ANSWERS_TABLE = Path("data/results/answers.csv")


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


def _markdown(head, rows):
    lines = (f"| {' | '.join(row)} |\n" for row in (head, ["---"] * len(head), *rows))
    return "".join(lines)


def table(results):
    """The ledger's rows as Markdown.

    Args:
        results: {name: `ledger.Result`}.
    """
    head = ["statement (claim)", f"mean ({100 * ledger.CONFIDENCE:g} % interval)", "verdict"]
    rows = ([f"{result.claim.says} (`{name}`)", str(result), f"**{_verdict(result)}**"]
            for name, result in results.items())  # fmt: skip
    return _markdown(head, rows)


def _told(result):
    """What the page shows of a claim when its row is unfolded, each number as readers see it."""
    claim = result.claim
    return {"quantity": claim.quantity, "limit": _limit(result), "mean": str(result),
            "seeds": [result.shown(value) for value in result.counted]}  # fmt: skip


def _csv(head, rows):
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([head, *rows])
    return text.getvalue()


def claims_table(results):
    """All of the ledger as CSV, a row for each claim; effects as they are counted, logarithms too.

    Args:
        results: {name: `ledger.Result`}.
    """
    head = ["claim", "chapter", "statement", "where", "quantity", "logarithm", "below", "limit",
            "mean", "low", "high", "verdict", "seeds", "effects"]  # fmt: skip
    rows = []
    for name, found in results.items():
        claim = found.claim
        numbers = (f"{x:.6g}" for x in (claim.limit, found.mean, found.low, found.high))
        rows.append([
            name, claim.chapter, claim.says, claim.where, claim.quantity, claim.ratio, claim.below,
            *numbers, found.verdict, " ".join(map(str, found.seeds)),
            " ".join(f"{x:.6g}" for x in found.counted),
        ])  # fmt: skip
    return _csv(head, rows)


def arms_table(store):
    """What was trained, as CSV: how each arm differs from the default, and its median scores.

    Medians are over the seeds that count. Agreement is that of both eyes, or of both discs, beyond
    chance. A Fréchet distance stands beside those of arms with the same data and resolution only.

    Args:
        store: a `store.Store`.
    """
    plain, rows = dataclasses.asdict(arms.ARMS["base"]), []
    for name, arm in arms.ARMS.items():
        changed = ((k, v) for k, v in dataclasses.asdict(arm).items() if v != plain[k])
        (runs,) = ledger.runs(name, store=store)
        found = ([run[key] for run in runs if key in run] for key in
                 ("frechet", "agreement" if arm.discs else "eye_agreement"))  # fmt: skip
        medians = (f"{np.median(values):.4g}" if values else "" for values in found)
        rows.append([name, ", ".join(f"{k}={v!r}" for k, v in changed), *medians])
    return _csv(["arm", "how it differs from base", "Fréchet distance", "agreement"], rows)


def claims_page(store, fair=None):
    """The text of claims.md.

    Args:
        store: a `store.Store` of the claims.
        fair: of `trials.open_store`; by default the published one.
    """
    fair = fair or trials.open_store()
    part, unfolded = answers.part(fair)
    measured = {name: ledger.result(name, store) for name, claim in CLAIMS.items() if claim.measure}
    base = arms.ARMS["base"]
    text = _HEAD.format(
        g=base.g_rate, d=base.d_rate, protocol=store.protocol, first=ledger.FIRST[-1],
        second=ledger.SECOND[-1], percent=100 * ledger.CONFIDENCE,
        miss=200 * (1 - ledger.CONFIDENCE), trained=len(CLAIMS) - len(measured),
        claims=CLAIMS_TABLE, arms=ARMS_TABLE, answers=ANSWERS_TABLE, fair=part,
        measured=table(measured),
        data=json.dumps(unfolded | {name: _told(found) for name, found in measured.items()},
                        ensure_ascii=False, separators=(",", ":")),
    )  # fmt: skip
    made = store.data["provenance"][-1] if store.data["provenance"] else {}
    machine, versions = made.get("machine", {}), made.get("versions", {})
    provenance = (
        f"TensorFlow {versions.get('tensorflow')}, Keras {versions.get('keras')}, "
        f"{machine.get('cores')} cores {machine.get('processor')}, {made.get('date')}"
    )
    return text + _FOOT.format(
        file=store.path.name, fair_file=fair.path.name, provenance=provenance
    )


def errata_page(store):
    """The text of ERRATA.md, with links as the repository has them."""
    text = (
        "# Errata of the article\n\n"
        "<!-- Written by `python -m sagan_experiments claims report`; do not edit. -->\n\n"
        "The book grew from one article, whose code is "
        "[here](https://github.com/sthalles/blog-resources). It is a good guide, and both have "
        "mistakes. Each is told with what is right, with the test that would fail if this book's "
        "library made it, and with what it changes when trained: in short runs at one pair of "
        "rates. Some are no mistakes: there the article is right, and easily read wrongly.\n\n"
        "[`sagan_experiments/bugs.py`](sagan_experiments/bugs.py) keeps the code's mistakes, each "
        "as a switch that is applied to an ordinary network from outside. The verdicts' rule is in "
        "[the ledger](chapters/claims.md).\n"
    )
    for number in sorted(errata.ERRATA, key=lambda name: int(name[1:])):
        text += _erratum(number, errata.ERRATA[number], store)
    return text


def _erratum(number, erratum, store):
    label = " (easily read wrongly)" if erratum.remark else ""
    text = f"\n## {number}: {erratum.where}{label}\n\n{erratum.says}\n\n"
    text += f"**Right:** {erratum.right}\n\n"
    for name in erratum.claims:
        found = ledger.result(name, store)
        shown = f"{found}: **{found.verdict}**" if found.seeds else "not run"
        text += f"- {found.claim.says} ({found.claim.quantity}) {shown} (`{name}`)\n"
    text += "\n" if erratum.claims else ""
    chapter, (test, _, case) = erratum.chapter, erratum.test.partition("::")
    text += f"Chapter: [{chapter}](chapters/{chapter}.ipynb). "
    return text + f"Test: [`{case or test}`](tests/{test}).\n"


def write(store, folder=None):
    """Write both pages and the tables; returns their paths.

    Args:
        store: a `store.Store`.
        folder: the repository, or another that is to hold them; by default this one.
    """
    folder = Path(folder or shipped.root())
    results = {name: ledger.result(name, store) for name in CLAIMS}
    texts = {PAGE: claims_page(store), ERRATA: errata_page(store),
             CLAIMS_TABLE: claims_table(results), ARMS_TABLE: arms_table(store),
             ANSWERS_TABLE: answers.table(trials.open_store())}  # fmt: skip
    for path, text in texts.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        with shipped.replacing(folder / path) as part:
            part.write_text(text, encoding="utf-8")
    return [folder / path for path in texts]
