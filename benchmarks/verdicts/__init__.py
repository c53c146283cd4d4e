"""How often the judge and the canary analysis are wrong, by simulation, beside simpler rules and Kayenta's."""
