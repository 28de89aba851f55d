"""Events: the outbox, what is made of it, webhooks in both directions (language page, section 8)."""
