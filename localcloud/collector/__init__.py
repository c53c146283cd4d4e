"""The model data collector: a sidecar for each deployment that collects, which writes JSON lines to blobs."""
