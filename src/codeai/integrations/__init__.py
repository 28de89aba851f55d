"""Calls to other systems: the guarded HTTP client, clients of declared integrations, retry, circuit breakers, authentication."""
