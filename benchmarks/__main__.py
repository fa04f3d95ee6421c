"""`python -m benchmarks` runs every benchmark at its usual size."""

from benchmarks import collector, load, ticks

load.main([])
ticks.main([])
collector.main([])
