"""Profiles of running processes, in the form that ``go tool pprof`` reads. Nothing here costs anything until it is asked for."""
