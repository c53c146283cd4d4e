"""The shell around the core: load, observe, decide, commit, act. Knows ports and no SDK."""
