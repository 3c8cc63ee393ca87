"""Charges: a row in PostgreSQL around a call to the card company's API."""

import secrets
import ssl

from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue

from . import kit, threads

service = kit.Service("payment")
database = threads.Database(service)
cardgate = threads.Peer(service, "cardgate")

app: Flask = threads.make_app(service)


@app.post("/charges")
def charge() -> ResponseReturnValue:
    """Charge a card, once."""
    body = request.get_json()
    amount = body["amount"]
    number = secrets.token_hex(8)
    with database.use() as session:
        session.rows(
            "insert_charge",
            "insert into charges (number, customer, amount) values (%s, %s, %s)",
            (number, body["user"], amount["value"]),
        )
        answer = cardgate.call(
            "POST", "/v1/charges", {"amount": amount["value"], "currency": amount["currency"], "key": number}
        )
        session.rows("settle", "update charges set reference = %s where number = %s", (answer["id"], number))
    service.log.info("charged %.2f %s, reference %s", amount["value"], amount["currency"], answer["id"])
    return jsonify({"id": number})


if __name__ == "__main__":
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(service.config["tls"]["certificate"])
    threads.serve(service, app, tls=tls)
