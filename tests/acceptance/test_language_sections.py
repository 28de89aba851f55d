"""Data, HTTP, statements, events and workflows, sentence by sentence (sections 5 to 9 of the language): the test that shows each.

Beside it stand programs, one for each section with its samples and wrong variants, and whole ones as an author mixes them: claims (an
insurance), a fleet (devices, tenants, maintenance) , petitions (a public site) and recruiting (accounts, files, offers).
"""

from pathlib import Path

import pytest
from click.testing import CliRunner

from acceptance.pointing import Points, missing
from codeai.cli.test import command
from codeai.language.diagnostics import Severity
from codeai.language.formatter import format_module
from codeai.language.parser import parse_module
from codeai.language.rendering.concise import concise
from codeai.language.source import Sources
from codeai.server.loading import load_program
from services.postgres import PostgresServer

HERE = Path(__file__).parent / "sections"
PROGRAMS = ("claims", "endpoints", "entities", "events", "fields", "fleet", "petitions", "recruiting", "workflows")
TOLD = {"entities": {"CAI0520"}}  # hints that the sample earns
SHOWN = "acceptance/test_language_sections.py the_tests_of_a_program_pass"
CHECKED = "analysis/test_wrong_programs.py each_wrong_program_gets_its_findings"
STEPS, OUTBOX, HANDLERS = "durable/test_steps.py", "events/test_outbox.py", "events/test_handlers.py"

POINTS: Points = {
    "5 data": {
        "each modifier is known, no other is": CHECKED,
        "the sample as it stands": SHOWN,
        "unique beside its own index": "storage/test_names_in_databases.py a_program_has_tables_that_stay_as_they_are",
        "secret and write_only never leave": "http/test_bodies.py a_secret_is_taken_and_never_shown",
        "nor are they found by search": "http/test_hidden_search.py only_who_sees_a_field_finds_rows_by_it",
        "nullable unless said otherwise; null for another is 422": "http/test_bodies.py explicit_null_clears_and_absent_keeps",
        "so it is for members of records": "http/test_rules_within_records.py rules_within_records_hold_wherever_the_record_comes_from",
        "auto is ours": "http/test_bodies.py what_is_ours_is_never_set_by_a_client",
        "immutable is set once": "http/test_bodies.py an_immutable_field_is_set_once",
        "defaults are evaluated by us": "http/test_defaults_within.py what_is_left_out_has_its_default",
        "checks hold in the tables": "storage/test_synchronise.py rules_of_the_tables_hold_for_everybody",
        "columns and tables have their names": "storage/test_names_in_databases.py a_program_has_tables_that_stay_as_they_are",
        "rename_from keeps values": "storage/test_synchronise.py a_column_that_is_renamed_keeps_its_values_and_rules",
        "x_id beside its relation": "http/test_one_expanded.py a_row_is_shown_as_a_list_shows_it",
        "computed, not stored": "http/test_derived.py a_row_is_the_same_whichever_way_it_came",
        "soft deletion": "query/test_selections.py a_soft_deleted_row_is_out_of_sight_through_relations_too",
        "tenants": "http/test_parameters.py rows_of_other_tenants_are_not_there",
        "audited: who, when, before and after": "control/test_administration.py the_audit_trail_names_the_operator",
        "audited rows change in one transaction": "testing/test_watched_rows.py each_change_of_a_row_is_one_transaction",
        "policies in the statement": "query/test_verdicts.py a_verdict_is_what_the_statement_does",
        "wherever an entity is reached": "http/test_policies_in_circles.py what_is_expanded_is_what_the_caller_may_read",
        "403, 404, 403": SHOWN,
        "policy explain": "cli/test_policy.py the_rule_that_decides_is_said",
        "data triggers": f"{OUTBOX} a_data_trigger_fires_when_a_write_makes_its_condition_true",
    },
    "6 http": {
        "guard, roles, permissions": "http/test_middleware.py authorization_asks_for_roles_and_permissions",
        "roles contradict public": CHECKED,
        "input of every place": "http/test_parameters.py parameters_of_every_place",
        "names with hyphens, the path wins, texts of validate": "http/test_words_of_endpoints.py what_an_endpoint_says_is_done",
        "unknown fields of the body": "http/test_bodies.py what_does_not_fit_is_422_with_the_field",
        "unknown parameters of lists": "http/test_parameters.py parameters_of_lists",
        "operations that follow (a to e), PUT, PATCH, DELETE": SHOWN,
        "what does not follow answers 501": "http/test_annotations.py nothing_void_and_elsewhere",
        "one transaction": "http/test_concurrency.py a_block_that_fails_leaves_nothing",
        "rows that are changed later are locked": "storage/test_database_faults.py updates_of_one_row_wait_for_each_other",
        "serializable is tried three times": "storage/test_database_faults.py serialization_failures_are_retried_three_times",
        "and reaches nothing outside": "analysis/test_reach.py a_serializable_block_reaches_nothing_outside_of_the_database",
        "results, redirects": "http/test_protocol.py redirects",
        "fail, its code": "http/test_protocol.py failures_of_the_program_are_problems",
        "on success": f"{OUTBOX} on_success_fills_payloads_by_name",
        "the server's own routes": "http/test_own_routes.py a_block_that_no_request_would_reach_is_an_error",
        "pages, stable under ties": "query/test_cursors.py pages_there_and_back_are_the_list",
        "expansion without n+1": "query/test_selections.py nested_relations_are_loaded_by_one_statement_each",
        "idempotency": "http/test_idempotency.py a_repetition_has_the_answer_of_the_first_and_no_second_effect",
        "problems": "http/test_protocol.py every_problem_has_the_members_of_rfc_9457_and_ours",
        "head and options": "http/test_protocol.py head_is_get_without_the_body",
        "uploads": "http/test_uploads.py files_and_fields_arrive_with_their_types",
        "inbound webhooks": "events/test_inbound.py a_message_is_received_once_with_its_events",
        "annotations": "http/test_annotations.py the_document_shows_annotations_and_hides_what_is_internal",
        "and those that mean clauses": "http/test_rate_limits.py annotations_and_resources_mean_the_clause",
        "time-outs": "http/test_protocol.py a_block_that_takes_too_long_is_ended",
    },
    "7 statements": {
        "in rare combinations": "http/test_rare_combinations.py every_combination_answers_as_the_language_says",
        "writes are expressions": SHOWN,
        "functions, with types": "http/test_writing_functions.py a_function_writes_in_the_transaction_of_its_block",
        "and without": "evaluate/test_untyped_parameters.py values_without_a_declared_type_are_used_as_they_are",
        "extern functions": "functions/test_functions.py results_are_data",
        "as user": "testing/test_acting.py a_block_runs_as_the_user_that_it_names_and_what_follows_as_before",
        "scripts, exec": "cli/test_run.py values_reach_commands_as_arguments_and_output_and_code_come_back",
        "exact texts": "analysis/test_classes.py s91_wrong_number_of_arguments",
    },
    "8 events": {
        "in the transaction of the change": f"{OUTBOX} an_event_commits_with_its_change_and_reaches_its_handler",
        "what event has, and each way to hand it on": SHOWN,
        "a handler's writes and its mark": f"{HANDLERS} a_failed_handler_leaves_nothing_and_is_tried_again",
        "deliveries of their own": f"{HANDLERS} each_handler_has_a_delivery_of_its_own",
        "eight tries over a day": "events/test_schedule.py handlers_are_tried_eight_times_more_over_about_a_day",
        "order per key": f"{HANDLERS} one_key_is_in_order_and_waits_for_its_retries",
        "a dead letter blocks nothing": f"{HANDLERS} a_dead_letter_does_not_block_its_key",
        "replay": "events/test_control.py a_replay_starts_workflows_again_only_by_force",
        "payloads fit their schema": f"{OUTBOX} a_payload_that_breaks_its_schema_fails_the_block",
        "cycles": "analysis/test_circles.py events_that_lead_to_themselves_through_functions",
        "standard webhooks": "events/test_webhooks.py a_message_follows_the_specification",
    },
    "9 workflows": {
        "the sample as it stands": SHOWN,
        "items have records, outputs in order": f"{STEPS} items_have_records_of_their_own_and_outputs_in_order",
        "when skips": f"{STEPS} when_skips",
        "continue leaves null": f"{STEPS} continue_leaves_null_and_says_why",
        "fail, a block": f"{STEPS} fail_says_its_text_and_runs_what_follows_a_failure",
        "no outside effect in do": CHECKED,
        "durable": "faults/test_kill_matrix.py no_kill_loses_or_doubles_anything",
        "one key over tries": f"{STEPS} failures_are_tried_again_with_growing_delays_and_one_key",
        "branches end before rollback": f"{STEPS} a_branch_that_fails_waits_for_its_siblings_before_rollback",
        "rollback in reverse, with item and result": f"{STEPS} rollback_undoes_in_reverse_order_with_item_and_result",
        "defaults of retry": "analysis/test_retries.py the_delays_between_tries",
        "waits look back, oldest first": f"{STEPS} a_wait_finds_events_that_came_before_it_also_behind_many_others",
        "signals": f"{STEPS} a_wait_takes_the_matching_signal",
        "keys: return": f"{STEPS} a_taken_key_gives_the_running_execution",
        "reject": f"{STEPS} a_taken_key_can_be_refused",
        "queue": f"{STEPS} a_taken_key_can_queue",
        "once": f"{STEPS} once_counts_finished_ones_too",
        "one start per event": "durable/test_races.py one_origin_is_one_execution_also_where_keys_are_refused",
        "the version it began with": "faults/test_faults.py an_execution_finishes_on_the_definition_with_which_it_began",
        "retry": "control/test_executions.py retrying_goes_on_where_it_failed",
        "compensate": f"{STEPS} compensate_on_demand_undoes_a_complete_execution",
        "fork": f"{STEPS} a_fork_takes_over_what_lies_before_a_step",
        "children": "durable/test_children.py the_output_of_a_child_is_that_of_the_step",
    },
}


def test_each_sentence_has_its_test() -> None:
    assert missing(POINTS) == []


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_is_valid_and_canonical(name: str) -> None:
    path = HERE / f"{name}.cai"
    program = load_program(path)
    told = [found for found in program.diagnostics if found.severity is not Severity.INFO and found.code not in TOLD.get(name, ())]
    assert [concise(found, program.sources) for found in told] == []
    file = Sources().add(path.name, path.read_text())
    assert format_module(parse_module(file).module, file).text == file.text


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_tests_of_a_program_pass(name: str, tmp_path: Path) -> None:
    passes(name, f"sqlite:///{tmp_path}/app.db")


@pytest.mark.parametrize("name", ["claims", "endpoints", "entities", "events", "fields"])
def test_so_they_do_on_postgresql(name: str, postgres: PostgresServer) -> None:
    passes(name, postgres.create_database())


def passes(name: str, database: str) -> None:
    said = CliRunner().invoke(command, [str(HERE / f"{name}.cai"), "--database", database])
    assert said.output.endswith(" 0 failed\n") and "0 passed" not in said.output, said.output
