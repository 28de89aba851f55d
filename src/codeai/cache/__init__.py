"""Caches: in the memory of a process or in Redis, with single flight, invalidation by writes, and no failure of their own."""
