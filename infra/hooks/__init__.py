"""The steps around a deployment that Bicep cannot do. Run by azure.yaml or by hand; each may be repeated."""
