"""Cuts people off from their rows, so that the shop's sums stay and nobody can be found by them.

A row keeps what happened and gets a name that nobody can make again: it comes from a secret that is kept while the
erasure runs, so that a run which was cut off goes on with the same names, and emptied at its end. One person's rows
keep one name, which is why every count stays. No statement names a person or a new name: servers remember statements.

On a cluster rows are rewritten on the shard where they are, and a new name is one that the sharding key gives to that
shard: whatever counts people shard by shard goes on being right, and so does what looks for rows where they belong.
"""

from __future__ import annotations

import logging
import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from services.common.people import ERASED_MARK, LENGTH
from services.common.store import REWRITTEN, Store
from services.privacy import letters
from services.privacy.people import Keys, Person, all_names
from services.privacy.suspects import rows_naming, suspect_names
from services.privacy.tables import ALERTS, EVENTS, FUNNEL, PersonTable

logger = logging.getLogger(__name__)

# A server that asks when the secret is gone is told of nobody: it must never make names that can be made again.
_OPEN = "FROM erased_people WHERE erasure = {erasure:String} AND secret != ''"
_ERASED = f"SELECT pseudonym {_OPEN}"
_SECRET = f"(SELECT any(secret) {_OPEN})"
_UNFINISHED = "SELECT DISTINCT erasure FROM erased_people WHERE secret != '' ORDER BY erasure"
_FORGET = f"ALTER TABLE erased_people UPDATE secret = '' WHERE erasure = {{erasure:String}}{REWRITTEN}"
_ALL_ERASED = "SELECT DISTINCT pseudonym FROM erased_people"

_CANDIDATES = 20
"""Names tried a slot of the sharding key: that none of them lies on the shard of the old one has a chance of one in
500 million, and costs such a person's rows their place, not their name."""


@dataclass(slots=True)
class Erased:
    """What an erasure changed, by table; `names` is how many names the rows were searched for."""

    names: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    letters: int = 0
    alerts: int = 0
    missing_keys: tuple[str, ...] = ()
    finished: int = 0
    """Erasures that had been cut off, and are finished now."""


def erase(store: Store, people: Sequence[Person], keys: Keys) -> Erased:
    """Erases people. May be repeated at any time, and has to be when it was cut off. Raises `StoreError`."""
    done = Erased(missing_keys=keys.missing, finished=finish(store))
    _letters(store, letters.naming(store, [person.user_id for person in people]), done)
    _names(store, all_names(people), done)
    return done


def erase_again(store: Store, keys: Keys) -> Erased:
    """Erases everybody who was erased before, from rows that came back. Raises `StoreError`."""
    done = Erased(missing_keys=keys.missing, finished=finish(store))
    gone = {row["pseudonym"] for row in store.query(_ALL_ERASED)}
    _letters(store, list(letters.of_erased(store, keys.keys, gone)), done)
    back = {
        row["user_id"]
        for table in EVENTS
        for row in store.query(f"SELECT DISTINCT user_id FROM {table.name} WHERE user_id IN ({_ALL_ERASED})")
    }
    _names(store, sorted(back), done)
    return done


def finish(store: Store) -> int:
    """Goes on with erasures that were cut off; returns how many there were. Raises `StoreError`."""
    cut_off = [row["erasure"] for row in store.query(_UNFINISHED)]
    for erasure in cut_off:
        _cut(store, erasure, Erased(), resumed=True)
    return len(cut_off)


def _letters(store: Store, found: Sequence[dict[str, object]], done: Erased) -> None:
    letters.empty(store, list(found))
    done.letters += len(found)


def _names(store: Store, names: Sequence[str], done: Erased) -> None:
    if not names:
        return
    erasure, secret = uuid.uuid4().hex, secrets.token_hex(32)
    # In one insert, so that whoever goes on with it knows of all.
    rows = {
        "pseudonym": pa.array(names, pa.string()),
        "erasure": pa.array([erasure] * len(names)),
        "secret": pa.array([secret] * len(names)),
    }
    store.insert("erased_people", pa.table(rows), token=erasure)
    _cut(store, erasure, done)
    done.names += len(names)


def _cut(store: Store, erasure: str, done: Erased, *, resumed: bool = False) -> None:
    parameters = {"erasure": erasure}
    slots = store.slots()
    # Alerts first: whom they suspect is found by the rows.
    suspects = suspect_names(store, _ERASED, parameters)
    for table in ALERTS:
        done.alerts += _rename(store, table, suspects, erasure)
    for each in EVENTS:
        (found,) = store.query(f"SELECT count() AS rows FROM {each.name} WHERE user_id IN ({_ERASED})", parameters)
        done.rows[each.name] = done.rows.get(each.name, 0) + found["rows"]
        # The replica that was asked may have done what others have still before them when the run was cut off.
        if found["rows"] or resumed:
            store.command(_cutting(each, slots), parameters)
    _move(store, slots, parameters, resumed=resumed)
    store.command(_FORGET, parameters)
    logger.info("people were cut off from their rows", extra={"erasure": erasure, "rows": sum(done.rows.values())})


def _cutting(table: PersonTable, slots: int) -> str:
    changes = [f"user_id = {_renamed(slots)}"]
    changes += [
        f"{column} = if({column} = '', '', {_fresh(column, column, _SECRET)})"
        for column in table.fresh
        if column != "user_id"
    ]
    changes += [f"{column} = ''" for column in table.emptied]
    return f"ALTER TABLE {table.name} UPDATE {', '.join(changes)}\nWHERE user_id IN ({_ERASED}){REWRITTEN}"


def _move(store: Store, slots: int, parameters: dict[str, str], *, resumed: bool) -> None:
    """Puts what funnels know of the people under the hash of the new name, as the events that are yet to be folded."""
    moving = (
        f"INSERT INTO {FUNNEL} (campaign_id, span, start, user, visit, view, steps, folded_on)\n"
        "SELECT f.campaign_id, f.span, f.start, m.renamed, f.visit, f.view, f.steps, f.folded_on\n"
        f"FROM {FUNNEL} AS f\n"
        f"INNER JOIN (SELECT cityHash64(pseudonym) AS user, cityHash64(renamed) AS renamed FROM ({_names_of(slots)}))"
        " AS m ON f.user = m.user"
    )
    theirs = f"user IN (SELECT cityHash64(pseudonym) {_OPEN})"
    (found,) = store.query(f"SELECT count() AS rows FROM {FUNNEL} WHERE {theirs}", parameters)
    if found["rows"] or resumed:
        # What is put there twice, because this was cut off, is merged into one.
        store.command(moving, parameters)
        store.command(f"ALTER TABLE {FUNNEL} DELETE WHERE {theirs}{REWRITTEN}", parameters)


def _names_of(slots: int) -> str:
    """Each old name with the new one."""
    first = _fresh("user_id", "pseudonym", "secret")
    if slots > 1:
        tried = f"arrayMap(n -> {_fresh('user_id', 'pseudonym', 'secret', 'n')}, range({_CANDIDATES * slots}))"
        fits = f"cityHash64(name) % {slots} = cityHash64(pseudonym) % {slots}"
        renamed = f"coalesce(arrayFirstOrNull(name -> {fits}, {tried}), {first})"
    else:
        renamed = first
    return f"SELECT DISTINCT pseudonym, {renamed} AS renamed {_OPEN} ORDER BY pseudonym"


def _renamed(slots: int) -> str:
    """The new name of a row's `user_id`, from two lists that are made once a statement."""
    old, new = (f"(SELECT groupArray({column}) FROM ({_names_of(slots)}))" for column in ("pseudonym", "renamed"))
    return f"transform(user_id, {old}, {new}, user_id)"


def _fresh(kind: str, name: str, secret: str, number: str | None = None) -> str:
    """A name as long as any other, out of the secret, and marked: audits must not miss it in the rollups."""
    counted = f", '/', toString({number})" if number else ""
    digest = f"substring(SHA256(concat({secret}, '/{kind}/', {name}{counted})), 1, 16)"
    return f"concat('{ERASED_MARK}', substring(base64URLEncode({digest}), 1, {LENGTH - len(ERASED_MARK)}))"


def _rename(store: Store, table: str, suspects: Sequence[str], erasure: str) -> int:
    rows = rows_naming(store, table, suspects, f"DISTINCT concat({', '.join(ALERTS[table])}) AS text")
    texts = [row["text"] for row in rows]
    for name in [name for name in suspects if any(name in text for text in texts)]:
        fresh = f"lower(hex(substring(SHA256(concat({_SECRET}, '/suspect/', {{name:String}})), 1, 8)))"
        changes = [f"{column} = replaceAll({column}, {{name:String}}, {fresh})" for column in ALERTS[table]]
        store.command(
            f"ALTER TABLE {table} UPDATE {', '.join(changes)}\n"
            f"WHERE position(concat({', '.join(ALERTS[table])}), {{name:String}}) > 0{REWRITTEN}",
            {"name": name, "erasure": erasure},
        )
    return len(rows)
