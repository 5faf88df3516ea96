"""What the fair trials say, as the first part of the ledger's page and as a table."""

import csv
import io
import math
import statistics

from sagan_experiments import questions, trials, verdicts, ways

#: How far from 0 effects are drawn, in limits; what lies beyond has a mark at the rim.
FAR = 5

_PART = """## Fair trials

What a reader asks. A run is {protocol}.
Each side trains at its own best pair of rates, found by the same search for every way; the seeds of
that search decide nothing else. What counts is the last half of a run, where its curve has levelled
off. Answers and limits were written down before any of the seeds was run that decide.

Seeds 1 to {first} are the first look; if that leaves a question open, seeds 1 to {second} are the
next and 1 to {last} the last. Each look takes the mean's {percent:.1f} % interval (Student's *t*),
so that all three miss a true mean in at most 5 % of the questions.

- **holds**: the whole interval is beyond the limit;
- **the opposite holds**: it is beyond the limit on the other side;
- **no difference worth naming**: it lies within the limit on both sides;
- **does not hold**: it is short of the limit;
- **undecided**: the limit is inside.

Where the answer is that two sides are alike, it holds if the interval lies within the limit.

In the table the bar is the interval and the dot the mean, counted in limits; in the grey band no
difference is worth naming.

{state}
"""

_SPREAD = """
Between seeds this score spreads by {half:.2f} (standard deviation of its logarithm, a mean over the
four ways at their best), the averaged generator's last distance by {frechet:.2f}, that of the last
weights by {live:.2f}: what steadies a score is the averaged generator.
"""


def told(answer):
    """What the page draws of a question in its row, and shows when that is unfolded.

    Args:
        answer: its `verdicts.Answer`.

    Returns:
        {"quantity", "limit", "mean", "seeds": as readers see them, "row": the interval's low end,
        the mean and the high end in limits, as forest plots have them}.
    """
    question = answer.question
    bound = f"{'below' if question.same else 'above'} {answer.shown(question.limit)}"
    seeds = [answer.shown(x) if math.isfinite(x) else "diverged" for x in answer.values.values()]
    row = [
        round(max(-FAR, min(FAR, x / question.limit)), 2)
        for x in (answer.low, 0 if math.isnan(answer.mean) else answer.mean, answer.high)
    ]
    return {"quantity": question.quantity, "limit": bound, "mean": str(answer), "seeds": seeds,
            "row": row}  # fmt: skip


def answered(store, chapter=None):
    """The questions of which a look is whole: {name: `verdicts.Answer`}.

    Args:
        store: of `trials.open_store`.
        chapter: whose; by default all.
    """
    found = {}
    for name, question in questions.QUESTIONS.items():
        if chapter in (None, question.chapter):
            try:
                answer = verdicts.answer(name, store)
            except ValueError:  # a side's search is not finished
                continue
            if answer.whole:
                found[name] = answer
    return found


def _verdict(answer):
    """The verdict; whether a look is to come, and what doubts it."""
    notes = list(answer.doubts())
    if answer.open and len(answer.values) < len(verdicts.LOOKS[-1]):
        notes.append(f"a look at {_next(answer)} seeds to come")
    return f"**{answer.verdict}**" + (f" ({'; '.join(notes)})" if notes else "")


def _next(answer):
    return next(len(seeds) for seeds in verdicts.LOOKS if len(seeds) > len(answer.values))


def _rates(answer):
    pairs = dict.fromkeys(ways.rates_of(name) for name in answer.trials)
    return "; ".join(" and ".join(f"{1e4 * rate:g}" for rate in pair) for pair in pairs)


def spreads(store):
    """How much scores of one way differ between seeds, a mean over the four ways.

    Args:
        store: of `trials.open_store`, with the first look of each way.

    Returns:
        {"half", "frechet", "live"}: standard deviations of the logarithm, of the last half, of the
        averaged generator at the end, and of the last weights.

    Raises:
        ValueError: as `verdicts.first_look`, or one of the runs diverged.
    """
    look = verdicts.first_look(store).values()
    if any(run["diverged"] for runs in look for run in runs):
        raise ValueError("store must have runs that did not diverge")
    scores = {"half": trials.quality} | {
        name: lambda run, name=name: math.log(run[name]) for name in ("frechet", "live")
    }
    return {name: statistics.fmean(statistics.stdev(map(score, runs)) for runs in look)
            for name, score in scores.items()}  # fmt: skip


def _spread(store):
    try:
        return _SPREAD.format(**spreads(store))
    except ValueError:  # a way's first look is not whole
        return ""


def part(store):
    """The part of claims.md on fair trials, in Markdown, and what its rows unfold: (text, dict).

    Args:
        store: of `trials.open_store`.
    """
    found = answered(store)
    waiting = [q.answer for name, q in questions.QUESTIONS.items() if name not in found]
    looks = verdicts.LOOKS
    text = _PART.format(
        protocol=store.protocol, first=looks[0][-1], second=looks[1][-1], last=looks[2][-1],
        percent=100 * verdicts.CONFIDENCE,
        state=f"{len(found)} of {len(questions.QUESTIONS)} questions have had a look so far, and "
        f"{sum(each.verdict != verdicts.OPEN for each in found.values())} of these have a verdict.",
    ) + _spread(store)  # fmt: skip
    if found:
        head = [
            "answer (`fair:question`)",
            "mean (interval)",
            "rates of G and D, x 1e-4",
            "verdict",
        ]
        text += f"\n| {' | '.join(head)} |\n|{4 * ' --- |'}\n"
        for name, each in found.items():
            cells = (
                f"{each.question.answer} (`fair:{name}`)",
                str(each),
                _rates(each),
                _verdict(each),
            )
            text += f"| {' | '.join(cells)} |\n"
    if waiting:
        text += "\n```{dropdown} Not answered yet\n" + "".join(f"- {each}\n" for each in waiting)
        text += "```\n"
    return text, {f"fair:{name}": told(each) for name, each in found.items()}


def table(store):
    """All answers as CSV, a row for each question; effects as they are counted, logarithms too.

    Args:
        store: of `trials.open_store`.
    """
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["question", "chapter", "answer", "quantity", "logarithm", "same", "limit",
                   "trials", "mean", "low", "high", "verdict", "seeds", "effects"])  # fmt: skip
    found = answered(store)
    for name, question in questions.QUESTIONS.items():
        row = [name, question.chapter, question.answer, question.quantity, question.ratio,
               question.same, f"{question.limit:.6g}"]  # fmt: skip
        if each := found.get(name):
            numbers = (f"{x:.6g}" for x in (each.mean, each.low, each.high))
            effects = " ".join(f"{x:.6g}" for x in each.values.values())
            row += [" ".join(each.trials), *numbers, each.verdict,
                    " ".join(map(str, each.values)), effects]  # fmt: skip
        else:
            row += ["", "", "", "", "not run", "", ""]
        rows.writerow(row)
    return text.getvalue()
