"""What operators see: logs and health."""
