"""The common package of Upkeep: everything that is deployed to the function app."""
