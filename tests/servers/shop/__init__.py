"""Known telemetry: a made-up shop in which one service fails at a known time.

`make_shop` fixes the system, the fault and the truth. `openmetrics` is what its Prometheus would hold,
`log_records` and `span_records` what it would write; `load_logs` and `load_spans` put them into an Elasticsearch
in the shape of one shipper (`SHAPES`, `SPAN_SHAPES`). The same arguments give the same telemetry.
"""

from tests.servers.shop.load import load_logs, load_spans
from tests.servers.shop.logs import LogRecord, log_records
from tests.servers.shop.metrics import openmetrics
from tests.servers.shop.shapes import SHAPES, SPAN_SHAPES, Shape
from tests.servers.shop.system import Fault, Shop, make_shop
from tests.servers.shop.traces import SpanRecord, span_records

__all__ = [
    "SHAPES",
    "SPAN_SHAPES",
    "Fault",
    "LogRecord",
    "Shape",
    "Shop",
    "SpanRecord",
    "load_logs",
    "load_spans",
    "log_records",
    "make_shop",
    "openmetrics",
    "span_records",
]
