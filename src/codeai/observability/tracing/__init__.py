"""Traces by OpenTelemetry, which is loaded only where the environment asks for it."""
