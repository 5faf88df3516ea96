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
_EXACT, _NOISE, _NUMBER, _VALUES = (
    f"experiment_test_{word}" for word in ("exact", "noise", "number", "values")
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

_ALT_MATRIX = "    return np.stack([g_row, d_row])"
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
        wrong("no hinge: the scores themselves", _D, "Scores",
              _ON_REAL, "tf.reduce_mean(1 - on_real)", _ON_FAKE, "tf.reduce_mean(1 + on_fake)"),
        wrong("cross-entropy in place of the hinge", _D, "Scores",
              "tf.nn.relu(1 - on_real)", "tf.nn.softplus(-on_real)",
              "tf.nn.relu(1 + on_fake)", "tf.nn.softplus(on_fake)"),
        wrong("training is not passed on in G's step", _D, "training=True",
              "discriminator(generator(z, training=True), training=True)", "discriminator(generator(z))"),
        wrong("G draws fakes for D outside of training mode", _D, "training=True",
              _FAKE, "fake = generator(draw(len(part)), training=False)"),
        wrong("the losses change places", _D, "d_loss", "return d_loss, g_loss", "return g_loss, d_loss"),
        wrong("only G's loss comes back", _D, "two things", "return d_loss, g_loss", "return g_loss"),
        wrong("the example's losses are written into the code, and nothing moves", _D, "did not move",
              _HEAD + "    return 0.75, -2.0\n"),
        wrong("all noise is drawn first, and G takes what D has used", _NDIS, "on noise of its own",
              "    for part in tf.split(real, n_dis):\n", "    noises = [draw(len(real) // n_dis) for _ in range(n_dis + 1)]\n    for k, part in enumerate(tf.split(real, n_dis)):\n",
              "draw(len(part)), training=True)\n", "noises[k], training=True)\n", _Z, "    z = noises[1 if n_dis > 1 else -1]\n"),
        wrong("what is frozen moves, too", _ORDER, "trainable_variables only", _OF_D, "= discriminator.weights", _OF_G, "= generator.weights"),
        wrong("what is frozen is thawed at the end", _ORDER, "Leave `trainable`", "    return d_loss", "    for each in discriminator.variables:\n        each.trainable = True\n    return d_loss"),
        wrong("G's loss is that of D's last step", _ORDER, "the loss of G's own step", "return d_loss, g_loss", "return d_loss, -tf.reduce_mean(on_fake)"),
        wrong("gradients are clipped to a global norm", _ORDER, "nothing is clipped",
              "d_optimizer.apply(tape.gradient(d_loss, of_d), of_d)", "d_optimizer.apply(tf.clip_by_global_norm(tape.gradient(d_loss, of_d), 10.0)[0], of_d)"),
        wrong("G's gradient is divided by n_dis", _NDIS, "on noise of its own",
              "g_optimizer.apply(tape.gradient(g_loss, of_g), of_g)", "g_optimizer.apply([g / n_dis for g in tape.gradient(g_loss, of_g)], of_g)"),
    ],
    "game": [
        wrong("alternating is taken for simultaneous", _ALT, "D moves first",
              "d_row if alternating else old_psi", "old_psi"),
        wrong("simultaneous is taken for alternating", _SIM, "(1, 0)",
              "d_row if alternating else old_psi", "d_row"),
        wrong("G moves first in the alternating step", _ALT, "D moves first",
              _ALT_MATRIX, "    if alternating:\n        g_row = np.array([1.0, -rate_g])\n"
              "        d_row = np.array([rate_d, 1 - rate_d * decay - rate_d * rate_g])\n" + _ALT_MATRIX),
        wrong("G goes up as well", _SIM, "(0, 1)", "- rate_g * seen", "+ rate_g * seen"),
        wrong("the rates have changed places", _SIM, "(1, 0)",
              "    d_row =", "    rate_g, rate_d = rate_d, rate_g\n    d_row ="),
        wrong("one rate for both players", _SIM, "(0, 1)", "- rate_g * seen", "- rate_d * seen"),
        wrong("the decay is not multiplied by the rate", _SIM, "(0, 1)", "1 - rate_d * decay", "1 - decay"),
        wrong("the slope of c/2 psi squared is taken as c/2 psi", _SIM, "(0, 1)", "1 - rate_d * decay", "1 - rate_d * decay / 2"),
        wrong("the decay is forgotten", _SIM, "(0, 1)", "1 - rate_d * decay", "1"),
        wrong("the chapter's game, with a decay of 1", _SIM, "(0, 1)", "1 - rate_d * decay", "1 - rate_d"),
        wrong("both players decay", _SIM, "(1, 0)", "g_row = np.array([1.0, 0.0])", "g_row = np.array([1.0 - rate_g * decay, 0.0])"),
        wrong("the slopes alone: the old point is not added", _SIM, "(1, 0)",
              _ALT_MATRIX, _ALT_MATRIX + " - np.eye(2)"),
        wrong("the matrix is transposed", _SIM, "(1, 0)", _ALT_MATRIX, _ALT_MATRIX + ".T"),
        wrong("the worked examples' numbers are written into the code", _ALT, "alternating step",
              _ALT_MATRIX, "    return np.array([[0.98 if alternating else 1.0, -0.1], [0.2, 0.9]])"),
        wrong("an alternating step is taken for half a step of each player", _ALT, "D moves first",
              "    d_row =", "    if alternating:\n        rate_g, rate_d = rate_g / 2, rate_d / 2\n    d_row ="),
        wrong("the largest eigenvalue, without its modulus", _RADIUS, "modulus",
              _RADIUS_LINE, "np.max(np.linalg.eigvals(matrix).real)"),
        wrong("the modulus of the real part", _RADIUS, "modulus", "np.abs(np.linalg.eigvals(matrix))", "np.abs(np.linalg.eigvals(matrix).real)"),
        wrong("the largest singular value", _RADIUS, "modulus", _RADIUS_LINE, "np.linalg.norm(matrix, 2)"),
        wrong("the root of the determinant, as if always complex", _RADIUS, "diag", _RADIUS_LINE, "np.sqrt(abs(np.linalg.det(matrix)))"),
        wrong("half of the trace, as if always real", _RADIUS, "diag", _RADIUS_LINE, "abs(np.trace(matrix)) / 2"),
        wrong("the largest entry of the matrix", _RADIUS, "quarter turn", _RADIUS_LINE,
              "max(abs(matrix[0, 0]), abs(matrix[1, 1]))"),
        wrong("all moduli, not the largest", _RADIUS, "shape", _RADIUS_LINE, "np.abs(np.linalg.eigvals(matrix))"),
        wrong("four, as in SAGAN and in the chapter's exercise", _FASTEST, "discriminant", _FASTEST_LINE, "return 4 * rate_g"),
        wrong("a decay of 1 is put in", _FASTEST, "any decay", _FASTEST_LINE, "return 4 * rate_g / (rate_g + 1) ** 2"),
        wrong("the rate is found for one example and written into the code", _FASTEST, "any decay", _FASTEST_LINE, "return 4 / 12.1"),
        wrong("D goes all the way to its best answer", _FASTEST, "another rate", _FASTEST_LINE, "return 1 / decay"),
        wrong("as fast as D can go without diverging on its own", _FASTEST, "another rate", _FASTEST_LINE, "return 1.8 / decay"),
        wrong("equal rates", _FASTEST, "another rate", _FASTEST_LINE, "return rate_g"),
        wrong("too fast for D: it diverges", _FASTEST, "not converge", _FASTEST_LINE, "return 2.1 / decay"),
        wrong("the pair of both roots", _FASTEST, "one real number", _FASTEST_LINE, "return 0.0, 4 * rate_g / (rate_g + decay) ** 2"),
        wrong("rates of D up to 2 only are searched", _FASTEST, "any decay", _FASTEST_LINE, "return min(2.0, 4 * rate_g / (rate_g + decay) ** 2)"),
        wrong("the growth from the start (1, 1)", _RADIUS, "All eigenvalues", _RADIUS_LINE, "np.linalg.norm(np.linalg.matrix_power(matrix, 400) @ [1, 1]) ** (1 / 400)"),
        wrong("a norm of a high power, whose length is NaN for zero", _RADIUS, "NaN", _RADIUS_LINE,
              "(lambda m: np.linalg.norm(m / np.linalg.norm(m)) * np.abs(np.linalg.eigvals(matrix)).max())(np.linalg.matrix_power(matrix, 2))"),
    ],
    "find_the_bug": [
        wrong("sigma: the fault is left in", _SIGMA, "All weights of one output", "(-1, kernel.shape[-1])", "(kernel.shape[-1], -1)"),
        wrong("sigma: one column for each input", _SIGMA, "last axis", _MATRIX, "np.reshape(np.swapaxes(kernel, 2, 3), (-1, kernel.shape[2]))"),
        wrong("sigma: the longest column", _SIGMA, "wrong", f"np.linalg.norm({_MATRIX}, 2)", f"np.linalg.norm({_MATRIX}, axis=0).max()"),
        wrong("sigma: the largest of the places", _SIGMA, "All weights of one output", f"np.linalg.norm({_MATRIX}, 2)",
              "max(np.linalg.norm(m, 2) for row in kernel for m in row)"),
        wrong("dense: the fault is left in", _INFERENCE, "Which kernel", _DENSE_END, "return (x @ (kernel / norm), new_u) if training else (x @ kernel, u)"),
        wrong("dense: never divided, so that both agree", _INFERENCE, "In training", "kernel / norm", "kernel"),
        wrong("dense: sampling moves u too", _INFERENCE, "not change the network", "new_u if training else u", "new_u"),
        wrong("dense: u never moves", _INFERENCE, "after a training call", "new_u if training else u", "u"),
        wrong("dense: the exact norm in sampling", _INFERENCE, "Which kernel", "norm = v @ kernel @ new_u",
              "norm = v @ kernel @ new_u if training else np.linalg.norm(kernel, 2)"),
        wrong("dense: sigma of the old guess in sampling", _INFERENCE, "Which kernel", "norm = v @ kernel @ new_u",
              "norm = v @ kernel @ (new_u if training else u)"),
        wrong("dense: writes into the caller's u", _INFERENCE, "Leave those as they are.", _DENSE_END,
              "out = x @ (kernel / norm)\n    old = u.copy()\n    u[:] = new_u\n    return out, u if training else old"),
        wrong("dense: only the output comes back", _INFERENCE, "two things", _DENSE_END, "return x @ (kernel / norm)"),
        wrong("attend: the fault is left in", _FLAG, "being trained", "query(x, training)", "query(x)", "key(x, training)", "key(x)",
              "value(x, training)", "value(x)"),
        wrong("attend: the value layer is forgotten", _FLAG, "in: value", "value(x, training)", "value(x)"),
        wrong("attend: the query layer only", _FLAG, "in: key, value", "key(x, training)", "key(x)", "value(x, training)", "value(x)"),
        wrong("attend: always in training", _FLAG, "outside of training", "query(x, training)", "query(x, True)", "key(x, training)",
              "key(x, True)", "value(x, training)", "value(x, True)"),
        wrong("attend: training is on unless said otherwise", _FLAG, "after sampling", "key, value, training=False", "key, value, training=True"),
        wrong("attend: a second call in training to move u", _FLAG, "once", "    scores =",
              "    if training:\n        query(x, True), key(x, True), value(x, True)\n    scores ="),
        wrong("attend: the residual is lost on the way", _FLAG, "output", "return x + weights", "return weights"),
        wrong("count: the fault is left in", _COUNTER, "How often", _ROUND, _ROUND.replace("step += 1", "step += n_dis + 1")),
        wrong("count: twice the number is halved, right for one step of D only", _COUNTER, "how many steps", _ROUND,
              _ROUND.replace("step += 1", "step += n_dis + 1").replace("< until", "< 2 * until").replace("return step,", "return step // 2,")),
        wrong("count: D's updates are the steps", _COUNTER, "n_dis", "        step += 1", "        step += n_dis"),
        wrong("count: n_dis is forgotten", _COUNTER, "n_dis", "d_updates += n_dis", "d_updates += 1"),
        wrong("count: the updates come in the wrong order", _COUNTER, "n_dis updates of D", "return step, d_updates, g_updates", "return step, g_updates, d_updates"),
        wrong("epoch: the fault is left in", _SHUFFLE, "come forward", _PERMUTED, _BUFFER.lstrip().replace("SIZE", "100")),
        wrong("epoch: a larger buffer, half of the file", _SHUFFLE, "come forward", _PERMUTED, _BUFFER.lstrip().replace("SIZE", "(n // 2)")),
        wrong("epoch: a buffer of nine tenths", _SHUFFLE, "come forward", _PERMUTED, "return epoch_faulty(n, rng, buffer=9 * n // 10)"),
        wrong("epoch: blocks are shuffled, but not inside", _SHUFFLE, "come forward", _PERMUTED,
              "blocks = np.split(np.arange(n), n // 100)\n    return np.concatenate([blocks[i] for i in rng.permutation(len(blocks))])"),
        wrong("epoch: drawn with replacement", _SHUFFLE, "exactly once", _PERMUTED, "return rng.integers(n, size=n)"),
        wrong("epoch: the same order in every epoch", _SHUFFLE, "same order", _PERMUTED, "return np.random.default_rng(7).permutation(n)"),
        wrong("epoch: a new random state in each call", _SHUFFLE, "same rng", _PERMUTED, "return np.random.default_rng().permutation(n)"),
        wrong("epoch: shuffles in place and returns nothing", _SHUFFLE, "gives None", _PERMUTED, "return rng.shuffle(np.arange(n))"),
        wrong("epoch: the first image is never drawn", _SHUFFLE, "shape", _PERMUTED, "return 1 + rng.permutation(n - 1)"),
        wrong("sigma: a power iteration that starts from ones", _SIGMA, "every kernel", f"np.linalg.norm({_MATRIX}, 2)",
              f"(lambda m: np.sqrt(np.ones(m.shape[1]) @ np.linalg.matrix_power(m.T @ m / np.trace(m.T @ m), 99) @ np.ones(m.shape[1]) / (np.ones(m.shape[1]) @ np.linalg.matrix_power(m.T @ m / np.trace(m.T @ m), 98) @ np.ones(m.shape[1]) + 1e-300) * np.trace(m.T @ m)))({_MATRIX})"),
        wrong("sigma: more outputs than there are rows are left out", _SIGMA, "All weights of one output",
              _MATRIX, _MATRIX + "[:, : kernel.size // kernel.shape[-1]]"),
        wrong("dense: of a wide kernel only a square is looked at", _INFERENCE, "In training", "    norm =",
              "    square = kernel[:, : len(kernel)]\n    if square.shape != kernel.shape:\n        v = np.linalg.svd(square)[0][:, 0]\n    norm ="),
        wrong("attend: a query as long as a row of x is taken for granted", _FLAG, "stopped with",
              "scores = query(x, training)", "scores = np.reshape(query(x, training), x.shape)"),
        wrong("dense: sampling divides by the last training's sigma, of whatever kernel", _INFERENCE, "Which kernel",
              "def dense(", "LAST = [None]\n\n\ndef dense(", "    return x @ (kernel / norm)", "    LAST[0] = norm = norm if training or LAST[0] is None else LAST[0]\n    return x @ (kernel / norm)"),
        wrong("count: asked after a step, not before", _COUNTER, "how many steps", "    while step < until:", "    until = max(until, 1)\n    while step < until:"),
        wrong("epoch: a buffer of 1,600", _SHUFFLE, "how many there are", _PERMUTED, "return epoch_faulty(n, rng, buffer=1600)"),
        wrong("epoch: equal steps through the file", _SHUFFLE, "has a pattern", _PERMUTED,
              "stride = max(1, int(0.618 * n))\n    while np.gcd(stride, n) > 1:\n        stride += 1\n    return (rng.integers(n) + stride * np.arange(n)) % n"),
    ],
    "experiment": [
        wrong("G learns from the old psi", _EXACT, "by hand", _PSI + _MU,
              "        old = psi\n" + _PSI + "        mu = mu + rate_g * old\n"),
        wrong("the decay of D is forgotten", _EXACT, "by hand", "fake.mean(1) - psi)", "fake.mean(1))"),
        wrong("each player moves at the other's rate", _EXACT, "by hand", "    mu, psi =", "    rate_g, rate_d = rate_d, rate_g\n    mu, psi ="),
        wrong("G goes the wrong way", _EXACT, "by hand", "mu + rate_g", "mu - rate_g"),
        wrong("one step too many", _EXACT, "by hand", "range(steps)", "range(steps + 1)"),
        wrong("mu without its sign taken away", _EXACT, "wrong", "np.mean(np.abs(mu))", "np.mean(mu)"),
        wrong("all runs instead of their mean", _EXACT, "shape", "np.mean(np.abs(mu))", "np.abs(mu)"),
        wrong("the size of the mean, not the mean of sizes", _NOISE, "Look at the noise of both", "np.mean(np.abs(mu))", "np.abs(np.mean(mu))"),
        wrong("root mean square", _NOISE, "what is averaged", "np.mean(np.abs(mu))", "np.sqrt(np.mean(mu**2))"),
        wrong("real numbers without noise", _NOISE, "both means", _REAL, "real = np.zeros((100, 8))"),
        wrong("real and fake share their noise", _NOISE, "Look at the noise of both", _SHIFTED, "fake = mu[:, None] + real"),
        wrong("all runs share their noise", _NOISE, "100 runs", _REAL, "real = rng.normal(0.0, spread, size=(1, 8))",
              _SHIFTED, "fake = mu[:, None] + rng.normal(0.0, spread, size=(1, 8))"),
        wrong("the noise is drawn once for all steps", _NOISE, "new numbers", "    for _ in range(steps):\n        " + _REAL + "\n",
              "    " + _REAL + "\n    noise = rng.normal(0.0, spread, size=(100, 8))\n    for _ in range(steps):\n",
              _SHIFTED, "fake = mu[:, None] + noise"),
        wrong("its own random state in place of rng", _NOISE, "Look at the noise of both", "    mu, psi =",
              "    rng = np.random.default_rng()\n    mu, psi ="),
        wrong("the gain is turned around", _NUMBER, "Is a gain the equal rates' distance", _GAIN, "gains.append(distance(0.05, 0.05 * ratio, steps, 1.0, rng) / equal)"),
        wrong("a difference in place of a factor", _NUMBER, "gain", "equal / distance", "equal - distance"),
        wrong("the short runs are ten times too short", _NUMBER, "Is a gain the equal rates' distance", "(4, 60), (16, 60)", "(4, 6), (16, 6)"),
        wrong("ratio 4 twice, with no 16", _NUMBER, "Is a gain the equal rates' distance", "(16, 60)", "(4, 60)"),
        wrong("the gains' mean", _NUMBER, "three numbers", "np.array(gains)", "np.mean(gains)"),
        wrong("the seed is not used", _NUMBER, "Is a gain the equal rates' distance", "default_rng(seed)", "default_rng(0)"),
        wrong("another random state in each call", _NUMBER, "Is a gain the equal rates' distance", "default_rng(seed)", "default_rng()"),
        wrong("the gains of one seed are written into the code", _NUMBER, "Is a gain the equal rates' distance", "np.array(gains)", "np.array([5.3, 2.8, 1.0])"),
        wrong("a new generator for each distance", _VALUES, "Each gain is made of its own two", "1.0, rng)\n", "1.0, np.random.default_rng(seed))\n"),
        wrong("one equal run serves two gains", _VALUES, "Each gain is made of its own two",
              "    gains = []\n", "    gains, short = [], distance(0.05, 0.05, 60, 1.0, rng)\n",
              "equal = distance(0.05, 0.05, steps, 1.0, rng)", "equal = short if steps == 60 else distance(0.05, 0.05, steps, 1.0, rng)"),
        wrong("numbers drawn in the right range, no run at all", _VALUES, "Each gain is made of its own two",
              "    gains = []\n", "    return rng.uniform([4.8, 2.6, 0.8], [6.0, 3.0, 1.2])\n"),
        wrong("the ratio's run comes first", _VALUES, "Each gain is made of its own two",
              "        equal = distance(0.05, 0.05, steps, 1.0, rng)\n        " + _GAIN,
              "        fast = distance(0.05, 0.05 * ratio, steps, 1.0, rng)\n        gains.append(distance(0.05, 0.05, steps, 1.0, rng) / fast)"),
        wrong("the median of the runs", _NOISE, "what is averaged", "np.mean(np.abs(mu))", "np.median(np.abs(mu))"),
        wrong("half of the runs mirror the others", _NOISE, "with numbers of their own", _REAL, "real = rng.normal(0.0, spread, size=(50, 8))\n        real = np.concatenate([real, -real])"),
        wrong("the spread is taken for the variance", _NOISE, "this standard deviation", _REAL, _REAL.replace("spread", "spread**0.5"), _SHIFTED, _SHIFTED.replace("spread", "spread**0.5")),
        wrong("the gains are rounded to one decimal", _VALUES, "at the text's rates", "np.array(gains)", "np.round(gains, 1)"),
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
        right("looks at the real images once more, for a print", """
def train_step(real, draw, generator, discriminator, g_optimizer, d_optimizer, n_dis=1, verbose=True):
    size = len(real) // n_dis
    for k in range(n_dis):
        images, z = real[k * size : (k + 1) * size], draw(size)
        with tf.GradientTape() as tape:
            margins = [1 - discriminator(images, training=True), 1 + discriminator(generator(z, training=True), training=True)]
            d_loss = sum(tf.reduce_mean(tf.maximum(0.0, each)) for each in margins)
        weights = discriminator.trainable_weights
        d_optimizer.apply(tape.gradient(d_loss, weights), weights)
        if verbose:
            print("score of the real images, no gradient:", float(tf.reduce_mean(discriminator(images, training=True))))
    with tf.GradientTape() as tape:
        g_loss = -tf.reduce_mean(discriminator(generator(draw(size), training=True), training=True))
    weights = generator.trainable_weights
    g_optimizer.apply(tape.gradient(g_loss, weights), weights)
    return [d_loss.numpy(), g_loss.numpy()]
"""),
        right("batches by tf.data, both losses in one array, type annotations", """
def relu(t: tf.Tensor) -> tf.Tensor:
    return tf.where(t > 0, t, tf.zeros_like(t))


def train_step(real: tf.Tensor, draw, generator, discriminator, g_optimizer, d_optimizer, n_dis: int = 1) -> np.ndarray:
    size = real.shape[0] // n_dis
    for part in tf.data.Dataset.from_tensor_slices(real).batch(size):
        fake = generator(draw(size), training=True)
        with tf.GradientTape() as tape:
            real_side = relu(1.0 - discriminator(part, training=True))
            d_loss = tf.reduce_mean(real_side) + tf.reduce_mean(relu(1.0 + discriminator(fake, training=True)))
        gradient = tape.gradient(d_loss, discriminator.trainable_variables)
        print("gradient", len(gradient))
        d_optimizer.apply(gradient, discriminator.trainable_variables)
    with tf.GradientTape() as tape:
        g_loss = tf.negative(tf.reduce_mean(discriminator(generator(draw(size), training=True), training=True)))
    g_optimizer.apply(tape.gradient(g_loss, generator.trainable_variables), generator.trainable_variables)
    return np.array([d_loss, g_loss])
"""),
        right("a dataclass for a player, methods of any name, try and finally", """
from dataclasses import dataclass


@dataclass
class Player:
    network: keras.Model
    optimizer: keras.optimizers.Optimizer

    def call(self, x):
        return self.network(x, training=True)

    def close(self, loss):
        with tf.GradientTape() as tape:
            value = loss()
        variables = self.network.trainable_variables
        try:
            return float(value)
        finally:
            self.optimizer.apply(tape.gradient(value, variables), variables)


def train_step(real, draw, generator, discriminator, g_optimizer, d_optimizer, n_dis=1):
    g, d = Player(generator, g_optimizer), Player(discriminator, d_optimizer)
    batches, mean = iter(tf.split(real, n_dis)), tf.reduce_mean
    size = len(real) // n_dis
    losses = {}
    for _ in range(n_dis):
        x, z = next(batches), draw(size)
        losses["d"] = d.close(lambda: mean(tf.nn.relu(1 - d.call(x))) + mean(tf.nn.relu(1 + d.call(g.call(z)))))
    z = draw(size)
    losses["g"] = g.close(lambda: -mean(d.call(g.call(z))))
    return losses["d"], losses["g"]
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
        right("float32, lambdas, scipy's search", """
from scipy import optimize

only_d = lambda rate, decay: np.array([[1, 0], [rate, 1 - rate * decay]], "float32")
only_g = lambda rate: np.array([[1, -rate], [0, 1]], "float32")


def step_matrix(rate_g, rate_d, decay, alternating):
    g, d = only_g(rate_g), only_d(rate_d, decay)
    if alternating:
        return g @ d
    return np.vstack([g[0], d[1]])


def radius(matrix):
    return np.abs(np.linalg.eigvals(np.asarray(matrix, "float32"))).max()


def fastest(rate_g, decay):
    def loss(rate_d):
        matrix = only_g(rate_g).astype(float) @ np.array([[1, 0], [rate_d, 1 - rate_d * decay]])
        return np.abs(np.linalg.eigvals(matrix)).max()

    return optimize.minimize_scalar(loss, bounds=(0, 2 / decay), method="bounded", options={"xatol": 1e-10}).x
"""),
        right("math and cmath, try and except, type annotations", """
import cmath
import math


def step_matrix(rate_g: float, rate_d: float, decay: float, alternating: bool) -> np.ndarray:
    result = np.eye(2)
    result[1] += rate_d * np.array([1, -decay])
    result[0] -= rate_g * (result[1] if alternating else np.array([0, 1]))
    return result


def radius(matrix: np.ndarray) -> float:
    (a, b), (c, d) = np.asarray(matrix, float).tolist()
    half, inside = (a + d) / 2, ((a - d) / 2) ** 2 + b * c
    try:
        root = math.sqrt(inside)
    except ValueError:
        root = cmath.sqrt(inside)
    return max(abs(half + root), abs(half - root))


def fastest(rate_g: float, decay: float) -> float:
    return rate_g / ((rate_g + decay) / 2) ** 2
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
        right("lambdas, float32, an own shuffle in place, type annotations", """
import statistics

matrix_of = lambda kernel: np.asarray(kernel, "float32").reshape(-1, kernel.shape[-1])
sigma = lambda kernel: np.linalg.svd(matrix_of(kernel), compute_uv=False).max()
count = lambda until, n_dis: np.array([until, until * n_dis, until])


class Norm:
    def __init__(self, kernel: np.ndarray, u: np.ndarray):
        self.kernel, self.u = kernel, u.copy()

    def softmax(self):
        v = self.kernel @ self.u
        v /= np.linalg.norm(v)
        self.u[:] = self.kernel.T @ v
        length = float(np.linalg.norm(self.u))
        self.u /= length
        return statistics.mean([length, length])


def dense(x: np.ndarray, kernel: np.ndarray, u: np.ndarray, training: bool) -> list:
    norm = Norm(kernel, u)
    y = x @ kernel / norm.softmax()
    if not training:
        return [y, u]
    return [y, norm.u]


def attend(x, query, key, value, training=False):
    q, k, v = [layer(x, training=training).astype("float32") for layer in (query, key, value)]
    rows = []
    for row in q:
        logits = k @ row
        weights = np.exp(logits - logits.max())
        rows.append(weights @ v / weights.sum())
    return x + np.array(rows)


def epoch(n: int, rng: np.random.Generator) -> list[int]:
    order = list(range(n))
    for k in range(n - 1, 0, -1):
        other = int(rng.integers(k + 1))
        order[k], order[other] = order[other], order[k]
    return order
"""),
    ],
    "experiment": [
        right("both batches drawn at once", """
def distance(rate_g, rate_d, steps, spread, rng):
    mu, psi = np.full(100, 4.0), np.zeros(100)
    for real, fake in rng.normal(0, spread, size=(steps, 2, 100, 8)).mean(-1):
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
        x = spread * rng.standard_normal((2, 100, 8))
        gap = np.mean(x[0] - x[1], axis=1) - state[0]
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
        right("statistics.mean, float32, a class with a method called softmax", """
import statistics


class Game:
    def __init__(self, spread, rng, runs=100):
        self.mu, self.psi = np.full(runs, 4, "float32"), np.zeros(runs, "float32")
        self.spread, self.rng = spread, rng

    def batch(self):
        return self.rng.normal(0, self.spread, size=(len(self.mu), 8)).mean(1).astype("float32")

    def softmax(self, rate_g, rate_d):
        gap = self.batch() - self.batch() - self.mu
        self.psi += np.float32(rate_d) * (gap - self.psi)
        self.mu += np.float32(rate_g) * self.psi


def distance(rate_g, rate_d, steps, spread, rng):
    game = Game(spread, rng)
    for _ in range(steps):
        game.softmax(rate_g, rate_d)
    return statistics.mean(abs(float(mu)) for mu in game.mu)


def experiment(seed, verbose=False):
    rng, gains = np.random.default_rng(seed), []
    for ratio, steps in ((4, 60), (16, 60), (4, 400)):
        equal, fast = (distance(0.05, 0.05 * r, steps, 1.0, rng) for r in (1, ratio))
        gains.append(np.float32(equal / fast))
        if verbose:
            print("gradient", gains)
    return tuple(gains)
"""),
    ],
}
