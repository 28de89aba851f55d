"""What PostgreSQL lacks: division to 16 places, rounding half to even, letter case that does not depend on the locale.

The schema creates these functions beside the tables; the query compiler calls them. The counterparts on SQLite are in
``storage.sqlite.functions``.
"""

from __future__ import annotations

from typing import Final

_ROUND: Final = """
CREATE OR REPLACE FUNCTION codeai_round(value numeric, places integer) RETURNS numeric
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    up numeric := round(value, places);
BEGIN
    IF abs(up - value) * 2 = power(10::numeric, -places) AND mod(up * power(10::numeric, places), 2) <> 0 THEN
        RETURN round(up - sign(value) * power(10::numeric, -places), greatest(places, 0));
    END IF;
    RETURN up;
END $$
"""

# Integer division decides the last digit exactly: a tie, and which side of it the quotient lies on, is read off the rest.
_DIVIDE: Final = """
CREATE OR REPLACE FUNCTION codeai_divide(dividend numeric, divisor numeric) RETURNS numeric
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    raised numeric := dividend * 10000000000000000::numeric;
    quotient numeric := div(raised, divisor);
    rest numeric := abs(raised - quotient * divisor) * 2;
BEGIN
    IF rest > abs(divisor) OR (rest = abs(divisor) AND mod(quotient, 2) <> 0) THEN
        quotient := quotient + sign(dividend) * sign(divisor);
    END IF;
    RETURN quotient * 0.0000000000000001::numeric;
END $$
"""

_FLOAT_TEXT: Final = """
CREATE OR REPLACE FUNCTION codeai_float_text(value double precision) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE
        WHEN value = trunc(value) AND abs(value) < 1e16 THEN trunc(value)::numeric::text || '.0'
        ELSE value::text
    END
$$
"""

# ICU's root locale maps letters as Python's str does; a server without ICU falls back to its own locale.
_CASE: Final = """
DO $$
DECLARE
    rules text := coalesce((SELECT ' COLLATE "und-x-icu"' FROM pg_collation WHERE collname = 'und-x-icu' LIMIT 1), '');
    word text;
BEGIN
    FOREACH word IN ARRAY ARRAY['lower', 'upper'] LOOP
        EXECUTE format(
            'CREATE OR REPLACE FUNCTION codeai_%s(value text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS %L',
            word, format('SELECT %s(value%s)', word, rules)
        );
    END LOOP;
END $$
"""

FUNCTIONS: Final = (_ROUND.strip(), _DIVIDE.strip(), _FLOAT_TEXT.strip(), _CASE.strip())
