"""The interactive pieces: each does what it says, in a real browser, and equals Python's numbers.

The browser is the system's Chromium; where there is none, these tests are skipped and say so.
"""

import itertools
import re
import sys
from pathlib import Path

import numpy as np
import pytest

from sagan_experiments import answers, ledger, trials
from sagan_lib import sampling
from sagan_lib.cli import publish, runs
from sagan_lib.datasets.faces import numbers_of
from sagan_lib.datasets.source import to_bytes
from sagan_lib.evaluation import judge
from sagan_lib.evaluation.maps import cut, with_map

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "_book" / "ext"))

import touch

pytestmark = pytest.mark.full

ROOT = Path(__file__).resolve().parent.parent
HTML, STATIC = ROOT / "_build" / "html", ROOT / "_book" / "static" / "touch"
EYES = {"left": (0.51, 0.36), "right": (0.51, 0.64)}


def eyes_cut(weights):
    for one, other in (("left", "right"), ("right", "left")):
        weights = cut(weights, EYES[one], EYES[other])
    return weights


@pytest.fixture(scope="module")
def opened(chromium):
    """A function that opens a page of the book and gives it once its pieces are ready."""
    pages = {}

    def get(name):
        if name not in pages:
            page = chromium.new_page(viewport={"width": 1280, "height": 900})
            page.goto((HTML / f"{name}.html").as_uri())
            page.wait_for_selector(".touch[data-ready]", timeout=60_000, state="attached")
            pages[name] = page
        return pages[name]

    yield get
    for page in pages.values():
        page.close()


def bare(chromium, tmp_path, names):
    """A page that has some scripts and nothing else."""
    page = chromium.new_page()
    scripts = "".join(f'<script src="{(STATIC / name).as_uri()}"></script>' for name in names)
    (tmp_path / "bare.html").write_text(f"<!doctype html>{scripts}")
    page.goto((tmp_path / "bare.html").as_uri())
    return page


def piece(page, name):
    return page.locator(f".touch[data-touch={name}]")


def pixels(place):
    """What a canvas shows: its bytes, as a list."""
    return place.evaluate("""canvas => Array.from(
        canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data)""")


def slide(place, value):
    place.evaluate(
        "(input, value) => { input.value = value; input.dispatchEvent(new Event('input')); }", value
    )


def test_a_page_loads_the_scripts_of_its_pieces_and_no_others():
    place = '<div class="touch" data-touch="{}">'
    assert touch.scripts("<p>nothing to touch</p>") == []
    assert touch.scripts(place.format("power")) == ["touch.js", "power.js"]
    both = touch.scripts(place.format("faces") + place.format("attention"))
    assert len(both) == len(set(both))
    assert both.index("network.js") < both.index("faces.js") < both.index("attention.js")
    with pytest.raises(ValueError, match=r"data-touch must be one of .* got 'nothing'"):
        touch.scripts(place.format("nothing"))
    for names in touch.SCRIPTS.values():
        assert all((STATIC / name).is_file() for name in names)


def test_the_browsers_network_draws_reads_and_cuts_as_python_does(chromium, tmp_path):
    generator = runs.generator()
    z = np.concatenate([sampling.latent(1, 64, seed=seed).numpy() for seed in range(20)])
    page = bare(chromium, tmp_path, touch.NETWORK)
    page.evaluate("() => Network.start()")
    drawing = """([z, gamma, eyes]) => {
        const change = eyes && Network.cut([[eyes.left, eyes.right], [eyes.right, eyes.left]]);
        const { images } = Network.draw(z, { gamma, change });
        return [Array.from(images.dataSync()), Network.read(images)];
    }"""
    plain = generator(z, training=False).numpy()
    changed = with_map(generator, z, eyes_cut).numpy()
    layer = generator.get_layer("attention")
    trained = float(layer.gamma)
    for gamma, eyes in ((None, None), (None, EYES), (0, None)):
        drawn, read = page.evaluate(drawing, [z.tolist(), gamma, eyes])
        expected = changed if eyes else plain
        if gamma == 0:
            layer.gamma.assign(0.0)
            expected = generator(z, training=False).numpy()
            layer.gamma.assign(trained)
        there = to_bytes(np.reshape(drawn, (20, 64, 64, 3))).astype(int)
        assert np.abs(there - to_bytes(expected)).max() <= 2
        here = judge.read(expected)
        for name, values in read.items():
            assert np.mean(np.array(values) == getattr(here, name)) >= 0.95, name
    assert np.abs(to_bytes(plain).astype(int) - to_bytes(changed)).max() > 20, "the cut is seen"
    page.close()


def test_the_browser_draws_to_order_and_reads_as_python_does(chromium, tmp_path):
    model = publish.published("order32")
    z = sampling.latent(40, 32, seed=3).numpy()
    y = model.labels.vectors(model.labels.numbers(40, seed=3))
    page = bare(chromium, tmp_path, touch.ORDER)
    page.evaluate("() => Network.start()")
    drawn, read = page.evaluate(
        """([z, y]) => {
            const images = Network.order(z, y);
            return [Array.from(images.dataSync()), Network.read(images)];
        }""",
        [z.tolist(), y.tolist()],
    )
    page.close()
    expected = model.ema_generator([z, y], training=False).numpy()
    there = to_bytes(np.reshape(drawn, expected.shape)).astype(int)
    assert np.abs(there - to_bytes(expected)).max() <= 2
    here = judge.read(expected)
    for name, values in read.items():
        assert np.mean(np.array(values) == getattr(here, name)) >= 0.95, name


def test_the_browsers_noise_is_normal_and_truncation_cuts_it(chromium, tmp_path):
    page = bare(chromium, tmp_path, ["noise.js"])
    rows = "([seed, cut]) => Noise.rows(Noise.quantiles(500, 64, seed), cut)"
    free, same, cut_off, other = (
        np.array(page.evaluate(rows, arguments))
        for arguments in ([1, None], [1, None], [1, 0.5], [2, None])
    )
    page.close()
    np.testing.assert_array_equal(free, same)
    assert np.abs(free - other).max() > 1
    assert np.isfinite(free).all()
    assert abs(free.mean()) < 0.02
    assert abs(free.std() - 1) < 0.02
    assert abs(np.mean(np.abs(free) < 1) - 0.6827) < 0.01
    assert np.abs(cut_off).max() < 0.5 + 1e-5
    assert (np.sign(cut_off) == np.sign(free)).all(), "the same direction, shorter"


def test_faces_are_drawn_anew_truncated_and_walked_between(opened):
    live = piece(opened("chapters/00_intro"), "faces")
    first, walk = live.locator("canvas").first, live.locator("canvas").nth(9)
    assert live.locator(".touch-still").count() == 0
    before = pixels(first)
    live.get_by_role("button", name="New faces").click()
    drawn = pixels(first)
    assert drawn != before
    ends = [pixels(live.locator("canvas").nth(k)) for k in (8, 10)]
    along = live.get_by_label("walk")
    for value, end in zip((0, 1), ends, strict=True):
        slide(along, value)
        assert np.abs(np.subtract(pixels(walk), end)).max() <= 2
    slide(live.get_by_label("truncation"), 0.1)
    assert pixels(first) != drawn
    assert live.locator("output").first.inner_text() == "0.1"


def test_faces_come_as_they_are_ordered(opened):
    page = opened("chapters/07_conditional")
    live = piece(page, "order")
    faces, notes = live.locator("canvas"), live.locator(".note")
    said, hair = live.locator("p.said"), live.get_by_role("group", name="hair", exact=True)
    assert (faces.count(), live.get_by_role("group").count()) == (8, 5)

    def counted():
        told = re.fullmatch(
            r"The judge reads (\d+) of 40 labels as ordered, and (\d) of 8 faces in all 5\.",
            said.inner_text(),
        )
        return int(told[1]), int(told[2])

    def whole():
        return sum(note == "✓ as ordered" for note in notes.all_inner_texts())

    seen = {}
    hair.get_by_label("black").check()
    for name in ("black", "brown", "blond", "red", "grey"):
        assert hair.get_by_label(name).is_checked()
        seen[name] = pixels(faces.first)
        labels, complete = counted()
        assert complete == whole()
        assert labels >= 30, "far from chance"
        page.keyboard.press("ArrowRight")
    assert len(set(map(tuple, seen.values()))) == 5
    assert hair.get_by_label("black").is_checked(), "the keys go round"
    assert pixels(faces.first) == seen["black"], "the noise stays"
    live.get_by_role("button", name="New faces").click()
    assert pixels(faces.first) != seen["black"]
    assert hair.get_by_label("black").is_checked()


def test_what_stands_beside_a_face_is_what_python_reads_of_it(opened):
    page, model = opened("chapters/07_conditional"), publish.published("order32")
    live = piece(page, "order")
    noise = np.float32(page.evaluate("() => Noise.rows(Noise.quantiles(8, 32, 1), null)"))
    page.reload()
    page.wait_for_selector(".touch[data-ready]", timeout=60_000, state="attached")
    order = {factor: names[-1] for factor, names in model.labels.factors.items()}
    for place, name in enumerate(order.values()):
        live.get_by_role("group").nth(place).get_by_label(name, exact=True).check()
    asked = model.labels.numbers(8, order)
    images = model.ema_generator([noise, model.labels.vectors(asked)], training=False).numpy()
    right = (numbers_of(judge.read(images), model.labels) == asked).all(1)
    told = [note == "✓ as ordered" for note in live.locator(".note").all_inner_texts()]
    assert told == right.tolist()
    page.evaluate("""() => {
        const read = Network.read;
        Network.read = (images) =>
            ({ ...read(images), hair: Array(8).fill(0), right_iris: Array(8).fill(0) });
    }""")
    live.get_by_role("button", name="New faces").click()
    for note in live.locator(".note").all_inner_texts():
        assert note == "✗ hair black, iris turquoise and blue"
    assert "and 0 of 8 faces in all 5." in live.locator("p.said").inner_text()


def test_attention_is_pointed_at_cut_and_counted(opened):
    page = opened("chapters/03_attention")
    live = piece(page, "attention")
    face, looks = live.locator("canvas").nth(0), live.locator("canvas").nth(1)
    said, counted = live.locator("p.said").nth(0), live.locator("p.said").nth(1)
    words, lit = said.inner_text(), pixels(looks)
    face.focus()
    for _ in range(4):
        page.keyboard.press("ArrowUp")
    assert said.inner_text() != words
    assert pixels(looks) != lit
    face.click(position={"x": 10, "y": 10})
    assert said.inner_text().startswith("Row 1, column 1 ")
    shares = {}
    for name in ("as trained", "cut between the eyes", "cut below the eyes"):
        live.get_by_label(name).check()
        live.get_by_role("button", name=re.compile("Count")).click()
        page.wait_for_function("p => p.innerText.includes('as the judge')",
                               arg=counted.element_handle(), timeout=120_000)  # fmt: skip
        found = re.match(rf"{name}, gamma .*: (\d+) of (\d+) faces", counted.inner_text())
        shares[name] = int(found[1]) / int(found[2])
        page.evaluate("p => { p.innerText = ''; }", counted.element_handle())
    others = max(shares["as trained"], shares["cut below the eyes"])
    assert shares["cut between the eyes"] > 5 * max(others, 0.02)
    shown = pixels(face)
    slide(live.get_by_role("slider"), 0)
    assert pixels(face) != shown


def test_power_iteration_goes_round_by_round_to_sigma(opened):
    live = piece(opened("chapters/02_spectral_norm"), "power")
    errors = []
    for rounds in range(9):
        slide(live.get_by_role("slider"), rounds)
        said = live.locator("p.said").inner_text()
        assert said.startswith(f"After {rounds} rounds")
        errors.append(float(re.search(r"([-\d.e+]+) % too low\.", said)[1]))
    assert errors[0] > 10
    assert said.endswith("this is less than 0.01 % too low.")
    assert all(b <= a for a, b in itertools.pairwise(errors))
    assert "ellipse" in live.locator("svg").get_attribute("aria-label")


def test_the_game_stops_circling_at_a_ratio_of_four(opened):
    live = piece(opened("chapters/04_ttur"), "game")
    ratio = live.get_by_role("slider")
    for place in range(int(ratio.get_attribute("max")) + 1):
        slide(ratio, place)
        value = float(live.locator("output").inner_text())
        verb = "circles" if value < 4 else "does not circle"
        said = live.locator("p.said").inner_text()
        assert f"D's rate is {value:g} times G's: the pair {verb}," in said


def test_the_film_is_scrubbed_and_played(opened):
    page = opened("chapters/01_dcgan")
    live = piece(page, "film")
    picture, step = live.locator("img"), live.get_by_role("slider")
    frames = int(step.get_attribute("max")) + 1
    assert frames >= 10
    seen = set()
    for place in range(frames):
        slide(step, place)
        seen.add(picture.get_attribute("src"))
    assert len(seen) == frames
    assert "after 0 steps" not in picture.get_attribute("alt")
    live.get_by_role("button", name="Play").click()
    page.wait_for_function("i => i.value > 1", arg=step.element_handle(), timeout=20_000)
    live.get_by_role("button", name="Stop").click()


def test_the_ledger_is_filtered_sorted_and_unfolded(opened):
    page = opened("chapters/claims")
    live = piece(page, "ledger")
    rows = page.locator("table.ledger tbody tr:visible")
    everything = rows.count()
    tables = {head: page.locator("table.ledger").filter(
        has=page.get_by_role("button", name=re.compile(head))).first
        for head in ("answer", "statement")}  # fmt: skip
    for head, table in tables.items():
        names = table.locator("tbody tr td:first-child").all_inner_texts()
        table.get_by_role("button", name=re.compile(head)).click()
        after = table.locator("tbody tr td:first-child").all_inner_texts()
        assert sorted(names) == sorted(after) != names
    drawn = {row.get_by_role("code").inner_text(): row.locator("svg.forest .bar")
             for row in tables["answer"].locator("tbody tr").all()}  # fmt: skip
    judged = answers.answered(trials.open_store())
    assert drawn.keys() == {f"fair:{name}" for name in judged}
    for name in ("sn-none", "ttur"):
        low, limit = judged[name].low, judged[name].question.limit
        start = float(drawn[f"fair:{name}"].get_attribute("x1"))
        assert start == pytest.approx(60 + 11 * max(-5, low / limit), abs=0.1), name
    live.get_by_label("filter claims by verdict").select_option("holds")
    verdicts = rows.locator("td:last-child").all_inner_texts()
    assert {verdict.split(" (")[0] for verdict in verdicts} == {"holds"}
    said = live.locator(".said").inner_text()
    assert said.startswith(f"{len(verdicts)} of ")
    live.get_by_label("filter claims by verdict").select_option("all verdicts")
    unfolded = {"answer": ("fair:sn-none", judged["sn-none"].values),
                "statement": ("bn-signal", ledger.result("bn-signal").counted)}  # fmt: skip
    for head, (name, counted) in unfolded.items():
        live.get_by_label("filter claims by words").fill(name)
        assert rows.count() == 1 < everything
        button = rows.first.get_by_role("button", name="seeds")
        button.click()
        assert tables[head].locator("tr.seeds circle").count() == len(counted) > 3
        button.click()
        assert page.locator("tr.seeds").count() == 0
