"""Traces: what a collector gets of a real server, and what peers and logs get."""

import gzip
import http.server
import threading
from collections import Counter

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from faults.faultpage import Observed
from services.polling import until

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PROGRAM = """
config { name: "traced"  version: "2.0.0" }
entity Ticket { id: uuid, primary, auto  title: string, required  allow read, create: public }
resource Ticket at /tickets { auth: public  create { auth: public } }
integration peer {
    type: rest
    base_url: env(PEER_URL)
    operation ask { method: GET  path: "/answer"  returns: json }
}
event Asked { payload { title: string, required } }
on Asked { create Ticket { title: event.title }  log "kept" }
workflow Answer {
    input { title: string }
    steps { rest { sleep: 200ms }  write { do { create Ticket { title: input.title }  log "written" } } }
}
workflow FollowUp { trigger: Asked  steps { call { call peer.ask {} } } }
endpoint POST /later {
    auth: public
    body { title: string, required }
    returns: json
    do {
        start Answer { title: body.title }
        emit Asked { title: body.title }
        send slack("#ops") { message: body.title }
        return { ok: true }
    }
}
endpoint GET /ask { auth: public  returns: json  do { let found = call peer.ask {}  return found } }
"""


class Receiver:
    """A collector for OTLP over HTTP, and a peer of the program, in one."""

    def __init__(self):
        self.spans = []
        self.resource = {}
        self.asked = []
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                if self.path == "/slack":
                    return self.answer(b"ok")
                if self.headers.get("content-encoding") == "gzip":
                    body = gzip.decompress(body)
                receiver.take(ExportTraceServiceRequest.FromString(body))
                return self.answer(b"")

            def do_GET(self):
                receiver.asked.append(dict(self.headers))
                self.answer(b'{"value": 42}')

            def answer(self, body):
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, request):
        for resource in request.resource_spans:
            self.resource = {item.key: item.value.string_value for item in resource.resource.attributes}
            for scope in resource.scope_spans:
                self.spans.extend(scope.spans)

    def of_trace(self, trace: str):
        return [span for span in self.spans if span.trace_id.hex() == trace]


@pytest.fixture(scope="module")
def receiver():
    found = Receiver()
    yield found
    found.server.shutdown()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def traced(launch, receiver, request):
    """On PostgreSQL another process works on what requests start."""
    receiver.spans.clear()
    environment = {} if request.param == "sqlite" else {"DATABASE_URL": request.getfixturevalue("postgres").create_database()}
    environment |= {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url, "OTEL_BSP_SCHEDULE_DELAY": "100", "PEER_URL": receiver.url}
    environment["SLACK_WEBHOOK_URL"] = f"{receiver.url}/slack"
    return launch(source=PROGRAM, env={**environment, "CODEAI_OUTBOUND_ALLOW": "127.0.0.1"})


def attributes(span) -> dict:
    return {item.key: item.value.string_value or item.value.int_value for item in span.attributes}


def test_a_request_and_its_statements_are_spans_of_the_trace_of_the_client(traced, receiver):
    sent = {"traceparent": f"00-{TRACE}-{PARENT}-01", "X-Request-ID": "traced-1"}
    httpx.get(f"{traced.server.base_url}/tickets", headers=sent)
    spans = until(lambda: found if len(found := receiver.of_trace(TRACE)) >= 2 else None)
    (request,) = [span for span in spans if span.parent_span_id.hex() == PARENT]
    assert request.name == "GET /tickets"
    about = attributes(request)
    assert about["http.route"] == "/tickets"
    assert about["http.response.status_code"] == 200
    assert about["codeai.request_id"] == "traced-1"
    (statement,) = [span for span in spans if span.parent_span_id == request.span_id]
    assert statement.name == "SELECT"
    assert "tickets" in attributes(statement)["db.query.text"]
    assert receiver.resource["service.name"] == "traced"
    assert receiver.resource["service.version"] == "2.0.0"
    line = traced.log_line(lambda line: line.get("request_id") == "traced-1")
    assert (line["trace_id"], line["span_id"]) == (TRACE, request.span_id.hex())


def test_a_call_goes_on_with_the_trace(traced, receiver):
    trace = "a" * 32
    sent = {"traceparent": f"00-{trace}-{PARENT}-01", "tracestate": "vendor=1"}
    answer = httpx.get(f"{traced.server.base_url}/ask", headers=sent)
    assert answer.json() == {"value": 42}
    spans = until(lambda: found if len(found := receiver.of_trace(trace)) >= 3 else None)
    names = {span.name: span for span in spans}
    assert names["call peer.ask"].parent_span_id == names["GET /ask"].span_id
    assert names["GET"].parent_span_id == names["call peer.ask"].span_id
    asked = {name.lower(): value for name, value in receiver.asked[-1].items()}
    assert asked["traceparent"] == f"00-{trace}-{names['GET'].span_id.hex()}-01"
    assert asked["tracestate"] == "vendor=1"


def test_workflows_handlers_steps_and_their_statements_go_on_with_the_trace_of_the_request(traced, receiver):
    trace = "d" * 32
    sent = {"traceparent": f"00-{trace}-{PARENT}-01", "tracestate": "vendor=1"}
    assert httpx.post(f"{traced.server.base_url}/later", json={"title": "later"}, headers=sent).status_code == 200
    wanted = {
        "workflow Answer",
        "handler asked#1",
        "workflow FollowUp",
        "step rest",
        "step write",
        "step call",
        "call peer.ask",
        "slack #ops",
    }
    turns = [*wanted, "workflow Answer", "POST /later"]  # it sleeps between its two turns
    until(lambda: not Counter(turns) - Counter(span.name for span in receiver.of_trace(trace)))
    spans = receiver.of_trace(trace)
    by_id = {span.span_id: span for span in spans}

    def above(span):
        """The names of the spans above one, the nearest first."""
        names = []
        while (span := by_id.get(span.parent_span_id)) is not None:
            names.append(span.name)
        return names

    paths = {span.name: above(span) for span in spans if span.name in wanted}
    assert paths["workflow Answer"] == ["POST /later"]
    assert sum(span.name == "workflow Answer" for span in spans) == 2
    assert paths["step write"] == ["workflow Answer", "POST /later"]
    assert paths["handler asked#1"] == paths["slack #ops"] == ["POST /later"]
    assert paths["workflow FollowUp"] == ["start FollowUp", "POST /later"]
    assert paths["call peer.ask"] == ["step call", *paths["step call"]]
    inserts = [above(span)[:1] for span in spans if span.name == "INSERT" and '"tickets"' in attributes(span)["db.query.text"]]
    assert sorted(inserts) == [["handler asked#1"], ["step write"]]
    assert next(span for span in spans if span.name == "workflow Answer").kind == 5  # consumer
    asked = {name.lower(): value for name, value in receiver.asked[-1].items()}
    assert (asked["traceparent"][3:35], asked["tracestate"]) == (trace, "vendor=1")
    for message in ("kept", "written"):
        assert traced.log_line(lambda line, message=message: line.get("msg") == message)["trace_id"] == trace


def test_a_trace_that_is_not_sampled_is_passed_on_and_not_sent(traced, receiver):
    trace = "b" * 32
    httpx.get(f"{traced.server.base_url}/ask", headers={"traceparent": f"00-{trace}-{PARENT}-00"})
    asked = {name.lower(): value for name, value in receiver.asked[-1].items()}
    assert asked["traceparent"].startswith(f"00-{trace}-")
    assert asked["traceparent"].endswith("-00")
    assert receiver.of_trace(trace) == []


def test_probes_have_no_spans(traced, receiver):
    httpx.get(f"{traced.server.base_url}/health")
    httpx.get(f"{traced.server.base_url}/tickets", headers={"traceparent": f"00-{'c' * 32}-{PARENT}-01"})
    until(lambda: receiver.of_trace("c" * 32))
    assert not [span for span in receiver.spans if "health" in span.name]


def test_a_collector_that_is_down_disturbs_no_request(launch):
    operator = launch(env={"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_BSP_SCHEDULE_DELAY": "50"})
    observed = Observed(operator.server)
    for _ in range(20):
        assert observed.ask("GET", "/tickets").status_code == 200
    assert observed.look().json()["status"] == "healthy"
    observed.shows("collector of traces down")
    complaints = [line for line in operator.log() if line["msg"] == "traces cannot be delivered"]
    assert [line["cause"] for line in complaints] == ["connection refused"]  # once, not for each of the batches
    assert "Transient error" not in operator.server.output
    assert operator.server.terminate() == 0


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "OTEL_EXPORTER_OTLP_PROTOCOL is 'grpc', expected http/protobuf"),
        (
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4318"},
            "OTEL_EXPORTER_OTLP_ENDPOINT is 'collector:4318', expected an address, as in http://localhost:4318",
        ),
    ],
)
def test_what_cannot_be_spoken_stops_the_start(launch, environment, said):
    operator = launch(env={"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", **environment}, wait=False)
    assert operator.server.wait() == 3
    assert said in operator.server.output
