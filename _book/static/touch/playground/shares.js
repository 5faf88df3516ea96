/* Of how many seeds each lesson holds. By `python _book/lessons.py`; do not edit. */
window.PLAYGROUND_SCRIPTS = "c2f68f7d06ef064c785cbef235dd2c1e93951eb4e4c242fb67656a217099929c";
window.PLAYGROUND_SHARES = {
  "minimax": {
    "held": 10,
    "of": 10
  },
  "circle": {
    "held": 10,
    "of": 10
  },
  "fast_d": {
    "held": 10,
    "of": 10
  },
  "sn": {
    "held": 10,
    "of": 10
  },
  "r1": {
    "held": 10,
    "of": 10
  },
  "momentum": {
    "held": 10,
    "of": 10
  },
  "collapse": {
    "held": 10,
    "of": 10
  },
  "rate": {
    "held": 10,
    "of": 10
  }
};
