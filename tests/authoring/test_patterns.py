import pytest

from loader.authoring.patterns import dialect_of


@pytest.mark.parametrize(
    "pattern",
    [
        "^[A-Z]{3}$",
        "RUB|USD",
        r"^a\.b\\d[+*]+$",
        "(?:a|b){2,3}?",
        "[]^-]",
        r"\/\-\0",
        "a{2}b+?",
        "",
    ],
)
def test_what_all_engines_take_alike_is_not_told(pattern):
    assert list(dialect_of(pattern)) == []


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        (r"^\d+$", r"`\d`"),
        (r"[\w-]+", r"`\w`"),
        (r"\bx", r"`\b`"),
        (r"\Ax", "write ^"),
        (r"x\Z", "write $"),
        (r"(a)\1", "refers back"),
        ("(?=a)", "looks ahead"),
        ("(?!a)", "looks ahead"),
        ("(?<=a)b", "looks behind"),
        ("(?<!a)b", "looks behind"),
        ("(?P<n>a)", "only Python"),
        ("(?i)a", "sets a flag"),
        ("(?i:a)", "sets a flag"),
        ("(?#x)a", "comment"),
        ("(?>a)", "atomic"),
        ("a*+", "possessive"),
        ("a{2}+", "possessive"),
        ("a{,3}", "counts from 0"),
    ],
)
def test_what_engines_differ_over_is_told(pattern, told):
    [said] = dialect_of(pattern)

    assert told in said


def test_the_same_thing_is_told_once():
    assert len(list(dialect_of(r"\d\d\d"))) == 1
