"""Every check, by the name under which it reports a failure of its own."""

from __future__ import annotations

from collections.abc import Mapping

from services.doctor.checks.certificates import certificates
from services.doctor.checks.clocks import clocks
from services.doctor.checks.cluster import cluster
from services.doctor.checks.kafka import kafka
from services.doctor.checks.keys import keys
from services.doctor.checks.machine import machine
from services.doctor.checks.people import people
from services.doctor.checks.receivers import receivers
from services.doctor.checks.rights import rights
from services.doctor.checks.room import room
from services.doctor.checks.schema import schema
from services.doctor.checks.services import services
from services.doctor.checks.store import store
from services.doctor.checks.watermark import watermark
from services.doctor.examination import Check

CHECKS: Mapping[str, Check] = {
    "settings": machine,
    "certificates": certificates,
    "kafka": kafka,
    "store": store,
    "cluster": cluster,
    "schema": schema,
    "rights": rights,
    "room": room,
    "clocks": clocks,
    "watermark": watermark,
    "keys": keys,
    "people": people,
    "services": services,
    "receivers": receivers,
}
