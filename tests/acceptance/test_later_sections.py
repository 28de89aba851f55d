"""Jobs, integrations, auth, middleware, config, tests, older spellings and findings, clause by clause, and the test that shows each.

What is about behaviour is shown by a program whose own tests pass (``later_sections.cai``).
"""

from pathlib import Path

from click.testing import CliRunner

from acceptance.pointing import Points, missing
from codeai.cli.test import command

PROGRAM = "acceptance/test_later_sections.py the_program_of_these_sections_passes_its_tests"
WRONG = "analysis/test_wrong_programs.py each_wrong_program_gets_its_findings"
TIMETABLE, SCHEDULER, QUEUES = "jobs/test_timetable.py", "jobs/test_scheduler.py", "jobs/test_queues.py"
CALLS, BREAKER, RECORDED = "integrations/test_calls.py", "integrations/test_breaker.py", "integrations/test_recorded.py"
TOKENS, LIMITS, CORS = "auth/test_tokens.py", "limits/test_limits.py", "http/test_cors.py"
PAGE, PHRASES, PIECES = (
    "language/spellings/test_page.py both_texts_of_a_row_are_one_program",
    "language/spellings/test_phrases.py a_phrase_is_read_named_and_rewritten",
    "language/spellings/test_pieces.py an_older_piece_is_the_canonical_one",
)
VALIDATE, MACHINES, TEXT, CODES = (
    "cli/test_validate.py",
    "language/rendering/test_machines.py",
    "language/rendering/test_text.py",
    "language/test_codes.py",
)
POINTS: Points = {
    "jobs": {
        "cron, in the clocks of a place": f"{TIMETABLE} cron_expressions_give_their_instants",
        "every, from the epoch": f"{TIMETABLE} intervals_count_from_the_epoch",
        "at, once": f"{TIMETABLE} single_instants_are_local_unless_they_say_otherwise",
        "a time that is not there, or twice": f"{TIMETABLE} each_local_time_has_one_instant_in_order",
        "none: run": PROGRAM,
        "input with defaults": PROGRAM,
        "on_fail": PROGRAM,
        "overlap": f"{SCHEDULER} overlap",
        "catch_up": "jobs/test_catching_up.py catching_up",
        "missed for a day": "jobs/test_catching_up.py a_single_instant_missed_for_longer_than_a_day_is_gone",
        "one run per tick": "jobs/test_processes.py each_tick_of_two_servers_runs_once_though_one_is_killed",
        "weights, and each queue makes progress": f"{QUEUES} every_queue_makes_progress_by_weight",
        "default is always there": f"{QUEUES} there_is_always_a_default_queue",
        "lower priority first": f"{QUEUES} the_lower_priority_runs_first",
        "concurrency": f"{QUEUES} concurrency_holds_over_processes",
        "what is wrong, or about ticks that there are not": WRONG,
    },
    "integrations": {
        "the request of an operation": f"{CALLS} a_call_becomes_the_request_that_the_operation_declares",
        "arguments are checked": f"{CALLS} arguments_that_cannot_be_sent_leave_the_server_never",
        "answers are": f"{CALLS} an_answer_is_a_value_of_the_declared_type",
        "bearer, basic, api_key": f"{CALLS} every_kind_of_authentication_is_sent",
        "oauth2": "integrations/test_oauth2.py a_token_is_asked_for_as_the_standard_says",
        "retry, of what may be repeated": f"{CALLS} only_what_may_be_repeated_is_repeated",
        "rate_limit": f"{CALLS} calls_wait_for_a_place_in_the_limit_of_the_integration_and_not_for_ever",
        "circuit_breaker": f"{BREAKER} s41_states_follow_the_results",
        "half_open": f"{BREAKER} s44_half_open_lets_a_limited_number_through_at_the_same_time",
        "graphql": f"{CALLS} a_graphql_operation_sends_document_and_variables_and_gives_data",
        "what cannot be built stops the start": f"{CALLS} what_cannot_be_built_stops_the_start",
    },
    "auth": {
        "jwt by a secret": f"{TOKENS} s21_hs256_with_the_secret_of_the_environment",
        "by a key set": "auth/test_key_sets.py every_algorithm_by_its_kid",
        "roles_claim": f"{TOKENS} roles_from_another_claim_and_from_a_path",
        "api_key, basic": f"{TOKENS} api_keys_and_basic",
        "oauth2, by discovery": "auth/test_discovery.py the_keys_of_an_issuer_are_found_and_kept",
        "in config": "auth/test_own_tokens.py a_program_takes_the_tokens_that_it_issues",
        "roles inherit, wildcards": PROGRAM,
        "permissions that stand for nothing": WRONG,
        "several names in one text": PIECES,
        "a middleware that asks": "analysis/test_checks.py an_endpoint_whose_middleware_asks_who_calls_is_not_called_open",
    },
    "middleware": {
        "rate_limiting": f"{LIMITS} a_strategy_lets_through_what_it_promises",
        "over all that use it": "http/test_rate_limits.py middleware_counts_over_all_endpoints_that_use_it",
        "cors": f"{CORS} an_endpoint_may_have_rules_of_its_own",
        "compression": "http/test_middleware.py compression_by_an_endpoints_own_rule",
        "logging": "http/test_middleware.py the_checker_knows_the_fields_that_are_logged",
        "unknown settings": WRONG,
    },
    "config": {
        "what the server reads": "server/test_checked_settings.py what_is_valid_is_read",
        "settings of the program": PROGRAM,
        "what is wrong": WRONG,
    },
    "tests": {
        "requests, expectations, as user": PROGRAM,
        "a path in quotes": PROGRAM,
        "mocks": PROGRAM,
        "that the other side could answer": f"{RECORDED} a_mock_that_the_peer_could_never_answer_fails_the_test",
        "nothing leaves": f"{RECORDED} without_an_answer_the_operation_is_named",
        "a clock of its own": PROGRAM,
        "what may explain a failure": "testing/test_explanations.py a_failed_expectation_comes_with_what_may_explain_it",
        "every provider knows its users": "testing/test_users_of_tests.py the_user_of_a_test_is_known_to_every_provider",
        "what is hidden is null": "testing/test_hidden_relations.py members_of_a_row_that_is_not_shown_are_null",
    },
    "older spellings": {
        "each row": PAGE,
        "each phrase": PHRASES,
        "each piece": PIECES,
        "what is not supported, and what says more than it may": WRONG,
    },
    "findings": {
        "all of one are data": f"{MACHINES} json_holds_all_of_a_finding",
        "excerpts": f"{TEXT} marks_stand_below_what_they_mark",
        "whatever the program quotes": f"{TEXT} what_a_finding_quotes_cannot_disturb_a_terminal_either",
        "whatever it hides": "language/test_invisible.py a_mark_in_a_text_or_a_comment_is_a_warning",
        "a line each": f"{VALIDATE} standard_input_is_checked",
        "SARIF": f"{MACHINES} sarif_follows_its_schema",
        "annotations": f"{MACHINES} an_annotation_escapes_what_github_would_read",
        "all in one run": "language/test_recovery.py a_mistake_hides_no_other_one",
        "one for one cause": "language/test_recovery.py few_single_mistakes_have_several_findings",
        "explain, with samples": f"{CODES} every_code_has_a_wrong_and_a_right_sample",
        "what would happen, and what to do": f"{CODES} a_page_says_what_happens_and_what_to_do",
        "what --fix does of it": f"{CODES} a_page_says_whether_fix_mends_its_wrong_sample_and_what_that_makes_is_valid",
        "the exact rendering": f"{CODES} the_rendering_of_the_wrong_sample_is_that_of_the_snapshot",
        "exit codes": f"{VALIDATE} wrong_usage_and_missing_files_exit_2",
        "safe edits": f"{VALIDATE} fix_writes_the_safe_edits_and_nothing_else",
    },
}


def test_each_clause_has_its_test() -> None:
    assert missing(POINTS) == []


def test_the_program_of_these_sections_passes_its_tests() -> None:
    done = CliRunner().invoke(command, [str(Path(__file__).parent / "later_sections.cai")])
    assert done.output.endswith("4 passed, 0 failed\n"), done.output
