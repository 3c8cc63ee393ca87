"""Mails to customers: takes what was shipped from a stream, and spools a mail for each."""

import asyncio
import json
import time
from pathlib import Path

from prometheus_client import Counter, Histogram
from redis.exceptions import RedisError

from . import kit, loops

service = kit.Service("notification")
cache = loops.Cache(service)
SPOOL = Path(service.runtime["spool"]) / "notification"
KEEP_MAILS = int(service.config["keep_mails"])
MAIL_BYTES = int(service.config["mail_bytes"])

PROCESSING = Histogram(
    "message_processing_duration_seconds", "Time one message took.", ["queue"], buckets=kit.BUCKETS
)
FAILURES = Counter("message_processing_failures_total", "Messages that failed.", ["queue"])
kit.export_backlog(service, "shipped")


def mail(message: dict[str, str]) -> None:
    """Spool the mail that tells a customer."""
    shipped = json.loads(message["body"])
    address = f"user-{shipped['user']}@customers.example"
    text = f"To: {address}\nSubject: order {shipped['order']} is on its way\n"
    (SPOOL / f"{shipped['order']}.eml").write_bytes(text.encode().ljust(MAIL_BYTES, b"."))
    for old in sorted(SPOOL.glob("*.eml"), key=lambda path: path.stat().st_mtime)[:-KEEP_MAILS]:
        old.unlink()
    service.log.info("mail for order %s spooled to %s", shipped["order"], address)


async def work() -> None:
    """Take what was shipped, one after the other."""
    last = "0"
    while True:
        entries = [] if service.flag("pause_worker") else await cache.do("XRANGE", "shipped", f"({last}", "+")
        if not entries:
            await asyncio.sleep(0.3)
        for number, fields in entries:
            began, failed = time.perf_counter(), True
            message = dict(fields)
            trace = kit.Trace.of(message.get("trace"))
            kit.TRACE.set(trace)
            try:
                mail(message)
                failed = False
            except OSError:
                FAILURES.labels("shipped").inc()
                service.log.exception("mail could not be spooled, put aside")
            await cache.do("XDEL", "shipped", number)
            seconds = time.perf_counter() - began
            PROCESSING.labels("shipped").observe(seconds)
            kit.TRACER.end_request(trace, "shipped process", seconds, failed=failed, kind="messaging")
            kit.TRACE.set(None)
            last = number


async def worker() -> None:
    """Work, through Redis' absences."""
    while True:
        try:
            await work()
        except (RedisError, TimeoutError, OSError) as error:
            service.log.error("the stream of shipped orders can't be read: %s", error)  # noqa: TRY400 - the stack says no more
            await asyncio.sleep(1)


app = loops.make_app(service)

if __name__ == "__main__":
    loops.serve(service, app, worker)
