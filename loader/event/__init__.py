"""One event: how its names, values and fields are read."""
