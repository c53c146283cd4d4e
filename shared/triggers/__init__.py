"""The way in from outside, as blueprints: authenticate, parse, record once, nudge, return. No work is done here."""
