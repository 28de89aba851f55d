"""How much is tried: little in every run of the tests, more by ``make faults``."""

import os

KILLS = int(os.environ.get("FAULTS_KILLS", "50"))  # of processes at durable write points
SECONDS = int(os.environ.get("FAULTS_SECONDS", "8"))  # for which a fault comes and goes under load
ALL = "FAULTS_SECONDS" in os.environ  # also the points that others nearly imply
