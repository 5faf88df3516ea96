"""Problem set 4: wrong answers with the misconception each stands for, and other right ones."""

from harness import right, wrong

_D, _G, _ORDER, _FRESH, _NDIS = (
    f"train_step_test_{word}" for word in ("d", "g", "order", "fresh", "ndis")
)
_SIM, _ALT, _RADIUS, _FASTEST = (
    f"game_test_{word}" for word in ("simultaneous", "alternating", "radius", "fastest")
)
_SIGMA, _INFERENCE, _FLAG, _COUNTER, _SHUFFLE = (
    f"find_the_bug_test_{word}" for word in ("sigma", "inference", "flag", "counter", "shuffle")
)
_EXACT, _NOISE, _RANGE, _PLANTED = (
    f"experiment_test_{word}" for word in ("exact", "noise", "range", "planted")
)

_HEAD = "def train_step(real, draw, generator, discriminator, g_optimizer, d_optimizer, n_dis=1):\n"
_ON_REAL, _ON_FAKE = (
    f"tf.reduce_mean(tf.nn.relu(1 {sign}))" for sign in ("- on_real", "+ on_fake")
)
_OF_D, _OF_G = "= discriminator.trainable_variables", "= generator.trainable_variables"
_BOTH = "= discriminator.trainable_variables + generator.trainable_variables"
_FAKE, _Z = "fake = generator(draw(len(part)), training=True)", "    z = draw(len(part))\n"
_D_HALF = '''
def d_half(parts, draw, generator, discriminator, d_optimizer):
    for part in parts:
        with tf.GradientTape() as tape:
            fake = discriminator(generator(draw(len(part)), training=True), training=True)
            real = discriminator(part, training=True)
            loss = tf.reduce_mean(tf.nn.relu(1 - real)) + tf.reduce_mean(tf.nn.relu(1 + fake))
        weights = discriminator.trainable_variables
        d_optimizer.apply(tape.gradient(loss, weights), weights)
    return loss


def g_half(n, draw, generator, discriminator, g_optimizer):
    with tf.GradientTape() as tape:
        loss = -tf.reduce_mean(discriminator(generator(draw(n), training=True), training=True))
    weights = generator.trainable_variables
    g_optimizer.apply(tape.gradient(loss, weights), weights)
    return loss


'''
_ONE_PASS = _HEAD + '''    with tf.GradientTape(persistent=True) as tape:
        fake = generator(draw(len(real)), training=True)
        on_real, on_fake = discriminator(real, training=True), discriminator(fake, training=True)
        d_loss = tf.reduce_mean(tf.nn.relu(1 - on_real)) + tf.reduce_mean(tf.nn.relu(1 + on_fake))
        g_loss = -tf.reduce_mean(on_fake)
    of_d, of_g = discriminator.trainable_variables, generator.trainable_variables
    d_gradients, g_gradients = tape.gradient(d_loss, of_d), tape.gradient(g_loss, of_g)
    d_optimizer.apply(d_gradients, of_d)
    g_optimizer.apply(g_gradients, of_g)
    return d_loss, g_loss
'''

_SIM_ROW, _ALT_MATRIX = "d_row = np.array([rate_d, 1 - rate_d * decay])", "    return np.stack([g_row, d_row])"
_RADIUS_LINE, _FASTEST_LINE = (
    "np.max(np.abs(np.linalg.eigvals(matrix)))", "return 4 * rate_g / (rate_g + decay) ** 2",
)

_MATRIX = "np.reshape(kernel, (-1, kernel.shape[-1]))"
_DENSE_END = "return x @ (kernel / norm), new_u if training else u"
_ROUND = """    while step < until:
        d_updates += n_dis
        g_updates += 1
        step += 1
    return step, d_updates, g_updates
"""
_PERMUTED = "return rng.permutation(n)"
_BUFFER = """    waiting, order = [], []
    for index in range(n):
        waiting.append(index)
        if len(waiting) == SIZE:
            order.append(waiting.pop(rng.integers(SIZE)))
    while waiting:
        order.append(waiting.pop(rng.integers(len(waiting))))
    return np.array(order)"""

_REAL, _SHIFTED = (
    "real = rng.normal(0.0, spread, size=(100, 8))",
    "fake = mu[:, None] + rng.normal(0.0, spread, size=(100, 8))",
)
_PSI, _MU = (
    "        psi = psi + rate_d * (real.mean(1) - fake.mean(1) - psi)\n",
    "        mu = mu + rate_g * psi\n",
)
_GAIN = "gains.append(equal / distance(0.05, 0.05 * ratio, steps, 1.0, rng))"

WRONG = {
    "train_step": [
        wrong("D's optimizer moves both networks", _G, "Which optimizer",
              "g_optimizer.apply(", "d_optimizer.apply("),
        wrong("G's optimizer moves both networks", _D, "Which optimizer",
              "d_optimizer.apply(", "g_optimizer.apply("),
        wrong("the two optimizers have changed places", _D, "than G's own optimizer",
              "d_optimizer.apply(", "X.apply(", "g_optimizer.apply(", "d_optimizer.apply(",
              "X.apply(", "g_optimizer.apply("),
        wrong("D's step moves the variables of both", _D, "moves G",
              _OF_D, _BOTH, "        fake = generator", "        z = draw(len(part))\n        fake = generator",
              "            on_fake = discriminator(fake, training=True)",
              "            on_fake = discriminator(generator(z, training=True), training=True)",
              "generator(draw(len(part)), training=True)", "None"),
        wrong("G's step moves the variables of both", _G, "moves D", _OF_G, _BOTH),
        wrong("each player gets the other's variables", _D, "than G's own optimizer",
              _HEAD, _HEAD + "    generator_, discriminator_ = discriminator, generator\n",
              _OF_D, "= discriminator_.trainable_variables", _OF_G, "= generator_.trainable_variables",
              "        fake =", "        z_ = draw(len(part))\n        fake =",
              "generator(draw(len(part)), training=True)", "generator(z_, training=True)",
              "discriminator(fake, training=True)", "discriminator(generator(z_, training=True), training=True)"),
        wrong("one forward pass for both players, as in the article's code", _ORDER, "From which D", _ONE_PASS),
        wrong("G moves before D", _ORDER, "before this step", _D_HALF + _HEAD + """    parts = tf.split(real, n_dis)
    g_loss = g_half(len(parts[0]), draw, generator, discriminator, g_optimizer)
    return d_half(parts, draw, generator, discriminator, d_optimizer), g_loss
"""),
        wrong("D's noise is used again for G", _FRESH, "drawn 1 time",
              _FAKE, "noise = draw(len(part))\n        fake = generator(noise, training=True)", _Z, "    z = noise\n"),
        wrong("noise is drawn for G and then D's is used", _FRESH, "noise drawn for G",
              _FAKE, "noise = draw(len(part))\n        fake = generator(noise, training=True)", _Z, "    z = draw(len(part))\n    z = noise\n"),
        wrong("one row of noise for the whole batch of G", _FRESH, "rows", _Z, "    z = draw(1)\n"),
        wrong("G's step comes with as much noise as all real images", _NDIS, "rows",
              _Z, "    z = draw(len(real))\n"),
        wrong("all steps of D share their noise", _NDIS, "for each step",
              "    for part in tf.split(real, n_dis):\n", "    shared = draw(len(real) // n_dis)\n    for part in tf.split(real, n_dis):\n",
              _FAKE, "fake = generator(shared, training=True)"),
        wrong("n_dis is not looked at", _NDIS, "updates", "tf.split(real, n_dis)", "[real]"),
        wrong("each step of D sees all real images", _NDIS, "rows",
              "tf.split(real, n_dis)", "[real] * n_dis"),
        wrong("each step of D takes the first batch", _NDIS, "next batch",
              "tf.split(real, n_dis)", "tf.split(real, n_dis)[:1] * n_dis"),
        wrong("G moves after each step of D", _NDIS, "updates", _D_HALF + _HEAD + """    for part in tf.split(real, n_dis):
        d_loss = d_half([part], draw, generator, discriminator, d_optimizer)
        g_loss = g_half(len(part), draw, generator, discriminator, g_optimizer)
    return d_loss, g_loss
"""),
        wrong("D's losses are added up over its steps", _NDIS, "last step",
              "    for part in tf.split(real, n_dis):\n", "    total = 0.0\n    for part in tf.split(real, n_dis):\n",
              "        of_d =", "        total += d_loss\n        of_d =", "return d_loss, g_loss", "return total, g_loss"),
        wrong("G's loss has the wrong sign", _G, "as high", "g_loss = -tf", "g_loss = tf"),
        wrong("G gets a hinge as well", _G, "without a limit",
              "-tf.reduce_mean(scores)", "tf.reduce_mean(tf.nn.relu(1 - scores))"),
        wrong("the hinge stands on the wrong side: real low, fake high", _D, "Scores",
              "1 - on_real", "1 + on_real", "1 + on_fake", "1 - on_fake"),
        wrong("the hinge cuts at 0 and not at 1", _D, "Scores",
              "1 - on_real", "-on_real", "1 + on_fake", "on_fake"),
        wrong("D goes up its loss", _D, "Scores",
              "d_optimizer.apply(tape.gradient(d_loss, of_d)", "d_optimizer.apply(tape.gradient(-d_loss, of_d)",
              "        of_d =", "            minus = -d_loss\n        of_d =", "gradient(-d_loss", "gradient(minus"),
        wrong("D learns from real images only", _D, "Only the first of each", " + " + _ON_FAKE, ""),
        wrong("D learns from fakes only", _D, "Only the first of each", _ON_REAL + " + ", ""),
        wrong("no hinge: the scores themselves", _D, "Scores",
              _ON_REAL, "tf.reduce_mean(1 - on_real)", _ON_FAKE, "tf.reduce_mean(1 + on_fake)"),
        wrong("cross-entropy in place of the hinge", _D, "Scores",
              "tf.nn.relu(1 - on_real)", "tf.nn.softplus(-on_real)",
              "tf.nn.relu(1 + on_fake)", "tf.nn.softplus(on_fake)"),
        wrong("sums over the batch in place of means", _D, "Scores",
              _ON_REAL, _ON_REAL.replace("mean", "sum"), _ON_FAKE, _ON_FAKE.replace("mean", "sum")),
        wrong("half of the sum of both sides", _D, "Scores",
              "d_loss = ", "d_loss = 0.5 * (", _ON_FAKE, _ON_FAKE + ")"),
        wrong("training is not passed on in G's step", _D, "training=True",
              "discriminator(generator(z, training=True), training=True)", "discriminator(generator(z))"),
        wrong("G draws fakes for D outside of training mode", _D, "training=True",
              _FAKE, "fake = generator(draw(len(part)), training=False)"),
        wrong("the losses change places", _D, "d_loss", "return d_loss, g_loss", "return g_loss, d_loss"),
        wrong("only G's loss comes back", _D, "two things", "return d_loss, g_loss", "return g_loss"),
        wrong("prints the losses and returns nothing", _D, "print", "return d_loss, g_loss", "print(d_loss, g_loss)"),
        wrong("the example's losses are written into the code, and nothing moves", _D, "did not move",
              _HEAD + "    return 0.75, -2.0\n"),
        wrong("the book's model takes the step", _D, "sagan_lib", _HEAD + """    from sagan_lib import gan
    model = gan.GAN(generator, discriminator)
    model.compile(g_optimizer, d_optimizer, n_dis=n_dis)
    return model.train_step(real)
"""),
        wrong("the book's losses", _D, "sagan_lib", "from sagan_lib.losses import hinge_d, hinge_g\n\n" + _HEAD
              + "    return hinge_d(discriminator(real), discriminator(generator(draw(len(real))))), hinge_g(real)\n"),
        wrong("not written", _D, "not written", _HEAD + "    raise NotImplementedError"),
    ],
    "game": [
        wrong("alternating is taken for simultaneous", _ALT, "D moves first",
              "d_row if alternating else old_psi", "old_psi"),
        wrong("simultaneous is taken for alternating", _SIM, "(1, 0)",
              "d_row if alternating else old_psi", "d_row"),
        wrong("the two kinds have changed places", _SIM, "(1, 0)", "d_row if alternating", "d_row if not alternating"),
        wrong("G moves first in the alternating step", _ALT, "D moves first",
              _ALT_MATRIX, "    if alternating:\n        g_row = np.array([1.0, -rate_g])\n"
              "        d_row = np.array([rate_d, 1 - rate_d * decay - rate_d * rate_g])\n" + _ALT_MATRIX),
        wrong("the product of both players' matrices in the wrong order", _ALT, "D moves first",
              _ALT_MATRIX, "    if alternating:\n        d = np.array([[1, 0], [rate_d, 1 - rate_d * decay]])\n"
              "        return d @ np.array([[1, -rate_g], [0, 1]])\n" + _ALT_MATRIX),
        wrong("D goes down as well", _SIM, "(1, 0)", _SIM_ROW, "d_row = np.array([-rate_d, 1 + rate_d * decay])"),
        wrong("G goes up as well", _SIM, "(0, 1)", "- rate_g * seen", "+ rate_g * seen"),
        wrong("the rates have changed places", _SIM, "(1, 0)",
              "    d_row =", "    rate_g, rate_d = rate_d, rate_g\n    d_row ="),
        wrong("one rate for both players", _SIM, "(0, 1)", "- rate_g * seen", "- rate_d * seen"),
        wrong("the decay is not multiplied by the rate", _SIM, "(0, 1)", "1 - rate_d * decay", "1 - decay"),
        wrong("the slope of c/2 psi squared is taken as c/2 psi", _SIM, "(0, 1)", "1 - rate_d * decay", "1 - rate_d * decay / 2"),
        wrong("the decay has the wrong sign", _SIM, "(0, 1)", "1 - rate_d * decay", "1 + rate_d * decay"),
        wrong("the decay is forgotten", _SIM, "(0, 1)", "1 - rate_d * decay", "1"),
        wrong("the chapter's game, with a decay of 1", _SIM, "(0, 1)", "1 - rate_d * decay", "1 - rate_d"),
        wrong("both players decay", _SIM, "(1, 0)", "g_row = np.array([1.0, 0.0])", "g_row = np.array([1.0 - rate_g * decay, 0.0])"),
        wrong("the slopes alone: the old point is not added", _SIM, "(1, 0)",
              _ALT_MATRIX, _ALT_MATRIX + " - np.eye(2)"),
        wrong("the matrix is transposed", _SIM, "(1, 0)", _ALT_MATRIX, _ALT_MATRIX + ".T"),
        wrong("psi comes before theta", _SIM, "(1, 0)", _ALT_MATRIX, _ALT_MATRIX + "[::-1, ::-1]"),
        wrong("the worked examples' numbers are written into the code", _ALT, "alternating step",
              _ALT_MATRIX, "    return np.array([[0.98 if alternating else 1.0, -0.1], [0.2, 0.9]])"),
        wrong("an alternating step is taken for half a step of each player", _ALT, "D moves first",
              "    d_row =", "    if alternating:\n        rate_g, rate_d = rate_g / 2, rate_d / 2\n    d_row ="),
        wrong("plays the game instead of deriving it", _SIM, "run_game",
              _ALT_MATRIX, "    return np.stack([run_game(rate_g, rate_d, decay, alternating, s) for s in np.eye(2)], 1)"),
        wrong("the largest eigenvalue, without its modulus", _RADIUS, "modulus",
              _RADIUS_LINE, "np.max(np.linalg.eigvals(matrix).real)"),
        wrong("the modulus of the real part", _RADIUS, "modulus", "np.abs(np.linalg.eigvals(matrix))", "np.abs(np.linalg.eigvals(matrix).real)"),
        wrong("the largest singular value", _RADIUS, "modulus", _RADIUS_LINE, "np.linalg.norm(matrix, 2)"),
        wrong("the root of the determinant, as if always complex", _RADIUS, "diag", _RADIUS_LINE, "np.sqrt(abs(np.linalg.det(matrix)))"),
        wrong("half of the trace, as if always real", _RADIUS, "diag", _RADIUS_LINE, "abs(np.trace(matrix)) / 2"),
        wrong("the smallest eigenvalue", _RADIUS, "All eigenvalues", "np.max(np.abs", "np.min(np.abs"),
        wrong("the largest entry of the matrix", _RADIUS, "quarter turn", _RADIUS_LINE,
              "max(abs(matrix[0, 0]), abs(matrix[1, 1]))"),
        wrong("all moduli, not the largest", _RADIUS, "shape", _RADIUS_LINE, "np.abs(np.linalg.eigvals(matrix))"),
        wrong("prints the radius and returns nothing", _RADIUS, "print", "return " + _RADIUS_LINE, f"print({_RADIUS_LINE})"),
        wrong("four, as in SAGAN and in the chapter's exercise", _FASTEST, "discriminant", _FASTEST_LINE, "return 4 * rate_g"),
        wrong("the simultaneous game's rate", _FASTEST, "another rate does better", _FASTEST_LINE, "return 4 * rate_g / decay**2"),
        wrong("a decay of 1 is put in", _FASTEST, "any decay", _FASTEST_LINE, "return 4 * rate_g / (rate_g + 1) ** 2"),
        wrong("the rate is found for one example and written into the code", _FASTEST, "any decay", _FASTEST_LINE, "return 4 / 12.1"),
        wrong("D goes all the way to its best answer", _FASTEST, "another rate", _FASTEST_LINE, "return 1 / decay"),
        wrong("as fast as D can go without diverging on its own", _FASTEST, "another rate", _FASTEST_LINE, "return 1.8 / decay"),
        wrong("equal rates", _FASTEST, "another rate", _FASTEST_LINE, "return rate_g"),
        wrong("too fast for D: it diverges", _FASTEST, "not converge", _FASTEST_LINE, "return 2.1 / decay"),
        wrong("the ratio instead of the rate", _FASTEST, "not converge", _FASTEST_LINE, "return 4 / (rate_g + decay) ** 2"),
        wrong("the pair of both roots", _FASTEST, "one real number", _FASTEST_LINE, "return 0.0, 4 * rate_g / (rate_g + decay) ** 2"),
        wrong("the rate is not written", _FASTEST, "not written", _FASTEST_LINE, "raise NotImplementedError"),
        wrong("the step is not written", _SIM, "not written", _ALT_MATRIX, "    raise NotImplementedError"),
        wrong("numpy's norm under another name", _RADIUS, "numpy", "def radius(matrix):\n    ### BEGIN SOLUTION\n    return " + _RADIUS_LINE,
              "from numpy.linalg import norm as radius"),
        wrong("the library's matrix", _SIM, "sagan_lib", _ALT_MATRIX, "    from sagan_lib import ttur\n    return ttur.step_matrix(rate_g, rate_d)"),
    ],
    "find_the_bug": [
        wrong("sigma: the fault is left in", _SIGMA, "All weights of one output", "(-1, kernel.shape[-1])", "(kernel.shape[-1], -1)"),
        wrong("sigma: the same matrix, transposed afterwards", _SIGMA, "All weights of one output", _MATRIX, "np.reshape(kernel, (kernel.shape[-1], -1)).T"),
        wrong("sigma: one column for each input", _SIGMA, "last axis", _MATRIX, "np.reshape(np.swapaxes(kernel, 2, 3), (-1, kernel.shape[2]))"),
        wrong("sigma: the length of all weights", _SIGMA, "wrong", _MATRIX + ", 2)", "kernel)"),
        wrong("sigma: the longest column", _SIGMA, "wrong", f"np.linalg.norm({_MATRIX}, 2)", f"np.linalg.norm({_MATRIX}, axis=0).max()"),
        wrong("sigma: the largest of the places", _SIGMA, "All weights of one output", f"np.linalg.norm({_MATRIX}, 2)",
              "max(np.linalg.norm(m, 2) for row in kernel for m in row)"),
        wrong("sigma: the example's number is written into the code", _SIGMA, "wrong", f"np.linalg.norm({_MATRIX}, 2)", "np.sqrt(18)"),
        wrong("sigma: the library's matrix", _SIGMA, "sagan_lib", "    return np.linalg",
              "    from sagan_lib.spectral_norm import kernel_matrix\n    return np.linalg"),
        wrong("sigma: prints it and returns nothing", _SIGMA, "print", f"return np.linalg.norm({_MATRIX}, 2)", f"print(np.linalg.norm({_MATRIX}, 2))"),
        wrong("dense: the fault is left in", _INFERENCE, "Which kernel", _DENSE_END, "return (x @ (kernel / norm), new_u) if training else (x @ kernel, u)"),
        wrong("dense: raw in training, divided in sampling", _INFERENCE, "In training", _DENSE_END,
              "return (x @ kernel, new_u) if training else (x @ (kernel / norm), u)"),
        wrong("dense: never divided, so that both agree", _INFERENCE, "In training", "kernel / norm", "kernel"),
        wrong("dense: sampling moves u too", _INFERENCE, "not change the network", "new_u if training else u", "new_u"),
        wrong("dense: u never moves", _INFERENCE, "after a training call", "new_u if training else u", "u"),
        wrong("dense: the exact norm in sampling", _INFERENCE, "Which kernel", "norm = v @ kernel @ new_u",
              "norm = v @ kernel @ new_u if training else np.linalg.norm(kernel, 2)"),
        wrong("dense: sigma of the old guess in sampling", _INFERENCE, "Which kernel", "norm = v @ kernel @ new_u",
              "norm = v @ kernel @ (new_u if training else u)"),
        wrong("dense: writes into the caller's u", _INFERENCE, "wrote into it", _DENSE_END,
              "out = x @ (kernel / norm)\n    old = u.copy()\n    u[:] = new_u\n    return out, u if training else old"),
        wrong("dense: only the output comes back", _INFERENCE, "two things", _DENSE_END, "return x @ (kernel / norm)"),
        wrong("attend: the fault is left in", _FLAG, "being trained", "query(x, training)", "query(x)", "key(x, training)", "key(x)",
              "value(x, training)", "value(x)"),
        wrong("attend: the value layer is forgotten", _FLAG, "in: value", "value(x, training)", "value(x)"),
        wrong("attend: the query layer only", _FLAG, "in: key, value", "key(x, training)", "key(x)", "value(x, training)", "value(x)"),
        wrong("attend: always in training", _FLAG, "outside of training", "query(x, training)", "query(x, True)", "key(x, training)",
              "key(x, True)", "value(x, training)", "value(x, True)"),
        wrong("attend: training is on unless said otherwise", _FLAG, "after sampling", "key, value, training=False", "key, value, training=True"),
        wrong("attend: the flag is turned around", _FLAG, "outside of training", "    scores =", "    training = not training\n    scores ="),
        wrong("attend: a second call in training to move u", _FLAG, "once", "    scores =",
              "    if training:\n        query(x, True), key(x, True), value(x, True)\n    scores ="),
        wrong("attend: the residual is lost on the way", _FLAG, "output", "return x + weights", "return weights"),
        wrong("count: the fault is left in", _COUNTER, "How often", _ROUND, _ROUND.replace("step += 1", "step += n_dis + 1")),
        wrong("count: the counter is halved at the end", _COUNTER, "how many steps", _ROUND,
              _ROUND.replace("step += 1", "step += n_dis + 1").replace("return step,", "return step // 2,")),
        wrong("count: runs until twice the number", _COUNTER, "how many steps", _ROUND,
              _ROUND.replace("step += 1", "step += n_dis + 1").replace("< until", "< 2 * until")),
        wrong("count: twice the number is halved, right for one step of D only", _COUNTER, "how many steps", _ROUND,
              _ROUND.replace("step += 1", "step += n_dis + 1").replace("< until", "< 2 * until").replace("return step,", "return step // 2,")),
        wrong("count: D's updates are the steps", _COUNTER, "n_dis", "        step += 1", "        step += n_dis"),
        wrong("count: n_dis is forgotten", _COUNTER, "n_dis", "d_updates += n_dis", "d_updates += 1"),
        wrong("count: one step more", _COUNTER, "how many steps", "step < until", "step <= until"),
        wrong("count: the updates come in the wrong order", _COUNTER, "n_dis updates of D", "return step, d_updates, g_updates", "return step, g_updates, d_updates"),
        wrong("count: the example's numbers are written into the code", _COUNTER, "how many steps", "return step, d_updates, g_updates", "return 600, 600, 600"),
        wrong("count: not written", _COUNTER, "not written", "return step, d_updates, g_updates", "raise NotImplementedError"),
        wrong("epoch: the fault is left in", _SHUFFLE, "come forward", _PERMUTED, _BUFFER.lstrip().replace("SIZE", "100")),
        wrong("epoch: the faulty function itself", _SHUFFLE, "come forward", _PERMUTED, "return epoch_faulty(n, rng)"),
        wrong("epoch: a larger buffer, half of the file", _SHUFFLE, "come forward", _PERMUTED, _BUFFER.lstrip().replace("SIZE", "(n // 2)")),
        wrong("epoch: a buffer of nine tenths", _SHUFFLE, "come forward", _PERMUTED, "return epoch_faulty(n, rng, buffer=9 * n // 10)"),
        wrong("epoch: blocks are shuffled, each in itself", _SHUFFLE, "come forward", _PERMUTED,
              "return np.concatenate([rng.permutation(block) for block in np.split(np.arange(n), n // 100)])"),
        wrong("epoch: blocks are shuffled, but not inside", _SHUFFLE, "come forward", _PERMUTED,
              "blocks = np.split(np.arange(n), n // 100)\n    return np.concatenate([blocks[i] for i in rng.permutation(len(blocks))])"),
        wrong("epoch: the faulty shuffle twice", _SHUFFLE, "come forward", _PERMUTED,
              "return epoch_faulty(n, rng)[epoch_faulty(n, rng)]"),
        wrong("epoch: drawn with replacement", _SHUFFLE, "exactly once", _PERMUTED, "return rng.integers(n, size=n)"),
        wrong("epoch: one image of each colour in turn, no chance in it", _SHUFFLE, "pattern", _PERMUTED,
              "return np.arange(n).reshape(10, -1).T.ravel()"),
        wrong("epoch: the same order in every epoch", _SHUFFLE, "same order", _PERMUTED, "return np.random.default_rng(7).permutation(n)"),
        wrong("epoch: a new random state in each call", _SHUFFLE, "same rng", _PERMUTED, "return np.random.default_rng().permutation(n)"),
        wrong("epoch: shuffles in place and returns nothing", _SHUFFLE, "gives None", _PERMUTED, "return rng.shuffle(np.arange(n))"),
        wrong("epoch: the first image is never drawn", _SHUFFLE, "shape", _PERMUTED, "return 1 + rng.permutation(n - 1)"),
    ],
    "experiment": [
        wrong("G learns from the old psi", _EXACT, "by hand", _PSI + _MU,
              "        old = psi\n" + _PSI + "        mu = mu + rate_g * old\n"),
        wrong("the decay of D is forgotten", _EXACT, "by hand", "fake.mean(1) - psi)", "fake.mean(1))"),
        wrong("each player moves at the other's rate", _EXACT, "by hand", "    mu, psi =", "    rate_g, rate_d = rate_d, rate_g\n    mu, psi ="),
        wrong("G goes the wrong way", _EXACT, "by hand", "mu + rate_g", "mu - rate_g"),
        wrong("D takes real for fake", _EXACT, "by hand", "real.mean(1) - fake.mean(1)", "fake.mean(1) - real.mean(1)"),
        wrong("one step too many", _EXACT, "by hand", "range(steps)", "range(steps + 1)"),
        wrong("starts at another place", _EXACT, "by hand", "np.full(100, 4.0)", "np.full(100, 1.0)"),
        wrong("mu without its sign taken away", _EXACT, "wrong", "np.mean(np.abs(mu))", "np.mean(mu)"),
        wrong("the distance of both parameters", _EXACT, "by hand", "np.mean(np.abs(mu))", "np.mean(np.hypot(mu, psi))"),
        wrong("all runs instead of their mean", _EXACT, "shape", "np.mean(np.abs(mu))", "np.abs(mu)"),
        wrong("the size of the mean, not the mean of sizes", _NOISE, "the mean that of", "np.mean(np.abs(mu))", "np.abs(np.mean(mu))"),
        wrong("root mean square", _NOISE, "what is averaged", "np.mean(np.abs(mu))", "np.sqrt(np.mean(mu**2))"),
        wrong("real numbers without noise", _NOISE, "both means", _REAL, "real = np.zeros((100, 8))"),
        wrong("fakes without noise", _NOISE, "both means", _SHIFTED, "fake = np.repeat(mu[:, None], 8, 1)"),
        wrong("no noise at all", _NOISE, "random", _REAL, "real = np.zeros((100, 8))", _SHIFTED, "fake = np.repeat(mu[:, None], 8, 1)"),
        wrong("one number in place of a batch of eight", _NOISE, "both means", "real.mean(1) - fake.mean(1)", "real[:, 0] - fake[:, 0]"),
        wrong("the sum over the batch's noise", _NOISE, "both means", "real.mean(1) - fake.mean(1)",
              "real.sum(1) - (fake - mu[:, None]).sum(1) - mu"),
        wrong("real and fake share their noise", _NOISE, "each mean its own", _SHIFTED, "fake = mu[:, None] + real"),
        wrong("all runs share their noise", _NOISE, "100 runs", _REAL, "real = rng.normal(0.0, spread, size=(1, 8))",
              _SHIFTED, "fake = mu[:, None] + rng.normal(0.0, spread, size=(1, 8))"),
        wrong("the noise is drawn once for all steps", _NOISE, "new numbers", "    for _ in range(steps):\n        " + _REAL + "\n",
              "    " + _REAL + "\n    noise = rng.normal(0.0, spread, size=(100, 8))\n    for _ in range(steps):\n",
              _SHIFTED, "fake = mu[:, None] + noise"),
        wrong("its own random state in place of rng", _NOISE, "rng that you are given", "    mu, psi =",
              "    rng = np.random.default_rng()\n    mu, psi ="),
        wrong("the gain is turned around", _RANGE, "gain clearly", _GAIN, "gains.append(distance(0.05, 0.05 * ratio, steps, 1.0, rng) / equal)"),
        wrong("a difference in place of a factor", _RANGE, "gain", "equal / distance", "equal - distance"),
        wrong("the ratio slows G down in place of speeding D up", _RANGE, "gain", _GAIN,
              "gains.append(equal / distance(0.05 / ratio, 0.05, steps, 1.0, rng))"),
        wrong("both settings get the larger rate", _RANGE, "gain clearly", "equal = distance(0.05, 0.05, steps", "equal = distance(0.05, 0.05 * ratio, steps"),
        wrong("the ratio is taken for the rate: D diverges", _RANGE, "gain", "0.05 * ratio, steps", "0.5 * ratio, steps"),
        wrong("five times as many steps for equal rates, as in five-to-one", _RANGE, "gain clearly", "equal = distance(0.05, 0.05, steps", "equal = distance(0.05, 0.05, 5 * steps"),
        wrong("the short runs are ten times too short", _RANGE, "gain clearly", "(4, 60), (16, 60)", "(4, 6), (16, 6)"),
        wrong("all gains after 60 steps", _RANGE, "ratio 4 after 400", "(4, 400)", "(4, 60)"),
        wrong("ratio 4 twice, with no 16", _RANGE, "ratio 16", "(16, 60)", "(4, 60)"),
        wrong("the batch's spread is 4", _RANGE, "gain", "equal = distance(0.05, 0.05, steps, 1.0", "equal = distance(0.05, 0.05, steps, 4.0",
              "ratio, steps, 1.0", "ratio, steps, 4.0"),
        wrong("the gains' mean", _RANGE, "three numbers", "np.array(gains)", "np.mean(gains)"),
        wrong("the seed is not used", _RANGE, "seed", "default_rng(seed)", "default_rng(0)"),
        wrong("another random state in each call", _RANGE, "same seed", "default_rng(seed)", "default_rng()"),
        wrong("the gains of one seed are written into the code", _RANGE, "seed", "np.array(gains)", "np.array([5.3, 2.8, 1.0])"),
        wrong("prints the gains and returns nothing", _RANGE, "print", "return np.array(gains)", "print(gains)"),
        wrong("a number of the library is used", _RANGE, "sagan_lib", "    gains =", "    from sagan_lib import ttur\n    gains ="),
        wrong("a new generator for each distance", _PLANTED, "make it once", "1.0, rng)\n", "1.0, np.random.default_rng(seed))\n"),
        wrong("one equal run serves two gains", _PLANTED, "5 times",
              "    gains = []\n", "    gains, short = [], distance(0.05, 0.05, 60, 1.0, rng)\n",
              "equal = distance(0.05, 0.05, steps, 1.0, rng)", "equal = short if steps == 60 else distance(0.05, 0.05, steps, 1.0, rng)"),
        wrong("numbers drawn in the right range, no run at all", _PLANTED, "never calls distance",
              "    gains = []\n", "    return rng.uniform([4.8, 2.6, 0.8], [6.0, 3.0, 1.2])\n"),
        wrong("the ratio's run comes first", _PLANTED, "first the equal rates",
              "        equal = distance(0.05, 0.05, steps, 1.0, rng)\n        " + _GAIN,
              "        fast = distance(0.05, 0.05 * ratio, steps, 1.0, rng)\n        gains.append(distance(0.05, 0.05, steps, 1.0, rng) / fast)"),
        wrong("the equal rates are the ratio's", _PLANTED, "G's rate",
              "equal = distance(0.05, 0.05, steps", "equal = distance(0.055, 0.05, steps"),
        wrong("a little longer for the equal rates", _PLANTED, "number of steps",
              "equal = distance(0.05, 0.05, steps,", "equal = distance(0.05, 0.05, steps + 1,"),
        wrong("distance is not written", _EXACT, "not written", "return np.mean(np.abs(mu))", "raise NotImplementedError"),
    ],
}  # fmt: skip

RIGHT = {
    "train_step": [
        right("two helpers, one for each player", _D_HALF + _HEAD + """    parts = tf.split(real, n_dis)
    d_loss = d_half(parts, draw, generator, discriminator, d_optimizer)
    return d_loss, g_half(len(parts[0]), draw, generator, discriminator, g_optimizer)
"""),
        right("real and fake in one call, gradients in pairs, Keras operations", """
from keras import ops


def train_step(real, draw, generator, discriminator, g_optimizer, d_optimizer, n_dis=1):
    batch = real.shape[0] // n_dis
    for index in range(n_dis):
        images = real[index * batch : (index + 1) * batch]
        both = ops.concatenate([images, generator(draw(batch), training=True)])
        with tf.GradientTape() as d_tape:
            scores = discriminator(both, training=True)
            d_loss = ops.mean(ops.relu(1 - scores[:batch])) + ops.mean(ops.relu(1 + scores[batch:]))
        gradients = d_tape.gradient(d_loss, discriminator.trainable_weights)
        d_optimizer.apply_gradients(zip(gradients, discriminator.trainable_weights))
    with tf.GradientTape() as g_tape:
        g_loss = ops.mean(-discriminator(generator(draw(batch), training=True), training=True))
    gradients = g_tape.gradient(g_loss, generator.trainable_weights)
    g_optimizer.apply_gradients(zip(gradients, generator.trainable_weights))
    return float(d_loss), float(g_loss)
"""),
        right("a list of closures and all noise drawn at the start", """
def train_step(real, draw, generator, discriminator, g_optimizer, d_optimizer, n_dis=1):
    parts = tf.reshape(real, (n_dis, -1, *real.shape[1:]))
    noises = [draw(parts.shape[1]) for _ in range(n_dis + 1)]

    def score(images):
        return discriminator(images, training=True)

    def descend(optimizer, network, loss):
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch([v.value for v in network.trainable_variables])
            value = loss()
        slopes = tape.gradient(value, [v.value for v in network.trainable_variables])
        optimizer.apply(slopes, network.trainable_variables)
        return value

    for x, z in zip(parts, noises):
        fake = tf.stop_gradient(generator(z, training=True))
        losses = lambda: tf.maximum(0.0, 1 - score(x)) + tf.maximum(0.0, 1 + score(fake))
        d_loss = descend(d_optimizer, discriminator, lambda: tf.reduce_mean(losses()))
    wanted = lambda: -tf.reduce_mean(score(generator(noises[-1], training=True)))
    return d_loss, descend(g_optimizer, generator, wanted)
"""),
    ],
    "game": [
        right("four entries for each kind, and the radius by its formula", """
def step_matrix(rate_g, rate_d, decay, alternating):
    keep = 1 - rate_d * decay
    if alternating:
        return np.array([[1 - rate_g * rate_d, -rate_g * keep], [rate_d, keep]])
    return np.array([[1, -rate_g], [rate_d, keep]])


def radius(matrix):
    half, determinant = np.trace(matrix) / 2, np.linalg.det(matrix)
    inside = half**2 - determinant
    return np.sqrt(determinant) if inside < 0 else abs(half) + np.sqrt(inside)


def fastest(rate_g, decay):
    return rate_g * (2 / (rate_g + decay)) ** 2
"""),
        right("a product of both players' matrices, and roots of the polynomial", """
def step_matrix(rate_g, rate_d, decay, alternating):
    only_d = np.array([[1.0, 0.0], [rate_d, 1.0 - rate_d * decay]])
    only_g = np.array([[1.0, -rate_g], [0.0, 1.0]])
    return only_g @ only_d if alternating else only_g + only_d - np.eye(2)


def radius(matrix):
    return max(abs(np.roots(np.poly(matrix))))


def fastest(rate_g, decay):
    low, high = 0.0, 1 / decay
    for _ in range(80):
        middle = (low + high) / 2
        matrix = step_matrix(rate_g, middle, decay, True)
        complex_pair = np.trace(matrix) ** 2 < 4 * np.linalg.det(matrix)
        low, high = (middle, high) if complex_pair else (low, middle)
    return high
"""),
        right("lists of lists, and a search over many rates", """
def step_matrix(rate_g, rate_d, decay, alternating):
    columns = []
    for theta, psi in ((1, 0), (0, 1)):
        new_psi = psi + rate_d * (theta - decay * psi)
        columns.append((theta - rate_g * (new_psi if alternating else psi), new_psi))
    return [[columns[0][0], columns[1][0]], [columns[0][1], columns[1][1]]]


def radius(matrix):
    return sorted(np.abs(np.linalg.eig(np.array(matrix))[0]))[-1]


def fastest(rate_g, decay):
    rates = np.linspace(0, 2 / decay, 4_001)
    matrices = np.array([step_matrix(rate_g, rate, decay, True) for rate in rates])
    return rates[np.abs(np.linalg.eigvals(matrices)).max(1).argmin()]
"""),
    ],
    "find_the_bug": [
        right("one row for each output, the faulty functions called with care", """
def sigma(kernel):
    rows = np.stack([kernel[..., out].ravel() for out in range(kernel.shape[-1])])
    return np.linalg.svd(rows, compute_uv=False)[0]


def dense(x, kernel, u, training):
    y, moved_on = dense_faulty(x, kernel, u, True)
    return y, moved_on if training else u


def attend(x, query, key, value, training=False):
    q, k, v = (layer(x, training=training) for layer in (query, key, value))
    weights = np.exp(q @ k.T)
    return x + weights / weights.sum(-1, keepdims=True) @ v


def count(until, n_dis):
    return until, until * n_dis, until


def epoch(n, rng):
    return epoch_faulty(n, rng, buffer=n)
"""),
        right("transposed before the reshape, flags by partial, sorted keys as a shuffle", """
from functools import partial


def sigma(kernel):
    matrix = np.transpose(kernel, (3, 0, 1, 2)).reshape(kernel.shape[3], -1)
    return np.sqrt(np.linalg.eigvalsh(matrix @ matrix.T)[-1])


def dense(x, kernel, u, training):
    v = kernel @ u
    v = v / np.sqrt(v @ v)
    back = v @ kernel
    length = np.sqrt(back @ back)
    if not training:
        return x @ kernel / length, u
    return x @ kernel / length, back / length


def attend(x, query, key, value, training=False):
    return attend_faulty(x, *(partial(layer, training=training) for layer in (query, key, value)))


def count(until, n_dis):
    updates = {"D": 0, "G": 0}
    for _ in range(until):
        for _ in range(n_dis):
            updates["D"] += 1
        updates["G"] += 1
    return updates["G"], updates["D"], updates["G"]


def epoch(n, rng):
    return np.argsort(rng.random(n))
"""),
        right("moved axes, a copy of u, the counter only at G, a shuffled list", """
def sigma(kernel):
    return np.linalg.norm(kernel.reshape(kernel.size // kernel.shape[-1], kernel.shape[-1]), ord=2)


def dense(x, kernel, u, training):
    unit = lambda vector: vector / np.linalg.norm(vector)
    new_u = unit(kernel.T @ unit(kernel @ u))
    norm = unit(kernel @ u) @ kernel @ new_u
    return (x @ kernel) / norm, np.array(new_u if training else u)


def attend(x, query, key, value, training=False):
    scores = query(x, training) @ key(x, training).T
    scores = scores - scores.max(1)[:, None]
    weights = np.exp(scores)
    return x + (weights @ value(x, training)) / weights.sum(1)[:, None]


def count(until, n_dis):
    step = d_updates = g_updates = 0
    while step < until:
        for _ in range(n_dis):
            d_updates += 1
        g_updates += 1
        step = g_updates
    return [step, d_updates, g_updates]


def epoch(n, rng):
    order = list(range(n))
    rng.shuffle(order)
    return order
"""),
    ],
    "experiment": [
        right("the means are drawn themselves", """
def distance(rate_g, rate_d, steps, spread, rng):
    mu, psi = np.full(100, 4.0), np.zeros(100)
    for real, fake in rng.normal(0, spread / np.sqrt(8), size=(steps, 2, 100)):
        psi += rate_d * (real - (mu + fake) - psi)
        mu += rate_g * psi
    return np.abs(mu).mean()


def experiment(seed):
    rng = np.random.default_rng(seed)

    def gain(ratio, steps):
        return distance(0.05, 0.05, steps, 1, rng) / distance(0.05, 0.05 * ratio, steps, 1, rng)

    return gain(4, 60), gain(16, 60), gain(4, 400)
"""),
        right("noise as factors, a list as the result", """
def distance(rate_g, rate_d, steps, spread, rng):
    state = np.zeros((2, 100))
    state[0] = 4
    for _ in range(steps):
        x = spread * rng.standard_normal((2, 8, 100))
        gap = np.mean(x[0] - x[1] - state[0], axis=0)
        state[1] = (1 - rate_d) * state[1] + rate_d * gap
        state[0] += rate_g * state[1]
    return float(np.mean(abs(state[0])))


def experiment(seed):
    result, rng = [], np.random.default_rng(seed)
    for ratio, steps in ((4, 60), (16, 60), (4, 400)):
        ends = [distance(0.05, r * 0.05, steps, 1.0, rng) for r in (1, ratio)]
        result.append(ends[0] / ends[1])
    return result
"""),
        right("a helper for one step, distances by their names", """
def one_step(mu, psi, rate_g, rate_d, real, fake):
    psi = psi + rate_d * (np.mean(real, axis=-1) - np.mean(fake, axis=-1) - psi)
    return mu + rate_g * psi, psi


def distance(rate_g, rate_d, steps, spread, rng):
    mu = np.ones((100,)) * 4
    psi = np.zeros_like(mu)
    while steps:
        real = rng.normal(scale=spread, size=(100, 8))
        fake = rng.normal(loc=mu[:, np.newaxis], scale=spread, size=(100, 8))
        mu, psi = one_step(mu, psi, rate_g, rate_d, real, fake)
        steps -= 1
    return np.sum(np.abs(mu)) / 100


def experiment(seed):
    rng, rate = np.random.default_rng(seed), 0.05
    pairs = [[distance(rate, ratio * rate, steps, 1.0, rng) for ratio in (1, other)]
             for other, steps in ((4, 60), (16, 60), (4, 400))]
    return np.divide(*np.transpose(pairs))
"""),
    ],
}
