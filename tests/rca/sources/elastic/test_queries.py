from hypothesis import given
from hypothesis import strategies as st

from rca.sources.elastic.fields import Cohort
from rca.sources.elastic.layers import Layer
from rca.sources.elastic.queries import log_query, quoted
from rca.sources.elastic.schema import Role, load_schemas

SCHEMA = load_schemas()
FIELDS: dict[Role, tuple[str, ...]] = {**dict.fromkeys(Role, ()), Role.MESSAGE: ("message",)}
COHORT = Cohort(("logs-*",), FIELDS)
WITH_LEVEL = Layer(
    COHORT, "@timestamp", "service.name", "log.level", (), {"cart": 9}, {"error": 2, "FATAL": 1, "info": 6}
)
WITHOUT = Layer(COHORT, "@timestamp", "app", None, (), {"cart": 3, "old": 2})


def test_the_lines_of_a_service_are_found_by_any_field_that_names_it() -> None:
    assert log_query([WITH_LEVEL], SCHEMA, "cart") == 'service.name: "cart"'
    assert log_query([WITH_LEVEL, WITHOUT], SCHEMA, "cart") == '(service.name: "cart") or (app: "cart")'
    assert log_query([WITH_LEVEL], SCHEMA, "unheard-of") == ""


def test_errors_are_the_raw_values_that_mean_them_or_words_of_the_message() -> None:
    assert log_query([WITH_LEVEL], SCHEMA, "cart", "ERROR") == (
        'service.name: "cart" and log.level: ("error" or "FATAL")'
    )
    assert log_query([WITH_LEVEL], SCHEMA, "cart", "INFO") == 'service.name: "cart" and log.level: "info"'
    assert log_query([WITHOUT], SCHEMA, "old", "ERROR") == (
        'app: "old" and message: (error or exception or failed or fatal or panic)'
    )
    assert log_query([WITHOUT], SCHEMA, "old", "WARN") == ""


@given(st.text())
def test_no_value_ends_its_string(value: str) -> None:
    inside = quoted(value)[1:-1]
    assert '"' not in inside.replace("\\\\", "").replace('\\"', "")
    assert not (len(inside) - len(inside.rstrip("\\"))) % 2
    assert "\n" not in inside


def test_syntax_in_a_fields_name_is_escaped() -> None:
    layer = Layer(COHORT, "@timestamp", "my app(x)", None, (), {"a": 1})
    assert log_query([layer], SCHEMA, "a") == r'my\ app\(x\): "a"'
