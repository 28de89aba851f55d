"""The dispatcher for fleets that run DBOS: an activation travels as a DBOS workflow; the row of ours stays what decides.

``engine`` alone imports DBOS, and only when a durable worker starts.
"""
