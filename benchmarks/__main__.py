"""`python -m benchmarks` runs every benchmark at its usual size."""

from benchmarks import load

load.main([])
