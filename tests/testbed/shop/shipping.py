"""Shipping: quotes over HTTP; and a worker that takes orders from a stream, prints labels, and passes them on."""

import json
import threading
import time
from pathlib import Path

import psycopg
from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue
from prometheus_client import Counter, Histogram
from redis.exceptions import RedisError

from . import kit, threads

service = kit.Service("shipping")
database = threads.Database(service)
cache = threads.Cache(service)
SPOOL = Path(service.runtime["spool"]) / "shipping"
KEEP_LABELS = int(service.config["keep_labels"])
LABEL_BYTES = int(service.config["label_bytes"])

PROCESSING = Histogram(
    "message_processing_duration_seconds", "Time one message took.", ["queue"], buckets=kit.BUCKETS
)
FAILURES = Counter("message_processing_failures_total", "Messages that failed.", ["queue"])
kit.export_backlog(service, "orders")

app: Flask = threads.make_app(service)


@app.get("/quote")
def quote() -> ResponseReturnValue:
    """What shipping would cost."""
    country, items = request.args["country"], int(request.args["items"])
    with database.use() as session:
        rows = session.rows("tariff", "select base, each from tariffs where country = %s", (country,))
    base, each = rows[0] if rows else (9.9, 2.0)
    return jsonify({"price": float(base) + float(each) * items})


def ship(message: dict[str, str]) -> None:
    """Print the label, note the shipment, tell the customer."""
    order = json.loads(message["body"])
    label = SPOOL / f"{order['order']}.zpl"
    label.write_bytes(f"^XA order {order['order']} to {order['country']}".encode().ljust(LABEL_BYTES, b"."))
    for old in sorted(SPOOL.glob("*.zpl"), key=lambda path: path.stat().st_mtime)[:-KEEP_LABELS]:
        old.unlink()
    with database.use() as session:
        session.rows(
            "insert_shipment",
            "insert into shipments (number, country) values (%s, %s)",
            (order["order"], order["country"]),
        )
    told = json.dumps({"order": order["order"], "user": order["user"]})
    publish = kit.Outgoing("shipped", "send", "messaging")
    cache.do("XADD", "shipped", "*", "body", told, "trace", publish.headers["traceparent"])
    service.log.info("order %s shipped to %s", order["order"], order["country"])


def work() -> None:
    """Take orders one after the other."""
    last = "0"
    while True:
        if service.flag("pause_worker"):
            time.sleep(0.5)
            continue
        entries = cache.do("XRANGE", "orders", f"({last}", "+", "COUNT", 10)
        if not entries:
            time.sleep(0.2)
        for number, fields in entries:
            handle(number, dict(fields))
            kit.TRACE.set(None)
            last = number


def handle(number: str, message: dict[str, str]) -> None:
    """One order; one that fails is put aside."""
    began, failed = time.perf_counter(), True
    trace = kit.Trace.of(message.get("trace"))
    kit.TRACE.set(trace)
    try:
        ship(message)
        failed = False
    except (OSError, psycopg.Error):
        FAILURES.labels("orders").inc()
        service.log.exception("order could not be shipped, put aside")
    cache.do("XDEL", "orders", number)
    PROCESSING.labels("orders").observe(time.perf_counter() - began)
    kit.TRACER.end_request(trace, "orders process", time.perf_counter() - began, failed=failed, kind="messaging")


def worker() -> None:
    """Work, through Redis' absences."""
    while True:
        try:
            work()
        except RedisError as error:
            service.log.error("the stream of orders can't be read: %s", error)  # noqa: TRY400 - the stack says no more
            time.sleep(1)


if __name__ == "__main__":
    threading.Thread(target=worker, daemon=True, name="worker").start()
    threads.serve(service, app)
