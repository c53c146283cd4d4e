"""Hand-written fakes of the ports. They pass the same contract suites as the adapters (tests/contract)."""
