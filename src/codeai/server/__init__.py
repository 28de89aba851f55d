"""Settings, loading, composition and processes."""
