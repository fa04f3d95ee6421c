"""`python -m benchmarks` runs every benchmark at its usual size."""

from benchmarks import collector, load

load.main([])
collector.main([])
