"""Who offers, claims and recovers work."""
