"""Names that older programs write in quotes and nothing declares: each use says so and none is lost."""

import pytest

from services.polling import eventually

PROGRAM = """
config { name: "shop"  default_auth: public }
integration Pay { base_url: "http://127.0.0.1:9"  operation charge { method: POST  path: "/charges" } }
event order.paid { payload { id: int } }
on "order.paid" do workflow "ship.order" async
on "order.paid" do job "tidy.up"
on "order.paid" do integration "Pay.refund"
on "order.paid" do integration "Post.print"
on "order.paid" do emit "order.closed"
on "order.paid" do webhook "partners"
workflow Chase { trigger: manual  steps { ask { call: "Pay.refund" { id: 1 } } } }
workflow Waiting { trigger event "order.lost"  steps { note { action: log info "lost" } } }
endpoint POST "/paid" { response status 204  do { emit("order.paid", { id: 1 }) } }
endpoint POST "/lost" { response status 204  do { emit("order.lost", { id: 1 }) } }
endpoint POST "/refunds" { response json  do { answer = call("Pay.refund", { id: 1 }) } }
endpoint POST "/chases" { response json  do { run = start Chase } }
"""


async def test_what_a_handler_is_to_do_with_an_undeclared_name_is_a_dead_letter_at_once(run_program):
    app = await run_program(PROGRAM)
    assert (await app.http.post("/paid")).status_code == 204
    await app.idle()
    found = await app.rows("SELECT target, status, error FROM codeai_deliveries ORDER BY target")
    assert found == [
        ("order.paid#1", "dead", "workflow 'ship.order' is not declared"),
        ("order.paid#2", "dead", "job 'tidy.up' is not declared"),
        ("order.paid#3", "dead", "operation 'Pay.refund' is not declared"),
        ("order.paid#4", "dead", "operation 'Post.print' is not declared"),
        ("order.paid#5", "dead", "event 'order.closed' is not declared"),
        ("order.paid#6", "dead", "webhook 'partners' is not declared"),
    ]


@pytest.mark.parametrize(("path", "said"), [("/lost", "event 'order.lost'"), ("/refunds", "operation 'Pay.refund'")])
async def test_an_endpoint_that_uses_an_undeclared_name_answers_with_it(run_program, path, said):
    app = await run_program(PROGRAM)
    answer = await app.http.post(path)
    assert (answer.status_code, answer.json()["code"]) == (501, "not_declared")
    assert f"{said} is not declared" in answer.text
    assert await app.one("SELECT count(*) FROM codeai_events") == 0


async def test_a_step_that_calls_an_undeclared_operation_fails_with_its_name(run_program):
    app = await run_program(PROGRAM)
    answer = await app.http.post("/chases")
    assert answer.status_code == 200, answer.text
    control = app.composition.durable.control
    app.composition.dispatcher.wake_in(0)

    async def ended():
        return (await control.of("Chase"))[0]["status"] == "failed"

    await eventually(ended)
    assert "operation 'Pay.refund' is not declared" in str(await app.one("SELECT error FROM executions"))


async def test_a_workflow_keeps_the_undeclared_event_that_it_waits_for(run_program):
    app = await run_program(PROGRAM)
    triggers = {workflow.name: workflow.trigger.event for workflow in app.composition.application.workflows}
    assert triggers == {"Chase": None, "Waiting": "order.lost"}


async def test_a_webhook_that_publish_to_names_and_nothing_declares_is_a_dead_letter_at_once(run_program):
    app = await run_program("""
        config { name: "shop"  default_auth: public }
        event Paid { payload { id: int }  publish_to: [webhook("partners")] }
        endpoint POST /paid { returns: void  do { emit Paid { id: 1 } } }
    """)
    assert (await app.http.post("/paid")).status_code == 204
    await app.idle()
    found = await app.rows("SELECT target, status, attempts, error FROM codeai_deliveries")
    assert found == [("partners", "dead", 1, "webhook 'partners' is not declared")]
