"""The offline check of the infrastructure: `python -m infra.check infra/`, called by `make check-infra`.

It reads Bicep with tree-sitter, because no package carries the real compiler, and needs no network. It is for
development and CI: the deployed app holds none of it. It never calls Azure and never changes a file.
"""
