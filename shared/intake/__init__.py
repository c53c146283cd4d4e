"""An upload becomes an accepted part or a quarantined file; nothing is lost and nothing counts twice."""
