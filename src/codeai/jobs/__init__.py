"""When work runs and in which order: timetables, the scheduler, queues. What a run does is the durable room's."""
