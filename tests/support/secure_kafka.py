"""Apache Kafka whose clients have to show who they are: a listener for each way in, right and wrong ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.broker import free_port
from tests.support.certificates import HOST, Authority
from tests.support.kafka import ApacheKafka

USER = "warroom"
PASSWORD = "s3cret-of-kafka"


class SecureKafka(ApacheKafka):
    """Listeners by name, each on a port of its own:

    - `scram`: SASL_SSL, SCRAM-SHA-512 and SCRAM-SHA-256; `plain`: SASL_SSL, PLAIN; both with a right certificate
    - `mutual`: SSL that asks for the client's certificate
    - `expired`, `elsewhere`: as `scram`, with a certificate that has expired, or is for another host
    - `clear`: SASL_PLAINTEXT, SCRAM and PLAIN
    """

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.authority = Authority(directory / "certificates", "authority")
        self.stranger = Authority(directory / "certificates", "stranger")
        self.client = self.authority.issue("client")
        right = self.authority.issue("broker").both
        self._listeners = {
            "scram": ("SASL_SSL", right, "SCRAM-SHA-512,SCRAM-SHA-256"),
            "plain": ("SASL_SSL", right, "PLAIN"),
            "mutual": ("SSL", right, ""),
            "expired": ("SASL_SSL", self.authority.issue("expired", days=-1).both, "SCRAM-SHA-512"),
            "elsewhere": ("SASL_SSL", self.authority.issue("elsewhere", "kafka.example").both, "SCRAM-SHA-512"),
            "clear": ("SASL_PLAINTEXT", None, "SCRAM-SHA-512,PLAIN"),
        }
        self._ports = {name: free_port() for name in self._listeners}
        (directory / "extra.properties").write_text("\n".join(self._properties()) + "\n")
        (directory / "users").write_text(
            "".join(f"SCRAM-SHA-{size}=[name={USER},password={PASSWORD}]\n" for size in (256, 512))
        )

    def servers(self, listener: str) -> str:
        """Where clients find a listener."""
        return f"{HOST}:{self._ports[listener]}"

    def _properties(self) -> Iterator[str]:
        # The broker speaks to itself in the clear, on the port that tests without a password use.
        ports = {"PLAINTEXT": self.port, **{name.upper(): port for name, port in self._ports.items()}}
        places = ",".join(f"{name}://{HOST}:{port}" for name, port in ports.items())
        yield f"listeners={places},CONTROLLER://{HOST}:{self._controller_port}"
        yield f"advertised.listeners={places}"
        protocols = {name.upper(): protocol for name, (protocol, *_) in self._listeners.items()}
        protocols |= {"PLAINTEXT": "PLAINTEXT", "CONTROLLER": "PLAINTEXT"}
        yield "listener.security.protocol.map=" + ",".join(f"{name}:{each}" for name, each in protocols.items())
        yield "inter.broker.listener.name=PLAINTEXT"
        for name, (_, identity, mechanisms) in self._listeners.items():
            prefix = f"listener.name.{name}"
            if identity is not None:
                yield f"{prefix}.ssl.keystore.type=PEM"
                yield f"{prefix}.ssl.keystore.location={identity}"
            if mechanisms:
                yield f"{prefix}.sasl.enabled.mechanisms={mechanisms}"
            for mechanism in mechanisms.split(",") if mechanisms else ():
                yield f"{prefix}.{mechanism.lower()}.sasl.jaas.config={_module(mechanism)}"
        yield "listener.name.mutual.ssl.client.auth=required"
        yield "listener.name.mutual.ssl.truststore.type=PEM"
        yield f"listener.name.mutual.ssl.truststore.location={self.authority.file}"


def _module(mechanism: str) -> str:
    package = "org.apache.kafka.common.security"
    if mechanism == "PLAIN":
        return f'{package}.plain.PlainLoginModule required user_{USER}="{PASSWORD}";'
    return f"{package}.scram.ScramLoginModule required;"


@contextmanager
def running_secure_kafka(directory: Path) -> Iterator[SecureKafka]:
    """Such a broker for the length of a `with` block."""
    kafka = SecureKafka(directory)
    try:
        kafka.start()
        yield kafka
    finally:
        kafka.stop()
