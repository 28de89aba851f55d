"""PostgreSQL through asyncpg: explicit transactions, kept statements, connections that are dropped when in doubt."""
