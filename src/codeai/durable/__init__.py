"""Durable execution: workflows and jobs that survive anything (language page, sections 9 and 10)."""
