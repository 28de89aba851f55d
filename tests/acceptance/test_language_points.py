"""What was promised of the language, phrase by phrase, and the test that shows each; the checks that were promised are shown here."""

from pathlib import Path

import pytest

from acceptance.pointing import Points, missing
from codeai.language.codes import codes, entry
from codeai.language.diagnostics import Severity
from codeai.language.rendering.concise import concise
from language.samples import analysed

WRONG, CORPUS, CODES, CLASSES = (
    "analysis/test_wrong_programs.py each_wrong_program_gets_its_findings",
    "corpus/test_corpus.py",
    "language/test_codes.py",
    "analysis/test_classes.py",
)
OLDER, PAGE, BAD, FORMATTER = (
    "language/spellings/test_spellings.py",
    "language/spellings/test_page.py",
    "language/test_bad_programs.py",
    "language/test_formatter.py",
)
VALIDATE, FMT, RUN, GRAMMAR, FUZZ = (
    "cli/test_validate.py",
    "cli/test_fmt.py",
    "cli/test_run.py",
    "language/grammar/test_grammar.py",
    "fuzz/test_fuzz.py",
)
POINTS: Points = {
    "declarations": {
        "all in canonical form": f"{CORPUS} a_valid_program_has_no_errors",
        "which can be begun": "corpus/test_starting.py a_valid_program_starts_or_was_told_what_is_missing",
        "all older spellings": f"{PAGE} both_texts_of_a_row_are_one_program",
        "mapped to the same tree": f"{OLDER} an_older_program_has_the_tree_of_its_canonical_form",
        "each in a module of its own": "acceptance/test_language_points.py every_group_of_older_spellings_has_a_module",
        "a program may mix them": "language/spellings/test_running.py a_shape_is_derived_from_an_entity_of_another_file",
        "piece by piece": "language/spellings/test_pieces.py an_older_piece_is_the_canonical_one",
        "fmt turns each into the canonical form": f"{OLDER} an_older_program_is_formatted_to_its_canonical_form",
        "the two validate": f"{OLDER} the_canonical_form_is_valid_and_has_nothing_older",
        "and mean the same": f"{OLDER} an_older_program_means_what_its_canonical_form_means",
        "also when they run": "language/spellings/test_running.py the_tests_of_the_older_program_pass_in_both_forms",
        "checked to the end though not executed": f"{CORPUS} a_broken_program_gets_its_findings",
    },
    "checks": {
        "each of them": "acceptance/test_language_points.py what_was_promised_to_be_checked_is",
        "in every place of a program": WRONG,
        "none passes": "analysis/test_wrong_programs.py no_wrong_program_passes",
        "what is valid begins": "server/test_checked_settings.py what_is_valid_is_read",
        "S28": f"{CLASSES} s28",
        "S86": f"{CLASSES} s86",
        "S87": f"{CLASSES} s87",
        "S88": f"{CLASSES} s88",
        "S89": f"{CLASSES} s89",
        "S90": f"{CLASSES} s90",
        "S91": f"{CLASSES} s91",
        "S92": f"{CLASSES} s92",
        "S93": f"{CLASSES} s93",
        "S94": f"{CLASSES} s94",
        "S95": f"{CLASSES} s95",
        "S96": f"{CLASSES} s96",
        "S97": f"{CLASSES} s97",
        "S98": f"{CLASSES} s98",
        "the rest is one of two classes": "acceptance/test_language_points.py every_other_code_is_of_one_of_two_classes",
    },
    "diagnostics as data": {
        "code, spans with labels, help, note, edits": "language/rendering/test_machines.py json_holds_all_of_a_finding",
        "rich text with excerpt": "language/rendering/test_text.py marks_stand_below_what_they_mark",
        "concise line, GitHub annotations": f"{VALIDATE} standard_input_is_checked",
        "JSON, SARIF": f"{VALIDATE} json_and_sarif_are_all_of_the_output",
        "SARIF by its schema": "language/rendering/test_machines.py sarif_follows_its_schema",
        "hostile texts in annotations": "language/rendering/test_machines.py an_annotation_escapes_what_github_would_read",
        "hostile texts in a terminal": "language/rendering/test_text.py what_would_deceive_a_terminal_is_not_printed",
        "did-you-mean by edit distance": "language/test_suggestions.py the_nearest_name_is_suggested",
        "in scope": "analysis/test_hints.py the_finding_says_what_was_meant",
        "one mistake, one error": "language/test_recovery.py few_single_mistakes_have_several_findings",
        "and none hides another": "language/test_recovery.py a_mistake_hides_no_other_one",
        "--fix": f"{VALIDATE} fix_writes_the_safe_edits_and_nothing_else",
        "--fix changes nothing that is valid": f"{VALIDATE} fix_leaves_a_valid_program_untouched",
        "--strict": "language/rendering/test_machines.py strict_json_is_invalid_for_a_warning",
        "--watch": f"{VALIDATE} watch_checks_again_when_a_file_changes",
        "exit codes": f"{VALIDATE} wrong_usage_and_missing_files_exit_2",
        "stdin": f"{VALIDATE} standard_input_is_checked",
        "explain": "cli/test_explain.py a_code_is_explained_with_samples",
        "for each code": f"{CODES} every_code_of_the_compiler_has_a_page_and_no_page_is_left_over",
        "a wrong sample": f"{CODES} the_wrong_sample_gives_this_code_and_no_other",
        "a right one": f"{CODES} the_right_sample_gives_nothing",
    },
    "formatter": {
        "one style": f"{FORMATTER} any_layout_of_a_program_has_one_canonical_form",
        "comments stay": "language/test_formatter_comments.py a_comment_stays_where_it_belongs",
        "the same tree, twice the same": f"{FUZZ} any_words_of_the_language_are_parsed_and_formatted_to_the_same_tree",
        "of whole programs": f"{FORMATTER} formatting_keeps_the_tree_and_the_comments",
        "else it is left alone": "language/test_formatter_safety.py a_declaration_that_would_say_something_else_stays_as_it_is_written",
        "--check, --diff": f"{FMT} check_and_diff_write_nothing",
        "stdin": f"{FMT} standard_input_goes_to_standard_output",
    },
    "scripts": {
        "executed": f"{RUN} a_script_works_with_the_database_of_the_program_beside_it",
        "only with --allow-exec": f"{RUN} nothing_is_run_when_commands_are_not_allowed",
        "$name is one argument; output and code": f"{RUN} values_reach_commands_as_arguments_and_output_and_code_come_back",
        "whatever it holds": "language/test_shell.py a_value_is_one_argument_and_no_syntax",
        "time-out": f"{RUN} a_command_ends_with_its_time_and_with_too_much_output",
    },
    "grammar for others": {
        "EBNF checked against the parser": f"{GRAMMAR} the_page_has_the_rules",
        "TextMate": "editors/test_textmate.py strings_comments_and_declarations_have_their_scopes",
        "every keyword": "editors/test_textmate.py every_keyword_has_a_scope",
        "Lark accepts every formatted program": f"{GRAMMAR} a_formatted_program_is_a_sentence",
        "its sentences parse": f"{GRAMMAR} every_sentence_parses_and_is_formatted_to_the_same_tree",
    },
    "reference": {
        "samples that the tests validate": "docs/test_language.py a_sample_is_what_it_says",
        "one page per construct": "docs/test_language.py the_index_names_every_page",
        "every clause": "docs/test_clauses.py each_clause_stands_in_the_reference",
        "at most 4,000 tokens": "docs/test_language.py the_page_for_models_has_at_most_4000_tokens",
        "served": "http/test_models_page.py the_page_is_for_everybody_and_is_sent_once",
    },
    "tests": {
        "valid programs": f"{CORPUS} a_valid_program_has_no_errors",
        "broken ones with their findings": f"{CORPUS} a_broken_program_gets_its_findings",
        "notes of older spellings": f"{CORPUS} an_older_program_gets_its_notes",
        "one snapshot per code": f"{CODES} the_rendering_of_the_wrong_sample_is_that_of_the_snapshot",
        "a formatter page per construct": "language/test_formatter_pages.py a_construct_has_its_canonical_form",
        "never raises, positions lie in the text": "language/test_any_text.py any_text_has_findings_that_can_be_shown",
        "tokens cover it": "language/test_any_text.py tokens_lie_in_the_text_one_behind_the_other",
        "nothing crashes the checker": f"{BAD} a_damaged_program_never_crashes_the_checker",
        "fuzzed": f"{FUZZ} the_fuzzer_finds_nothing",
        "for a minute": "acceptance/test_language_points.py the_fuzzer_has_a_minute",
    },
    "speed": {
        "linear": "language/test_speed.py the_work_is_linear_in_the_size_of_the_text",
        "also of what is wrong": "language/test_speed.py one_wrong_name_among_many_declarations_costs_one_look_at_them",
        "suggestions": "language/test_suggestions.py what_is_one_slip_away_among_many_is_found_by_comparing_few",
    },
    "shown by": {
        "programs of somebody new, after one round": "system/test_newcomers.py a_first_draft_is_told_what_is_wrong",
        "clinic, library, parcels, billing, chat": "system/test_newcomers.py what_came_of_it_is_valid_and_canonical_and_its_tests_pass",
        "on both databases": "system/test_newcomers.py its_tests_pass_on_postgresql",
        "the examples": "system/test_examples.py a_program_written_from_the_reference_holds",
    },
}

BESIDE = """
entity Shelf { id: uuid, primary, auto  name: string, required }
entity Book { id: uuid, primary, auto  title: string, required  shelf: ref(Shelf) }
resource Book at /books { auth: public }
event BookLent { payload { book_id: uuid, required } }
role admin { permissions: ["books:*"] }
role editor { permissions: ["books:read"] }
middleware limited { type: rate_limiting  requests: 100  window: 1m }
integration Pay {
    base_url: "https://pay.example"
    operation charge { method: POST  path: "/charges"  body { amount: int, required }  returns { id: string } }
}
workflow Lend { trigger: manual  input { days: int, required }  steps { a { query: input.days } } }
config { greeting: "hello"  jobs { queues { low: 1 } } }
function twice(n: int) -> int { return 2 * n }
"""
ROOT = Path(__file__).parents[2]
PROMISED = (Path(__file__).parent / "promised_checks.txt").read_text(encoding="utf-8").splitlines()[1:]
CHECKS = [tuple(PROMISED[at : at + 3]) for at in range(0, len(PROMISED), 3)]
EXACT = ("CAI0101", "CAI0102", "CAI0103", "CAI0110", "CAI0111", "CAI0112", "CAI0322", "CAI0350")


def said(text: str) -> set[str]:
    """What is said of a program but of older spellings."""
    program = analysed(text)
    weighed = [found for found in program.diagnostics if found.severity is not Severity.INFO]
    return {concise(found, program.sources).split(":", 3)[3].strip() for found in weighed}


USUAL = said(BESIDE)


def test_what_was_promised_of_the_language_has_its_test() -> None:
    assert missing(POINTS) == []


@pytest.mark.parametrize(("phrase", "program", "finding"), CHECKS, ids=[check[0] for check in CHECKS])
def test_what_was_promised_to_be_checked_is(phrase: str, program: str, finding: str) -> None:
    beside = "" if program.startswith("config") else BESIDE
    found = said(beside + program.replace(" ;; ", "\n")) - USUAL
    wanted = finding.removeprefix("! ")
    assert found == set() if wanted == "nothing" else len(found) == 1 and next(iter(found)).startswith(wanted), (phrase, found)


def test_every_other_code_is_of_one_of_two_classes() -> None:
    kinds = {code: page.kind.value for code in codes() if (page := entry(code)) is not None}
    assert {code for code, kind in kinds.items() if kind not in ("SemanticError", "SyntaxError")} == set(EXACT)
    assert {kind for code, kind in kinds.items() if code in EXACT} == {"ScopeError", "FunctionError", "TypeError", "CompilerError"}


def test_every_group_of_older_spellings_has_a_module() -> None:
    folder = ROOT / "src/codeai/language/spellings"
    groups = (
        "data",
        "documents",
        "endpoints",
        "steps",
        "events",
        "integrations",
        "workflows",
        "jobs",
        "security",
        "settings",
        "descriptions",
    )
    assert [name for name in groups if not (folder / f"{name}.py").exists() and not (folder / name).is_dir()] == []


def test_the_fuzzer_has_a_minute() -> None:
    assert "FUZZ_SECONDS=60" in (ROOT / ".ci/run").read_text(encoding="utf-8")
    assert "atheris" in (ROOT / "tests/fuzz/target.py").read_text(encoding="utf-8")
