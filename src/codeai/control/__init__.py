"""The operators' API under /api/v1: definitions, executions, jobs, schedules, events, integrations, queries."""
