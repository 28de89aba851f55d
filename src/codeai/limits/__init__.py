"""Rate limits: four strategies, in the memory of a process or in Redis for all."""
