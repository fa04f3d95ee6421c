"""`python -m benchmarks` runs every benchmark at its usual size."""

from benchmarks import collector, identity, load, ticks

load.main([])
ticks.main([])
collector.main([])
identity.main([])
