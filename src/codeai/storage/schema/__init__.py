"""Tables from the model. The only room that knows SQLAlchemy and Alembic; serving processes never enter it."""
