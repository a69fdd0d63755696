"""Exact numbers as text: long ones of our own in full, and no reader that takes for ever."""

import sys
from fractions import Fraction

import pytest

from paging.numbers import exact_text, json_text, read_exact

LONG = Fraction(10**5000 + 1, 10**5000)


def test_our_own_long_numbers_are_written_and_read_in_full():
    most = sys.get_int_max_str_digits()
    text = exact_text(LONG)
    assert len(text) == 10_003
    assert read_exact(text) == LONG
    assert json_text({"n": 10**5000}).count("0") == 5000
    assert sys.get_int_max_str_digits() == most  # what others read stays limited


@pytest.mark.parametrize("text", ["1" * 100_001, "1e999999999", "1/0", "", "x", "1/2/3"])
def test_what_is_no_exact_number_is_refused_at_once(text):
    with pytest.raises(ValueError, match=r"number|Invalid literal"):
        read_exact(text)
