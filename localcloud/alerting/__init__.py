"""Azure Monitor's scheduled query rules and action group, as far as the local cloud plays them."""
