"""What counts as a secret or as personal data: one table of rules."""

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass

Check = Callable[[str], int]


def _all(secret: str) -> int:
    return len(secret)


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of secret.

    Attributes:
        kind: What the placeholder calls it.
        pattern: Finds it. What is cut out is the group `secret`, or the whole match where there is no such group.
        hints: Texts of which the lower-cased line, or its shape (digits as 0, capitals as A), must hold one for
            the pattern to be tried; none to always try.
        check: How many characters of the secret, from its start, are really one; 0 to leave it.
        unless: What must not stand directly before the secret.
    """

    kind: str
    pattern: re.Pattern[str]
    hints: tuple[str, ...] = ()
    check: Check = _all
    unless: re.Pattern[str] | None = None


_PROSE = """
    authentication bad blank change changed denied does empty error expired failed false for has have in incorrect
    invalid is length malformed mismatch missing must nil no none not null ok omitted or rejected removed required
    reset revoked rotated should the true undefined unknown unset was with wrong
"""
_NO_SECRET = frozenset(_PROSE.split())
_SHORTEST_CODE, _LONGEST_CODE = 6, 12


def password(value: str) -> int:
    """Whether what follows `password=` is one: not a word of prose, a mask, or a folder (`PWD=/srv`)."""
    bare = value.strip("\"'\\.,:!")
    if bare.lower() in _NO_SECRET or not any(letter.isalnum() for letter in bare):
        return 0
    return 0 if bare.startswith(("/", "~/", "[redacted", "<redacted")) or set(bare) <= {"x", "X"} else len(value)


def token(value: str) -> int:
    """The same for `token=` and its like, after which a mere number is more often an id or a position."""
    bare = value.strip("\"'\\.,:!")
    digits = bare.lstrip("+-")
    if digits.isdigit() and not _SHORTEST_CODE <= len(digits) <= _LONGEST_CODE:
        return 0
    return password(value)


def basic(value: str) -> int:
    """Whether it is the `user:password` of basic authentication."""
    try:
        return len(value) if b":" in base64.b64decode(value, validate=True) else 0
    except (binascii.Error, ValueError):
        return 0


def bearer(value: str) -> int:
    """Whether it is a token and not the word after "bearer"."""
    return len(value) if any(letter.isdigit() for letter in value) else 0


def luhn(value: str) -> int:
    """Whether the digits are a card number: ISO/IEC 7812-1, annex B."""
    digits = [int(letter) for letter in value if letter.isdigit()]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[-2::-2])
    plausible = len(set(digits)) > 1
    return len(value) if plausible and (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0 else 0


_IBAN_COUNTRIES = {
    15: "NO", 16: "BE", 18: "DK FI FO GL NL SD", 19: "MK SI", 20: "AT BA EE KZ LT LU MN XK", 21: "CH CR HR LI LV",
    22: "BG BH DE GB GE IE ME RS VA", 23: "AE GI IL IQ OM SO TL", 24: "AD CZ ES MD PK RO SA SE SK TN VG",
    25: "LY PT ST", 26: "IS TR", 27: "BI DJ FR GR IT MC MR SM", 28: "AL AZ BY CY DO GT HU LB NI PL SV",
    29: "BR EG PS QA UA", 30: "JO KW MU YE", 31: "MT SC", 32: "LC", 33: "RU",
}  # fmt: skip
_IBAN_LENGTHS = {country: length for length, names in _IBAN_COUNTRIES.items() for country in names.split()}


def iban(value: str) -> int:
    """How much of the text is an account number: a country's length and ISO 7064's remainder of 1 modulo 97."""
    wanted = _IBAN_LENGTHS.get(value[:2], 0)
    taken, end = "", 0
    for end, letter in enumerate(value, start=1):  # noqa: B007  # where the loop stopped is the answer
        taken += letter if letter != " " else ""
        if len(taken) == wanted:
            break
    if not wanted or len(taken) != wanted or value[end : end + 1].isalnum():
        return 0
    number = "".join(str(int(letter, 36)) for letter in taken[4:] + taken[:4])
    return end if int(number) % 97 == 1 else 0


def phone(value: str) -> int:
    """Whether the digits are as many as E.164 allows; without separators it takes more to be sure."""
    digits = sum(letter.isdigit() for letter in value)
    return len(value) if (10 if digits == len(value) - 1 else 8) <= digits <= 15 else 0  # noqa: PLR2004  # E.164's bounds


SHAPES = frozenset({"0" * 13, "0000 0000", "0000-0000", "AA00", "+0", "000-00-0000"})
"""Hints that are a shape of the text: a digit is 0 there, a capital letter A."""


def _rule(
    kind: str,
    pattern: str,
    *hints: str,
    check: Check = _all,
    flags: int = 0,
    unless: re.Pattern[str] | None = None,
) -> Rule:
    return Rule(kind, re.compile(pattern, flags), hints, check, unless)


_IGNORE = re.IGNORECASE
_BEFORE = r"(?<![A-Za-z0-9_])"
_IS = r"[\\\"']{0,4}\s{0,4}(?:=>|:=|=|:)\s{0,4}"
_VALUE = (
    r"(?:\\\"(?P<a>.+?)\\\"|\"(?P<b>(?:[^\"\\]|\\.)+)\"|'(?P<c>(?:[^'\\]|\\.)+)'"
    r"|(?P<d>[^\s\"'&,;<>(){}\[\]|\\][^\s\"'&,;<>{}|]*))"
)
_PASSWORD = r"(?:pass(?:word|wd|phrase|code)?|passwort|pwd)"  # noqa: S105  # a pattern
_OTHER_NAMES = (
    r"(?:secret|token|api[_.-]?key|(?:access|secret|private|account|signing|encryption|master|auth|license)[_.-]?key"
    r"|sharedaccesskey|credentials?|client[_.-]?secret|x-amz-signature|x-amz-security-token)"
)
_AN_ID = re.compile(
    r"(?:(?:id|trace|span|sha|hash|offset|seq|time|stamp|ts|nanos|bytes|version)[\\\"']{0,3}\s?[:=#]\s?[\\\"']{0,3}"
    r"|[0-9a-f]{16,32}[,;|/ ]{1,2})$",
    _IGNORE,
)
SECRET_NAMES: tuple[tuple[str, re.Pattern[str], Check], ...] = (
    ("password", re.compile(rf"(?:^|[^A-Za-z]|(?<=[a-z])(?=P)|db|my){_PASSWORD}$", _IGNORE), password),
    ("token", re.compile(rf"{_OTHER_NAMES}$", _IGNORE), token),
    ("authorization", re.compile(r"(?:^|[^A-Za-z])(?:proxy-)?authori[sz]ation$", _IGNORE), password),
    ("cookie", re.compile(r"cookies?$", _IGNORE), password),
    ("session", re.compile(r"(?:jsessionid|phpsessid|session[_.-]?id)$", _IGNORE), token),
)
"""Names of fields whose whole value is a secret: kind, name, check."""

RULES: tuple[Rule, ...] = (
    _rule(
        "private_key",
        r"-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [^-\n]{1,60}-----|\Z)",
        "private key",
        flags=re.DOTALL,
    ),
    _rule(
        "authorization",
        rf"authori[sz]ation{_IS}(?:\\?[\"'])?(?P<secret>(?:[A-Za-z][\w-]{{1,20}}\s{{1,4}})?[^\s\"'\\,;]{{6,}})",
        "authori",
        check=password,
        flags=_IGNORE,
    ),
    _rule(
        "authorization",
        rf"{_BEFORE}basic\s{{1,4}}(?P<secret>[A-Za-z0-9+/]{{6,}}={{0,2}})",
        "basic ",
        check=basic,
        flags=_IGNORE,
    ),
    _rule(
        "authorization",
        rf"{_BEFORE}bearer\s{{1,4}}(?P<secret>[\w.~+/=-]{{8,}})",
        "bearer ",
        check=bearer,
        flags=_IGNORE,
    ),
    _rule("cookie", rf"(?:set-)?cookie{_IS}(?P<secret>[^\s\"'=;,]{{1,80}}=[^\n\"']+)", "cookie", flags=_IGNORE),
    _rule("password", r"://[^\s/?#:@\"']{0,200}:(?P<secret>[^\s/?#\"']{1,500})@", "://"),
    _rule("password", r"(?<![\w/])[\w.-]{1,100}:(?P<secret>[^\s@:\"']{1,200})@(?:tcp|unix)\(", "@tcp(", "@unix("),
    _rule(
        "password",
        rf"(?:(?<![A-Za-z])|(?<=[a-z])(?=P)|(?<=db)|(?<=my)){_PASSWORD}{_IS}{_VALUE}",
        "pass",
        "pwd",
        check=password,
        flags=_IGNORE,
    ),
    _rule(
        "password",
        rf"--?(?:[a-z]+-)*{_PASSWORD}\s+(?P<secret>[^\s\"'-][^\s\"']*)",
        "pass",
        "pwd",
        check=password,
        flags=_IGNORE,
    ),
    _rule(
        "token",
        rf"{_OTHER_NAMES}{_IS}{_VALUE}",
        "secret",
        "token",
        "key",
        "credential",
        "x-amz-s",
        check=token,
        flags=_IGNORE,
    ),
    _rule(
        "token",
        r"--(?:[a-z]+-)*(?:token|secret|api-key)\s+(?P<secret>[^\s\"'-][^\s\"']*)",
        "token",
        "secret",
        "api-key",
        check=token,
        flags=_IGNORE,
    ),
    _rule("token", r"[?&](?:sig|signature)=(?P<secret>[^\s&\"'#]{16,})", "sig", flags=_IGNORE),
    _rule(
        "session",
        rf"(?:jsessionid|phpsessid|asp\.net_sessionid|connect\.sid|session[_.-]?id){_IS}{_VALUE}",
        "sess",
        "connect.sid",
        check=token,
        flags=_IGNORE,
    ),
    _rule("jwt", rf"{_BEFORE}eyJ[\w-]{{5,}}\.eyJ[\w-]{{2,}}(?:\.[\w-]*)?", "eyj"),
    _rule(
        "aws_key",
        r"(?:AKIA|ASIA)[A-Z0-9]{16}[\s,:/|\"']{1,4}(?P<secret>[A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])",
        "akia",
        "asia",
    ),
    _rule("aws_key", rf"{_BEFORE}(?:AKIA|ASIA)[A-Z0-9]{{16}}(?![A-Za-z0-9])", "akia", "asia"),
    _rule(
        "github_token",
        rf"{_BEFORE}(?:gh[pousr]_[A-Za-z0-9]{{20,255}}|github_pat_\w{{22,255}})",
        "gh",
        "github_pat_",
    ),
    _rule("gitlab_token", rf"{_BEFORE}gl(?:pat|ptt|rt|dt)-[\w-]{{20,}}", "glpat-", "glptt-", "glrt-", "gldt-"),
    _rule("slack_token", rf"{_BEFORE}xox[abeoprs]-[A-Za-z0-9-]{{10,}}", "xox"),
    _rule("slack_token", r"hooks\.slack\.com/(?:services|workflows)/(?P<secret>[\w/-]{10,})", "hooks.slack.com"),
    _rule(
        "stripe_key",
        rf"{_BEFORE}(?:[srp]k_(?:live|test)_|whsec_)[A-Za-z0-9]{{10,}}",
        "k_live_",
        "k_test_",
        "whsec_",
    ),
    _rule(
        "google_key",
        rf"{_BEFORE}(?:AIza[\w-]{{35}}|ya29\.[\w-]{{20,}}|GOCSPX-[\w-]{{20,}})",
        "aiza",
        "ya29.",
        "gocspx-",
    ),
    _rule(
        "api_key",
        rf"{_BEFORE}sk-(?:[a-z]{{2,10}}\d{{0,2}}-)*(?=[\w-]*\d)[A-Za-z0-9_-]{{20,}}",
        "sk-",
        check=bearer,
    ),
    _rule(
        "api_key",
        rf"{_BEFORE}(?:npm_[A-Za-z0-9]{{36}}|pypi-[\w-]{{50,}}|dop_v1_[a-f0-9]{{64}})",
        "npm_",
        "pypi-",
        "dop_v1_",
    ),
    _rule("api_key", rf"{_BEFORE}(?:SG\.[\w-]{{16,}}\.[\w-]{{16,}}|hv[sb]\.[\w-]{{20,}})", "sg.", "hvs.", "hvb."),
    _rule(
        "email",
        r"(?<![\w.+%-])[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}"
        r"(?!(?:service|socket|timer|slice|scope|mount|target|path|device|swap)\b)[A-Za-z]{2,24}(?![\w-])",
        "@",
    ),
    # These have no word to look for but a shape, in which a digit is 0 and a capital letter is A.
    _rule("card", r"[2-6](?<![\w.+-].)\d{12,18}(?![\w-]|\.\d)", "0" * 13, check=luhn, unless=_AN_ID),
    _rule(
        "card",
        r"[2-6]\d{3}(?<![\w.+-]....)(?:([ -])\d{4}\1\d{4}\1\d{1,7}|([ -])\d{6}\2\d{4,5})(?![\w-]|\.\d)",
        "0000 0000",
        "0000-0000",
        check=luhn,
    ),
    _rule("iban", r"[A-Z]{2}\d{2}(?<![\w/+-]....)(?: ?[A-Z0-9]){11,32}", "AA00", check=iban),
    _rule(
        "ssn",
        r"\d{3}-(?<![\w.-]....)(?<!000-)(?<!666-)(?<!9..-)(?!00)\d{2}-(?!0000)\d{4}(?![\w-]|\.\d)",
        "000-00-0000",
    ),
    _rule(
        "phone",
        r"(?<![\w+./\n-])\+[1-9]\d{0,2}(?:[ .-]?\(\d{1,4}\))?(?:[ .-]?\d{1,4}){2,6}(?![\w:]|\.\d)",
        "+0",
        check=phone,
    ),
)
"""In this order: what a name announces goes first, so that no tail of a value is left by a narrower rule."""
