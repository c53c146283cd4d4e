"""The pure core: values in, values out. No Azure, no I/O, no clock, no log, no randomness."""
