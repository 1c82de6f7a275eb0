"""Why Kafka does not let us in, in words.

aiokafka says no more than that it could not be reached; so each server is asked once more, by hand.
"""

from __future__ import annotations

import asyncio
import socket
import ssl

from aiokafka.conn import create_conn
from aiokafka.errors import KafkaConnectionError, KafkaError, SaslAuthenticationFailed, UnsupportedSaslMechanismError
from aiokafka.protocol.metadata import MetadataRequest

from services.common.kafka.clients import security
from services.common.settings import Settings
from services.common.tls import untrusted
from services.common.transport import kafka_servers

CALL_SECONDS = 5.0
_MOST_SERVERS = 3


async def trouble(settings: Settings) -> str | None:
    """What is wrong with the way to the brokers, a part of a sentence for each of up to three servers; None when one
    answers. Takes 5 s at most. Never names a password."""
    found = await troubles(settings)
    if not found:
        return "WARROOM_KAFKA_BOOTSTRAP_SERVERS names no server"
    if None in found.values():
        return None
    return "; ".join(f"{server}: {each}" for server, each in found.items())


async def troubles(settings: Settings) -> dict[str, str | None]:
    """The same by server, for each of up to three; None for one that answers."""
    servers = kafka_servers(settings)[:_MOST_SERVERS]
    found = await asyncio.gather(*(_ask(settings, host, port) for host, port in servers))
    return {f"{host}:{port}": each for (host, port), each in zip(servers, found, strict=True)}


async def _ask(settings: Settings, host: str, port: int) -> str | None:
    try:
        async with asyncio.timeout(CALL_SECONDS):
            connection = await create_conn(host, port, client_id="warroom-probe", **security(settings))
            try:
                await connection.send(MetadataRequest([]))
            finally:
                connection.close()
    except (KafkaError, OSError, TimeoutError) as error:
        return reason(error, settings)
    return None


def reason(error: Exception, settings: Settings) -> str:
    """An error of one connection, in words, and which setting to look at."""
    text = str(error) or type(error).__name__
    match error:
        case ssl.SSLError():
            text = untrusted(error) + _certificate_remedy(error)
        case SaslAuthenticationFailed():
            text = (
                f"it refuses the user {settings.kafka_sasl_username} or the password "
                f"({settings.kafka_sasl_mechanism}); look at WARROOM_KAFKA_SASL_USERNAME and _PASSWORD"
            )
        case UnsupportedSaslMechanismError():
            text = f"it does not take {settings.kafka_sasl_mechanism}; look at WARROOM_KAFKA_SASL_MECHANISM"
        case socket.gaierror():
            text = "its name is not known"
        case TimeoutError():
            text = f"no answer within {CALL_SECONDS:g} s"
        case ConnectionRefusedError():
            text = "nothing listens there"
        case KafkaConnectionError() | ConnectionResetError():
            text = (
                "it closes the connection, as a listener does that expects something other than "
                f"{settings.kafka_security_protocol}, or a client certificate; look at WARROOM_KAFKA_SECURITY_PROTOCOL"
            )
    return text


def _certificate_remedy(error: ssl.SSLError) -> str:
    if not isinstance(error, ssl.SSLCertVerificationError):
        return "; look at WARROOM_KAFKA_SECURITY_PROTOCOL"
    # OpenSSL's X509_V_ERR_...: 10 expired, 62 host name, 64 address; the rest is about who signed it.
    if error.verify_code == 10:
        return "; the broker needs a new one"
    if error.verify_code in (62, 64):
        return "; WARROOM_KAFKA_BOOTSTRAP_SERVERS must use a name that stands in it"
    return "; WARROOM_KAFKA_SSL_CA_FILE must hold the authority that signed it"
