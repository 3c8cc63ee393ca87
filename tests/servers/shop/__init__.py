"""Known telemetry: a made-up shop in which one service fails at a known time.

`make_shop` fixes the system, the fault and the truth; `openmetrics` is what its Prometheus would hold; `log_records` and
`span_records` are what it would write, and `documents` puts them into the shape of one log shipper. The same arguments
give the same telemetry.
"""

from servers.shop.load import load_logs, load_spans
from servers.shop.logs import LogRecord, log_records
from servers.shop.metrics import openmetrics
from servers.shop.shapes import SHAPES, SPAN_SHAPES, Shape
from servers.shop.system import Fault, Shop, make_shop
from servers.shop.traces import SpanRecord, span_records

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
