"""The coverage-guided fuzzer (atheris): ``make fuzz``. The first byte chooses between a program and query text.

Arguments are those of libFuzzer: ``-max_total_time=60``, folders of seeds, a file that failed.
"""

import sys

import atheris

with atheris.instrument_imports(include=["codeai.language"]):
    from texts import check_program, check_query


def one(data: bytes) -> None:
    text = data[1:].decode("utf-8", "replace").replace("\r\n", "\n")
    if data[:1] < b"\x40":
        check_query(text)
    else:
        check_program(text)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
