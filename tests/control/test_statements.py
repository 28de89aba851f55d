"""The operator's guide on executions and jobs, command by command; names carry the numbers of the statements."""

import shlex

from operating import Operator


def failed_order(operator: Operator, item: str) -> str:
    id_ = operator.start("Order", item=item)
    assert operator.ended(id_)["status"] == "failed"
    return id_


def test_s27_a_failed_execution_says_so(operator: Operator) -> None:
    found = operator.execution(failed_order(operator, "s27"))
    assert found["status"] == "failed"
    assert found["error"]["step"] == "charge"
    assert "the peer is down" in found["error"]["message"]


def test_s65_workflows_are_a_table_with_a_status(operator: Operator) -> None:
    rows = operator.sql("SELECT * FROM workflows WHERE status = 'active'")
    assert {"Greet", "Order", "Ask"} <= {row[0] for row in rows}


def test_s66_executions_are_found_by_workflow_newest_first(operator: Operator) -> None:
    assert operator.sql("SELECT * FROM executions WHERE workflow_id = 'abc' ORDER BY created_at DESC LIMIT 10") == []
    first, second = operator.start("Order", item="s66 a"), operator.start("Order", item="s66 b")
    rows = operator.sql("SELECT id FROM executions WHERE workflow_id = 'Order' ORDER BY created_at DESC LIMIT 10")
    assert [row[0] for row in rows[:2]] == [second, first]


def test_s66_the_look_up_is_indexed(operator: Operator) -> None:
    query = "SELECT * FROM executions WHERE workflow_id = 'abc' ORDER BY created_at DESC LIMIT 10"
    if operator.kind == "sqlite":
        plan = str(operator.sql("EXPLAIN QUERY PLAN " + query))
    else:
        plan = str(operator.sql(f"SET enable_seqscan = off; EXPLAIN {query}"))
    assert "executions_workflow_id_created_at_idx" in plan


def test_s73_the_workflows_of_the_guide(operator: Operator) -> None:
    status, body = operator.curl('curl -H "X-Request-ID: trace-123" http://localhost:8080/api/v1/workflows')
    assert status == 200
    assert {"Ask", "Greet", "Order", "Yearly"} <= {row["name"] for row in body["data"]}
    assert "trace-123" in operator.until(lambda: "trace-123" in operator.server.output and operator.server.output)


def test_s97_the_sample_of_the_query_language(operator: Operator) -> None:
    answer = operator.http.post("/query", json={"q": "select workflow where email == 1"})
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"field": "q", "code": "CompilerError", "message": "unknown field 'email' on entity 'workflow'"}]


def test_s111_retry_needs_no_body(operator: Operator) -> None:
    id_ = failed_order(operator, "s111")
    status, body = operator.curl(f"curl -X POST http://localhost:8080/api/v1/executions/{id_}/retry")
    assert (status, body["id"], body["attempt"]) == (202, id_, 2)
    assert operator.ended(id_)["status"] == "failed"
    assert operator.notes().count("reserved s111") == 1


def test_s112_compensate_needs_no_body(operator: Operator) -> None:
    id_ = failed_order(operator, "s112")
    status, body = operator.curl(f"curl -X POST http://localhost:8080/api/v1/executions/{id_}/compensate")
    assert (status, body["id"]) == (202, id_)
    assert operator.ended(id_, "compensated")["compensation"] == "done"
    assert operator.notes().count("released s112") == 1


def test_s113_pending_jobs(operator: Operator) -> None:
    first, second = (operator.http.post("/admin/schedules/Single/trigger").json()["execution_id"] for _ in range(2))
    operator.ended(first, "waiting")
    status, body = operator.curl("curl http://localhost:8080/api/v1/admin/jobs?status=pending")
    assert status == 200
    assert [job["id"] for job in body["data"] if job["name"] != "Hourly"] == [second]  # whose hour may have come
    operator.http.delete(f"/admin/jobs/{first}")
    operator.ended(second, "waiting")  # one at a time, and none is lost
    operator.http.delete(f"/admin/jobs/{second}")


def test_s114_delete_cancels(operator: Operator) -> None:
    id_ = operator.enqueue("Nap")
    command = f"curl -X DELETE http://localhost:8080/api/v1/admin/jobs/{id_}"
    assert operator.curl(command) == (204, None)
    assert operator.ended(id_)["status"] == "cancelled"
    assert operator.curl(command)[0] == 204  # repeating is harmless
    assert operator.curl("curl -X DELETE http://localhost:8080/api/v1/admin/jobs/unknown")[0] == 404
    failed = operator.enqueue("Fails")
    operator.ended(failed)
    assert operator.curl(f"curl -X DELETE http://localhost:8080/api/v1/admin/jobs/{failed}")[0] == 409


def aged(operator: Operator, job: str, hours: int) -> str:
    """A run that ended so many hours ago."""
    id_ = operator.enqueue(job)
    operator.ended(id_)
    sqlite = f"strftime('%Y-%m-%dT%H:%M:%f000Z', 'now', '-{hours} hours')"
    ago = sqlite if operator.kind == "sqlite" else f"now() - interval '{hours} hours'"
    operator.sql(f"UPDATE executions SET finished_at = {ago} WHERE id = '{id_}'")
    return id_


def exists(operator: Operator, id_: str) -> bool:
    return operator.http.get(f"/admin/jobs/{id_}").status_code == 200


def test_s115_purge_removes_what_failed_long_ago(operator: Operator) -> None:
    old, young, other = aged(operator, "Fails", 25), aged(operator, "Fails", 23), aged(operator, "Clean", 25)
    status, body = operator.curl("curl -X POST 'http://localhost:8080/api/v1/admin/jobs/purge?status=failed&older_than=24h'")
    assert (status, body) == (200, {"purged": 1})
    assert [exists(operator, id_) for id_ in (old, young, other)] == [False, True, True]
    assert operator.sql(f"SELECT count(*) FROM codeai_steps WHERE execution_id = '{old}'")[0][0] in (0, "0")


def test_t1_the_unquoted_purge_of_the_guide_spares_the_last_day(operator: Operator) -> None:
    """A shell cuts the command at the ampersand, so that the server is told of the status alone."""
    old, young = aged(operator, "Fails", 25), aged(operator, "Fails", 1)
    output = operator.shell("curl -s -X POST http://localhost:8080/api/v1/admin/jobs/purge?status=failed&older_than=24h\nwait")
    assert output == '{"purged":1}'
    assert [exists(operator, id_) for id_ in (old, young)] == [False, True]


def test_t7_neither_body_nor_content_type_is_needed(operator: Operator) -> None:
    id_ = failed_order(operator, "t7")
    for path, status in ((f"executions/{id_}/retry", 202), ("admin/jobs/purge?status=failed", 200)):
        for options in ("", "-H 'Content-Type:'", "-H 'Content-Type: text/plain' -d ''", "-d ''"):
            command = f"curl -X POST {options} {shlex.quote('http://localhost:8080/api/v1/' + path)}"
            assert operator.curl(command)[0] == status, command
    operator.ended(id_)
    assert operator.curl(f"curl -X POST -d '' http://localhost:8080/api/v1/executions/{id_}/compensate")[0] == 202


def test_t8_definitions_and_runs_are_two_tables(operator: Operator) -> None:
    operator.start("Greet", name="t8")
    statuses = {row[0] for row in operator.sql("SELECT DISTINCT status FROM workflows")}
    assert statuses <= {"active", "paused", "archived"}
    assert operator.sql("SELECT count(*) FROM executions WHERE workflow_id = 'Greet'")[0][0] not in (0, "0")


def test_t13_an_execution_names_its_definition_as_text(operator: Operator) -> None:
    if operator.kind == "sqlite":
        types = {row[1]: row[2] for row in operator.sql("PRAGMA table_info(executions)")}
    else:
        types = dict(operator.sql("SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'executions'"))
    assert types["workflow_id"].lower() == "text"


def test_t20_operators_query_workflows_executions_jobs_and_events(operator: Operator) -> None:
    operator.ended(operator.start("Greet", name="t20"))
    operator.ended(operator.enqueue("Clean"))
    queries = {
        'first workflow where name == "Greet"': lambda found: found["status"] == "active",
        'count(execution where workflow_id == "Greet" and status == "completed")': lambda found: found >= 1,
        'select job where name == "Clean" and status == "completed" limit 1': lambda found: found[0]["queue"] == "low",
        "count(event)": lambda found: found >= 0,
    }
    for text, expected in queries.items():
        answer = operator.http.post("/query", json={"q": text})
        assert answer.status_code == 200, answer.text
        assert expected(answer.json()["data"]), (text, answer.json())
