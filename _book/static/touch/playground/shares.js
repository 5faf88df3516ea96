/* Of how many seeds each lesson holds: written by `python _book/lessons.py`; do not edit. */
window.PLAYGROUND_SHARES = {};
