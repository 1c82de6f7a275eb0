"""Every error that Warroom raises on purpose.

WarroomError
├── ConfigurationError      a setting is missing, malformed or unsafe; the message says what to change
├── ContractError           input from outside breaks the contract
│   ├── RefusedEvent        one Kafka record; carries the reason of the contract
│   ├── InvalidRequest      one HTTP request; carries the field at fault
│   └── UnreadableFile      one file; the message says what is wrong with it
├── AccessError             whoever asks is not let in, or not to that
│   ├── NotLetIn            a key, token or session that does not hold; the message says why, for the log
│   ├── Forbidden           somebody known may not do this
│   └── ProviderUnavailable the OpenID provider does not answer: it may later
├── NotFound                the thing that was named does not exist
├── Busy                    as much is going on as may: the same call may work in a moment
├── StoreError              ClickHouse did not do what was asked
│   ├── StoreUnavailable    it may work later: retry
│   └── StoreRejected       it will never work: the statement or the data is wrong
├── BrokerError             Kafka did not do what was asked
└── DeliveryError           a notification did not reach its receiver
"""

from __future__ import annotations


class WarroomError(Exception):
    """Base of every error raised on purpose."""


class ConfigurationError(WarroomError):
    """A setting is missing, malformed or unsafe; the message is a sentence that says what to change."""


class ContractError(WarroomError):
    """Input from outside breaks the contract."""


class RefusedEvent(ContractError):
    """A Kafka record that is not counted but sent to the dead-letter topic.

    `reason` is one of the contract's reasons; `detail` names the field and what is wrong with it.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class InvalidRequest(ContractError):
    """An HTTP request that cannot be answered; `field` names the parameter or body field at fault."""

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(f"{field}: {detail}")
        self.field = field
        self.detail = detail


class UnreadableFile(ContractError):
    """A file that is not what it should be; the message says what is wrong with it, without naming it."""


class AccessError(WarroomError):
    """Whoever asks is not let in, or not to that."""


class NotLetIn(AccessError):
    """A key, token or session that does not hold. The message says why, for the log; strangers are not told."""


class Forbidden(AccessError):
    """Somebody known may not do this; the message says what it needs."""


class ProviderUnavailable(AccessError):
    """The OpenID provider does not answer, and what is known of it is too old; the same call may work later."""


class NotFound(WarroomError):
    """What the request names does not exist; `kind` and `name` say what was looked for."""

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(f"no {kind} named {name!r}")
        self.kind = kind
        self.name = name


class Busy(WarroomError):
    """As much is going on as may at a time; the message says of what. The same call may work in a moment."""


class StoreError(WarroomError):
    """ClickHouse did not do what was asked."""


class StoreUnavailable(StoreError):
    """The store could not be reached or was overloaded; the same call may work later."""


class StoreRejected(StoreError):
    """The store understood the call and refused it; the same call will never work."""


class BrokerError(WarroomError):
    """Kafka did not do what was asked."""


class DeliveryError(WarroomError):
    """A notification did not reach its receiver."""
