"""The common package of Upkeep: everything that is deployed to the function app."""

import gc

# Importing makes hundreds of thousands of objects and next to no garbage. At Python's own 700 the collector looks
# them over again and again, which takes a twelfth of a cold start.
gc.set_threshold(20_000)
