"""The command line: named runs, what a run keeps, the checks of a machine."""
