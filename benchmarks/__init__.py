"""What speed is measured with: ratios of one run on one machine, never seconds of another."""
