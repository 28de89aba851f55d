"""The commands of the operator's guide in its order, each with a pattern of what it prints."""

ANSWERS: list[tuple[str, str]] = [
    # Database connection failures
    ("pg_isready -h localhost -p 5432", r"^localhost:5432 - accepting connections$"),
    ('psql -h localhost -p 5432 -U root -d codeai -c "SELECT 1"', r"\(1 row\)"),
    (
        "curl -s http://localhost:8080/health | jq '.checks.database'",
        r'"max_connections": 25,\n    "open_connections": \d+,\n    "in_use": \d+,',
    ),
    # JWT token validation errors
    ('TOKEN=$(codeai token --role admin); echo "$TOKEN" | cut -d. -f2 | base64 -d 2>/dev/null | jq .', r'"exp": \d+'),
    # Workflow execution failures
    ("codeai validate workflow.cai", r"^valid$"),
    ("codeai parse workflow.cai --output json | jq .", r'^\{\n  "node": "Module",'),
    # Cache (Redis) issues
    ("redis-cli -h localhost -p 6379 ping", r"^PONG$"),
    ("redis-cli info memory", r"used_memory:\d+"),
    ("redis-cli client list", r"cmd=evalsha|cmd=get|cmd=set|cmd=client"),
    # Using pprof for profiling
    ("echo top | go tool pprof http://localhost:8080/debug/pprof/profile?seconds=1 2>&1", r"Type: cpu[\s\S]*Duration: 1"),
    ("printf 'top 20\\n' | go tool pprof http://localhost:8080/debug/pprof/heap 2>&1", r"Type: inuse_space[\s\S]*Showing nodes"),
    # Database query analysis
    (
        """psql <<'SQL'
EXPLAIN (ANALYZE, BUFFERS, FORMAT TEXT)
SELECT * FROM workflows WHERE status = 'active';
SQL""",
        r"Execution Time",
    ),
    (
        """psql <<'SQL'
SELECT schemaname, relname, seq_scan, seq_tup_read
FROM pg_stat_user_tables
WHERE seq_scan > 0
ORDER BY seq_tup_read DESC;
SQL""",
        r"public +\| workflows",
    ),
    (
        """psql <<'SQL'
ANALYZE;
SELECT schemaname, tablename, attname, null_frac, n_distinct
FROM pg_stats
WHERE schemaname = 'public'
ORDER BY null_frac DESC;
SQL""",
        r"public +\| workflows +\| status",
    ),
    (
        """psql <<'SQL'
SELECT pid, age(clock_timestamp(), query_start), usename, query
FROM pg_stat_activity
WHERE state != 'idle' AND query NOT ILIKE '%pg_stat_activity%'
ORDER BY query_start;
SQL""",
        r"pid \| +age +\| usename \| +query",
    ),
    # Request tracing
    ('curl -H "X-Request-ID: trace-123" http://localhost:8080/api/v1/workflows', r'"name":"Order".*"status":"active"'),
    ('sleep 0.3; grep "trace-123" /var/log/codeai/*.log', r'"request_id":"trace-123","method":"GET","path":"/api/v1/workflows"'),
    # Memory profiling
    (
        """curl -s http://localhost:8080/debug/pprof/heap > heap1.pb.gz
curl -s http://localhost:8080/debug/pprof/heap > heap2.pb.gz
echo top | go tool pprof -base heap1.pb.gz heap2.pb.gz 2>&1""",
        r"Type: inuse_space",
    ),
    ("curl -s http://localhost:8080/debug/pprof/goroutine?debug=2", r"^goroutine \d+ \[[a-zA-Z ]+(, \d+ minutes)?\]:$"),
    ("curl -s http://localhost:8080/debug/pprof/goroutine?debug=0 | head -1", r"^goroutine profile: total \d+$"),
    # Performance issues
    (
        """psql <<'SQL'
ALTER SYSTEM SET log_min_duration_statement = '100ms';
SELECT pg_reload_conf();
EXPLAIN (ANALYZE, COSTS, BUFFERS)
SELECT * FROM executions WHERE workflow_id = 'abc' ORDER BY created_at DESC LIMIT 10;
SQL""",
        r"t\n[\s\S]*executions[\s\S]*Execution Time",
    ),
    (
        """curl -s http://localhost:8080/debug/pprof/profile?seconds=1.1 > /dev/null; sleep 0.3
cat /var/log/codeai/app.log | jq 'select(.duration > 1000) | {path, duration, method}'""",
        r'\{\n  "path": "/debug/pprof/profile",\n  "duration": 1\d\d\d(\.\d+)?,\n  "method": "GET"\n\}',
    ),
    ("echo 'top 20' | go tool pprof -alloc_space http://localhost:8080/debug/pprof/heap 2>&1", r"Type: alloc_space[\s\S]*Showing nodes"),
    (
        'curl -s http://localhost:8080/debug/pprof/goroutine?debug=2 > goroutines.txt\ncat goroutines.txt | grep "^goroutine" | wc -l',
        r"^\d+$",
    ),
    ('grep -A 10 "chan receive" goroutines.txt | head -50', r"^goroutine \d+ \[chan receive"),
    # Recovery procedures
    ("pgrep -f codeai", r"^\d+$"),
    ("""psql -c "SELECT * FROM pg_catalog.pg_tables WHERE schemaname = 'public';" """, r"public +\| executions"),
    (
        """psql <<'SQL'
SELECT pg_terminate_backend(pid)
FROM pg_stat_activity
WHERE state = 'active'
  AND query_start < NOW() - INTERVAL '5 minutes';
SQL""",
        r"\(0 rows\)",
    ),
    # Job queue cleanup
    ("curl http://localhost:8080/api/v1/admin/jobs?status=pending", r'^\{"data":\['),
    # Health check endpoints
    ("curl -s http://localhost:8080/health/live", r'^\{"status":"healthy"'),
    ("curl -s http://localhost:8080/health/ready", r'^\{"status":"healthy".*"database":\{"status":"healthy"'),
    # Metrics inspection
    ("curl -s http://localhost:8080/metrics", r'^http_requests_total\{method="GET",route="/tickets",status="200"\} \d'),
    # Log aggregation queries, as jq and grep ask them
    (
        """curl -s http://localhost:8080/broken > /dev/null; sleep 0.3
grep error /var/log/codeai/app.log | jq -c 'select(.level == "error") | {level, path, status}'""",
        r'^\{"level":"error","path":"/broken","status":500\}$',
    ),
    ("grep authentication /var/log/codeai/app.log | grep failed | jq -r .msg", r"^authentication failed: AUTH001"),
    # Database connection status
    (
        """psql -h localhost -U root -d codeai -c "
  SELECT count(*) as connections,
         state
  FROM pg_stat_activity
  GROUP BY state;
" """,
        r"\d+ \| idle",
    ),
    ("curl -s http://localhost:8080/health | jq '.checks.database.details'", r'^\{\n  "max_connections": 25,'),
    # What to include in bug reports
    ("codeai version", r"^codeai \d+\.\d+"),
    ("go version", r"^go version go1"),
    ("curl http://localhost:8080/health", r'^\{"status":"healthy"'),
    # Temporary debug logging
    ('curl -H "X-Debug: true" -H "X-Request-ID: debugged" http://localhost:8080/api/v1/workflows', r'"name":"Order"'),
    ("sleep 0.3; grep debugged /var/log/codeai/app.log | jq -r .level | sort -u", r"^debug\ninfo\n$"),
    # Quick reference
    ("curl -s http://localhost:8080/health | jq '.checks.cache'", r'"status": "healthy"'),
    (
        """(sleep 0.3; curl -s http://localhost:8080/broken > /dev/null) &
timeout 2 tail -f /var/log/codeai/app.log | grep -i error""",
        r'"level":"error","msg":"request".*"path":"/broken"',
    ),
]
