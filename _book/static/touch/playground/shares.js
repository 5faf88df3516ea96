/* Of how many seeds each lesson holds. By `python _book/lessons.py`; do not edit. */
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
