"""Load, latency and scale, measured on this machine as ratios within one run wherever a baseline can run beside it."""
