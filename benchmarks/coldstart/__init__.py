"""How long the deployed package takes from the start of a process to its first handled event, and what that costs."""
