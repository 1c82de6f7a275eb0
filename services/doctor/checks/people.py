"""How people are named in the store, and whether the key for that is there."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from services.common.people.key import PersonKey, read_key
from services.common.people.record import Mode, NamesRecord, Origin, latest_record
from services.doctor.finding import Finding, fail, ok, skipped, warn
from services.doctor.patient import Patient

_ROTATE = "between campaigns, `warroom privacy rotate` changes it: docs/privacy.md"


async def people(patient: Patient) -> Sequence[Finding]:
    """Holds the file of the settings against what the store remembers."""
    file = patient.settings.user_key_file
    # Raises what keeps ingest from starting.
    key = None if file is None else read_key(file)
    if patient.store is None:
        return [skipped("people", "there is no ClickHouse server to ask")]
    return [judge_names(await asyncio.to_thread(latest_record, patient.store.store), key)]


def judge_names(record: NamesRecord | None, key: PersonKey | None) -> Finding:
    """`record` is what the store says, None when nothing was ever written to it."""
    if record is None:
        return skipped("people", "ingest has not chosen yet how it names people")
    if record.mode is Mode.PLAIN:
        return warn("people", "the ids of people are stored as they are sent", _ROTATE)
    if record.origin is Origin.STORE:
        return warn(
            "people",
            "the key that ids are hashed with lies in the store: whoever reads all of it can tell who is who",
            "keep it in a file (WARROOM_USER_KEY_FILE): docs/privacy.md",
        )
    if key is None:
        return warn(
            "people",
            f"the store's rows were hashed with the key {record.fingerprint}; WARROOM_USER_KEY_FILE is not set here",
            "run the doctor with the environment of ingest",
        )
    if key.fingerprint != record.fingerprint:
        return fail(
            "people",
            f"WARROOM_USER_KEY_FILE holds the key {key.fingerprint}, and the store's rows were hashed with "
            f"{record.fingerprint}: everybody would count twice, so ingest does not start",
            "put the file back that was there; " + _ROTATE,
        )
    return ok("people", f"ids are hashed with the key {key.fingerprint} of a file")
