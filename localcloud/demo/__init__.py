"""The demo: plays a year of flights against a fresh local cloud, and tells what Upkeep makes of it.

It stands outside, as a person does: uploads by the command line, scoring over HTTP, the status API. It imports
nothing of the product.
"""
