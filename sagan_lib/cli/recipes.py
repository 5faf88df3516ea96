"""Named training runs: data, networks, rates and length of each. `runs` carries them out.

Nothing here needs TensorFlow, so the command line answers at once.
"""

import dataclasses
from dataclasses import dataclass

from sagan_lib import checks

SHIPPED = "faces64"  # the recipe of the generator that comes with the book
TO_ORDER = "order32"  # that of the one that draws faces to order
PUBLISHED = (SHIPPED, TO_ORDER)


def _field(default, meaning, *names):
    """A field of `Recipe`; what it means, and the names it takes, is its option's help.

    The names are those of `KINDS`, `SOURCES`, `RESOLUTIONS`, `VARIANTS`, `PRESETS` and `LOSSES`,
    whose modules need TensorFlow. `tests/cli/test_recipes.py` holds them against each other.
    """
    told = f"{meaning}: {', '.join(map(str, names))}" if names else meaning
    return dataclasses.field(default=default, metadata={"help": told, "names": names})


@dataclass(frozen=True)
class Recipe:
    """One run; every field can be changed on the command line."""

    kind: str = _field("sagan", "kind of networks", "dcgan", "sagan")
    data: str = _field(
        "faces", "images: a folder, a zip, or one of",
        "faces", "cifar10", "cifar100", "fashion_mnist", "mnist",
    )  # fmt: skip
    resolution: int = _field(32, "side of the images in pixels", 16, 32, 64, 128, 256)
    width: int = _field(32, "channels at full resolution, a multiple of 4")
    latent_dim: int = _field(64, "size of the noise vector")
    attention_at: int | None = _field(16, "side of the feature map that attends")
    variant: str = _field(
        "article", "variant of attention", "article", "pooled", "pooled_keys", "half_values"
    )
    rates: str = _field(
        "sagan_x4", "pair of learning rates",
        "sagan", "sagan_x2", "sagan_x4", "sagan_x10", "dcgan", "sngan_5to1",
    )  # fmt: skip
    decay_steps: int | None = _field(None, "steps over which both rates fall linearly to 0")
    loss: str = _field("hinge", "loss of both players", "hinge", "bce", "minimax", "wasserstein")
    batch_size: int = _field(64, "real images in a D step")
    steps: int = _field(1000, "G updates in all; a run that is resumed does the rest")
    ema_decay: float = _field(0.999, "decay of the averaged generator")
    seed: int = _field(
        0, "seed of weights, shuffles and noise; not of the images, which --population decides"
    )
    crop: int | None = _field(
        None, "side of the centred square of own pictures; none takes the largest (CelebA's: 178)"
    )
    augment: str | None = _field(
        None,
        "changes of all that D is shown, for few pictures, such as color,translation,cutout; "
        "flip mirrors half of the real ones",
    )
    holdout: int | None = _field(
        None,
        "pictures that are not trained on, to see what D knows by heart; none: a tenth, but "
        "500 at most",
    )
    start_from: str | None = _field(
        None, "trained run, its folder or run.keras, whose networks this one goes on from with "
        "other pictures; the shipped generator has no D to go on from",
    )  # fmt: skip
    freeze_d: int = _field(
        0, "with --start-from: so many first layers of D stay as they are, as for few pictures"
    )
    label: str | None = _field(
        None, "what the images are labelled by, for a conditional run: of faces hair, iris, skin, "
        "background, long_hair; 'class' of Keras's sets; 'folder': a picture's folder is its "
        "label; an attribute of CelebA; several joined by commas",
    )  # fmt: skip
    tell_g: str = _field(
        "normalize", "with --label, how G is told: by its batch normalizations, or with its noise, "
        "which ended better in the book's trials", "normalize", "join",
    )  # fmt: skip
    faces: int = _field(50_000, "how many different procedural faces there are")
    population: int = _field(
        0, "which procedural faces, whatever the seed; those kept for scoring are refused"
    )


RECIPES = {
    # Smaller pictures, half the steps: the shortest way to faces of one's own.
    "faces32": Recipe(steps=6000, rates="sagan_x2"),
    # Chapter 1's, longer.
    "dcgan32": Recipe("dcgan", attention_at=None, rates="dcgan", loss="bce", steps=4000),
    # The generator that comes with the book: ten times SAGAN's rates, falling to 0.
    "faces64": Recipe(
        resolution=64, width=16, rates="sagan_x10", decay_steps=12000, steps=12000, seed=2,
        population=2,
    ),
    # The generator that draws to order: five labels at once, and small enough for a page.
    "order32": Recipe(
        width=16, latent_dim=32, attention_at=None, rates="sagan_x10", decay_steps=5000,
        batch_size=32, steps=5000, label="hair,skin,background,iris,long_hair", population=3,
    ),
    # The article's: 128 pixels, channels 512 to 16, attention at 32x32, 1:1 updates.
    "celeba128": Recipe(
        data="data/celeba/img_align_celeba", resolution=128, width=16, latent_dim=128,
        attention_at=32, rates="sagan", steps=300_000,
    ),
    # Keras's small data sets, which it fetches itself.
    "cifar32": Recipe(data="cifar10", steps=20_000, rates="sagan_x2", latent_dim=128),
    "fashion32": Recipe(data="fashion_mnist", width=16, steps=6000, rates="sagan_x2"),
    "celeba64": Recipe(
        data="data/celeba/img_align_celeba", resolution=64, latent_dim=128, attention_at=32,
        rates="sagan", steps=100_000,
    ),
}  # fmt: skip


#: Fewer pictures are few: at 5,000 augmentation more than halves FID in Zhao et al. (2020),
#: arXiv:2006.10738, and at 10,000 it still pays there. Their smallest sets have `VERY_FEW`.
FEW, VERY_FEW = 10_000, 100


def advice(pictures, augment=None):
    """What so many pictures mean for a training, in a line; empty where there are enough.

    Args:
        pictures: how many there are to train on.
        augment: what D is shown, a field of `Recipe`.
    """
    if pictures >= FEW:
        return ""
    told = f"{pictures} pictures are few: D may know them by heart, which d_gap in the log shows"
    if not augment:
        told += "; --augment color,translation,cutout keeps it from that, and takes more steps"
    if pictures < VERY_FEW:
        told += "; with so few look for copies of them, which score counts"
    return told


def holdout(pictures):
    """How many pictures are held out by default: a tenth, but 500 at most."""
    return min(pictures // 10, 500)


def get(name, **changes):
    """The recipe of that name with some fields changed; attention moves with the resolution.

    Args:
        name: of `RECIPES`.
        changes: field=value.

    Raises:
        ValueError: unknown name or field.
    """
    from sagan_lib import sagan  # here, because TensorFlow takes seconds

    recipe = RECIPES[checks.one_of("recipe", name, RECIPES)]
    fields = {field.name for field in dataclasses.fields(Recipe)}
    for field in changes:
        checks.one_of("recipe field", field, fields)
    new = dataclasses.replace(recipe, **changes)
    moved = new.resolution != recipe.resolution and "attention_at" not in changes
    if moved and recipe.attention_at is not None:
        new = dataclasses.replace(new, attention_at=sagan.default_attention(new.resolution))
    return new
