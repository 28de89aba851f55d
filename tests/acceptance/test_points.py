"""What operators were promised beside the guide, phrase by phrase, and the test that shows each; it names only tests there are."""

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
# Subject, then phrase: file and the beginning of the test's name.
POINTS: dict[str, dict[str, str]] = {
    "integrations": {
        "one pool of connections for each": "integrations/test_outbound.py requests_carry_what_was_given_and_connections_are_used_again",
        "operations with checked bodies": "integrations/test_calls.py arguments_that_cannot_be_sent_leave_the_server_never",
        "validated answers": "integrations/test_calls.py an_answer_of_another_type_is_an_error_and_not_a_value",
        "GraphQL": "integrations/test_calls.py a_graphql_operation_sends_document_and_variables_and_gives_data",
        "errors of GraphQL": "integrations/test_calls.py graphql_errors_are_no_success",
        "bearer, basic, key in header and query": "integrations/test_calls.py every_kind_of_authentication_is_sent",
        "client credentials of OAuth 2": "integrations/test_oauth2.py a_token_is_asked_for_as_the_standard_says",
        "its tokens are kept": "integrations/test_oauth2.py a_token_is_kept_and_renewed_before_its_end",
        "secrets are resolved at the start": "system/test_integrations.py a_missing_secret_stops_the_start_with_its_place",
        "and never logged": "system/test_integrations.py s38_s39_s40_s45",
        "time-out of connecting": "integrations/test_calls.py a_peer_that_accepts_no_connection_in_time_has_seen_nothing",
        "time-outs of reading and of the whole": "integrations/test_calls.py a_bad_peer_is_an_error_with_a_code_and_counts_against_it",
        "retry of what may be repeated, with a key": "integrations/test_calls.py only_what_may_be_repeated_is_repeated",
        "Retry-After": "integrations/test_calls.py retry_after_says_when_and_too_long_says_never",
        "4xx and 5xx with status and body": "integrations/test_calls.py an_error_of_the_peer_is_an_error_with_its_status_and_body",
        "answers are limited in size": "integrations/test_outbound.py a_small_answer_that_unpacks_to_a_large_one_is_refused",
        "addresses inside are not reached": "integrations/test_outbound.py no_spelling_of_loopback_is_connected_to",
        "nor by a name that changes": "integrations/test_outbound.py a_name_that_changes_its_answer_reaches_only_the_checked_address",
        "what operators allow": "integrations/test_outbound.py operators_allow_hosts_suffixes_and_networks",
        "failures in a row or in a window": "integrations/test_breaker.py s41_states_follow_the_results",
        "a limited number of probes": "integrations/test_breaker.py s44_half_open",
        "one state through Redis": "system/test_redis.py s130_the_state_of_a_breaker_is_a_metric_and_two_servers_share_it",
        "and without it": "system/test_sharing_over_postgresql.py workers_count_failures_together_show_one_state",
        "reset by Python": "integrations/test_breaker.py s46_reset_closes_by_hand",
        "refusals are counted": "integrations/test_calls.py an_open_breaker_refuses_at_once_and_takes_no_place_in_the_limit",
    },
    "cache": {
        "bounded by items and bytes": "cache/test_cache.py memory_is_bounded_by_items_and_bytes",
        "Redis": "cache/test_cache.py processes_share_values_and_writes",
        "an outage costs a moment": "cache/test_cache.py s36_an_outage_costs_a_moment_and_never_a_value",
        "and fails no request": "system/test_redis.py s34_s36_s37",
        "many at once compute once": "cache/test_cache.py many_that_ask_at_once_cost_one_computation",
        "in all processes": "cache/test_cache.py processes_that_ask_at_once_cost_one_computation",
        "answers vary by caller": "http/test_response_cache.py callers_never_see_each_others_answers",
        "writes make them new": "http/test_response_cache.py every_kind_of_write_makes_lists_and_rows_new",
        "statistics": "system/test_redis.py s124_without_redis_the_check_is_there_and_says_what_is_used",
    },
    "limits and origins": {
        "four strategies, in memory, a file and Redis": "limits/test_limits.py a_strategy_lets_through_what_it_promises",
        "decided in one step": "limits/test_limits.py many_at_the_same_time_get_no_more_than_the_limit",
        "also by processes": "limits/test_mapped.py processes_that_take_at_the_same_time_get_no_more_than_the_limit",
        "RateLimit fields": "http/test_rate_limits.py users_are_counted_apart_and_told_where_they_stand",
        "Retry-After": "http/test_rate_limits.py too_many_is_a_problem_that_says_when_to_come_back",
        "preflight": "http/test_cors.py a_preflight_allows_what_the_path_has_and_the_rules_name",
        "credentials": "http/test_cors.py credentials_go_with_named_headers_only",
        "all origins and credentials are refused": "http/test_cors.py rules_that_no_browser_would_accept_are_found_by_the_check",
        "headers of proxies that are ours": "http/test_rate_limits.py the_chain_of_proxies_is_believed_as_far_as_it_is_ours",
        "and of nobody else": "http/test_rate_limits.py addresses_are_those_of_clients_and_not_of_headers_that_anybody_writes",
        "a real proxy": "docs/test_installing.py clients_behind_the_proxy_have_their_own_address",
    },
    "logs": {
        "JSON and text": "acceptance/test_logging.py s50_json_is_the_default_and_text_the_other",
        "their fields": "acceptance/test_logging.py s75_t3_the_access_log_has_its_fields",
        "secrets by name and pattern": "observability/test_logs.py secrets_are_masked",
        "secrets of the model": "acceptance/test_logging.py secrets_stay_out_of_the_log",
        "one request is debugged": "acceptance/test_logging.py s142_t16_one_request_is_debugged",
        "a file that is rotated": "acceptance/test_logging.py t12_workers_of_a_fleet_follow_the_rotation",
        "nobody waits for a sink": "observability/test_logs.py nobody_waits_for_a_sink_that_hangs_and_what_is_lost_is_counted",
        "no line is forged": "acceptance/test_logging.py a_client_cannot_forge_a_line",
    },
    "metrics": {
        "route templates": "acceptance/test_metrics.py s127_requests_are_counted_by_route_template_over_all_workers",
        "clients make no series": "acceptance/test_metrics.py paths_and_methods_that_clients_invent_make_no_series",
        "every figure of the table": "docs/test_operations.py the_table_of_metrics_is_what_a_server_shows",
        "pools": "acceptance/test_metrics.py s129_all_workers_of_an_instance_share_its_limit",
        "executions, steps, events": "acceptance/test_reference.py s131_executions_are_counted_wherever_they_run",
        "refused callers": "acceptance/test_metrics.py t6_auth_failures_are_counted_apart_from_faults",
        "event loop and build": "acceptance/test_metrics.py the_process_shows_itself",
        "sums survive a worker": "acceptance/test_metrics.py t19_a_worker_that_dies_takes_no_count_with_it",
        "promtool takes them": "acceptance/test_metrics.py s126_metrics_are_prometheus_text",
        "alarms are PromQL": "docs/test_operations.py s126_to_s131_the_alarms",
    },
    "traces": {
        "a parent": "observability/test_trace_context.py a_valid_parent_is_taken",
        "an invalid parent": "observability/test_trace_context.py an_invalid_parent_begins_a_new_trace",
        "two parents": "observability/test_trace_context.py two_parents_are_none",
        "versions to come": "observability/test_trace_context.py a_higher_version_is_read_by_what_is_known_of_it",
        "flags": "observability/test_trace_context.py only_the_last_bit_of_the_flags_says_sampled",
        "state, its order and its keys": "observability/test_trace_context.py states_that_are_valid",
        "a state that is malformed": "observability/test_trace_context.py a_malformed_member_makes_the_state_void",
        "thirty-two members": "observability/test_trace_context.py thirty_two_members_are_the_most",
        "out to peers": "acceptance/test_tracing.py a_call_goes_on_with_the_trace",
        "request and statement": "acceptance/test_tracing.py a_request_and_its_statements_are_spans_of_the_trace_of_the_client",
        "workflow, step, call, delivery": "acceptance/test_tracing.py workflows_handlers_steps_and_their_statements_go_on",
        "sampling": "acceptance/test_tracing.py a_trace_that_is_not_sampled_is_passed_on_and_not_sent",
        "a collector that is down": "acceptance/test_tracing.py a_collector_that_is_down_disturbs_no_request",
    },
    "profiles": {
        "top, list, web": "acceptance/test_profiling.py s57_top_list_and_web_work_on_it",
        "-base": "acceptance/test_profiling.py s58_two_heaps_are_compared",
        "-alloc_space": "acceptance/test_profiling.py s59_what_was_allocated_is_a_running_total",
        "flame graph": "acceptance/test_profiling.py a_flame_graph_is_a_picture",
        "nothing runs while off": "observability/test_profiling.py nothing_is_traced_where_that_is_off",
        "looking is bounded": "observability/test_profiling.py a_collection_that_would_take_long_takes_what_is_young_and_says_so",
    },
    "health": {
        "checks at the same time, each with its own time": "observability/test_health.py checks_run_at_the_same_time_each_within_its_own",
        "critical and degraded": "observability/test_health.py critical_checks_decide",
        "readiness before draining": "acceptance/test_lifecycle.py s109_readiness_fails_first_while_requests_are_still_answered",
    },
    "life": {
        "SIGTERM with several workers": "server/test_supervisor.py s107_sigterm_lets_requests_finish_and_stops_accepting",
        "and durable runs, no request lost": "faults/test_rolling_restart.py s109_servers_are_replaced_and_no_request_fails",
        "SIGHUP for logs": "acceptance/test_logging.py t12_a_moved_file_and_sighup_lead_to_a_new_one",
        "SIGHUP for certificates": "acceptance/test_lifecycle.py sighup_reads_the_certificate_again_in_all_workers",
        "Unix sockets": "acceptance/test_lifecycle.py workers_share_a_unix_socket",
        "TLS": "acceptance/test_lifecycle.py tls_serves_with_a_certificate_of_ours",
        "certificates that do not fit": "server/test_listening.py a_certificate_that_cannot_be_used_is_said_with_the_file_at_fault",
    },
    "settings": {
        "one class": "server/test_settings.py every_setting_has_its_variable",
        "precedence": "server/test_settings.py a_flag_beats_the_environment_which_beats_the_program_which_beats_the_default",
        "where each comes from": "acceptance/test_settings.py origins_tell_where_a_setting_comes_from",
        "unknown and wrong ones": "server/test_wrong_settings.py the_word_that_was_meant_is_named",
        "secrets from files": "server/test_settings.py secrets_come_from_files",
        "operators": "acceptance/test_metrics.py t9_others_need_the_role_or_the_token",
        "the table is that of the code": "docs/test_operations.py the_table_of_settings_is_that_of_the_code",
    },
    "diagnostics": {
        "the command": "acceptance/test_support.py s138_our_own_command_collects_the_same_and_more",
        "the script of the guide": "acceptance/test_guide.py s138_the_script_yields_all_of_its_files_and_none_is_empty",
        "secrets": "server/test_diagnosis.py secrets_are_masked_wherever_they_were_given",
    },
    "our own guide": {
        "its commands": "docs/test_operations.py commands_do_what_they_say",
        "its statements in SQL": "docs/test_operations.py statements_are_understood",
        "what the guide names": "docs/test_operations.py s101_what_the_guide_names_has_its_counterpart",
        "the commands of the guide as they are printed": "acceptance/test_guide.py it_prints_what_the_guide_promises",
    },
    "faults": {
        "every line of the page is shown": "faults/test_fault_page.py every_line",
        "database down, slow, exhausted, sessions ended, network silent": "faults/test_bad_database.py a_database_in_trouble",
        "database restarted": "faults/test_database_restarts.py a_database_that_comes_and_goes_loses_and_doubles_nothing",
        "Redis down": "acceptance/test_faults.py s34_s35_s36_redis_down_degrades_and_fails_nothing",
        "Redis slow": "faults/test_bad_redis.py a_slow_redis_is_left_alone",
        "Redis full": "faults/test_bad_redis.py a_full_redis_gives_nobody_old_values",
        "peers of all kinds": "faults/test_bad_peers.py a_bad_peer_is_an_error_of_its_kind",
        "key sets": "faults/test_bad_key_sets.py a_key_set_in_trouble_costs_only_those_who_need_it",
        "disk full for logs": "faults/test_full_disk.py a_disk_that_is_full_for_logs_fails_no_request",
        "clock jumps": "faults/test_clock_jumps.py a_clock_that_jumps_doubles_nothing_and_stops_nothing",
    },
}


def test_what_was_promised_has_its_test() -> None:
    missing = []
    for phrases in POINTS.values():
        for test in phrases.values():
            file, _, name = test.partition(" ")
            if not re.search(rf"^(async )?def test_{name}", (TESTS / file).read_text(encoding="utf-8"), re.MULTILINE):
                missing.append(test)
    assert missing == []
