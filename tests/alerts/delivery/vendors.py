"""The vendors as their documents describe them: what they check, how they answer, whom a message calls.

Written from the documents and not from the sinks, so that both must agree.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar

from schemas.receivers import Mention
from services.alerts.delivery.sinks.alertmanager import Alertmanager
from services.alerts.delivery.sinks.base import Sink
from services.alerts.delivery.sinks.dingtalk import DingTalk
from services.alerts.delivery.sinks.feishu import Feishu
from services.alerts.delivery.sinks.pagerduty import PagerDuty
from services.alerts.delivery.sinks.slack import Slack
from services.alerts.delivery.sinks.webhook import Webhook
from services.alerts.delivery.sinks.wecom import WeCom
from services.common.clock import wall_clock
from tests.alerts.delivery.server import Received, Reply, reply

NAMES = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
MARKDOWN_LINK = re.compile(r"\]\(([^)]*)\)")
HOUR_MS = 3_600_000


class Vendor(ABC):
    """One vendor. `secrets` may appear nowhere but in requests to it."""

    kind: ClassVar[str]
    secrets: ClassVar[Sequence[str]] = ()
    mention: ClassVar[Mention | None] = None
    called: ClassVar[frozenset[str]] = frozenset()
    """Whom `mention` calls, as `whom` tells it."""
    limited: ClassVar[Reply]
    """How it says that it is told too much."""
    pause_ms: ClassVar[int] = 0
    """For how long it must then be left alone at least."""
    refused: ClassVar[Reply] = Reply(403)
    """How it refuses for good."""

    @abstractmethod
    def sink(self, base: str, timeout_seconds: float = 10.0) -> Sink:
        """The sink for this vendor at an address."""

    @abstractmethod
    def answer(self, received: Received) -> Reply:
        """What it would answer to a request."""

    @abstractmethod
    def texts(self, received: Received) -> list[str]:
        """Every text that people are shown."""

    def whom(self, received: Received) -> set[str]:
        """Whom the message calls by name."""
        return set()

    def links(self, received: Received) -> list[str]:
        """Where a reader is led by a click."""
        return []


class AlertmanagerVendor(Vendor):
    kind = "alertmanager"
    limited = Reply(429, headers={"Retry-After": "7"})
    pause_ms = 7_000
    refused = Reply(400, b'"bad label"')

    def sink(self, base: str, timeout_seconds: float = 10.0) -> Sink:
        return Alertmanager([f"{base}/prefix"], timeout_seconds=timeout_seconds)

    def answer(self, received: Received) -> Reply:
        if received.path != "/prefix/api/v2/alerts" or "application/json" not in received.headers["Content-Type"]:
            return Reply(404)
        for alert in received.json():
            labels = alert["labels"]
            if not labels.get("alertname") or not all(
                NAMES.fullmatch(name) and value for name, value in labels.items()
            ):
                return Reply(400)
            if datetime.fromisoformat(alert["endsAt"]) < datetime.fromisoformat(alert["startsAt"]):
                return Reply(400)
        return Reply(200)

    def texts(self, received: Received) -> list[str]:
        return [
            text for alert in received.json() for text in (*alert["annotations"].values(), *alert["labels"].values())
        ]


class WebhookVendor(Vendor):
    kind = "webhook"
    secrets = ("hook-of-the-team", "token-of-the-hook")
    limited = Reply(429, headers={"Retry-After": "9"})
    pause_ms = 9_000

    def sink(self, base: str, timeout_seconds: float = 10.0) -> Sink:
        return Webhook([f"{base}/hook-of-the-team?token=token-of-the-hook"], timeout_seconds=timeout_seconds)

    def answer(self, received: Received) -> Reply:
        return Reply(204 if received.json()["version"] == "4" else 422)

    def texts(self, received: Received) -> list[str]:
        return [text for alert in received.json()["alerts"] for text in alert["annotations"].values()]


class PagerDutyVendor(Vendor):
    kind = "pagerduty"
    secrets = ("e93facc04764012d7bfb002500d5d1a6",)
    limited = reply(
        429, {"status": "throttle exceeded", "message": "Requests for this service are arriving too quickly"}
    )
    refused = reply(400, {"status": "invalid event", "message": "Event object is invalid", "errors": ["no such key"]})

    def sink(self, base: str, timeout_seconds: float = 10.0) -> Sink:
        return PagerDuty(self.secrets[0], f"{base}/v2/enqueue", timeout_seconds=timeout_seconds)

    def answer(self, received: Received) -> Reply:
        event = received.json()
        problems = self._problems(event)
        if len(received.body) > 512 * 1000:
            return Reply(413)
        if received.path != "/v2/enqueue" or problems:
            return reply(400, {"status": "invalid event", "message": "Event object is invalid", "errors": problems})
        return reply(202, {"status": "success", "message": "Event processed", "dedup_key": event["dedup_key"]})

    def _problems(self, event: dict[str, Any]) -> list[str]:
        problems = []
        if event["routing_key"] != self.secrets[0]:
            problems.append("routing_key")
        if event["event_action"] not in {"trigger", "acknowledge", "resolve"}:
            problems.append("event_action")
        if not 0 < len(event["dedup_key"]) <= 255:
            problems.append("dedup_key")
        if event["event_action"] == "trigger":
            payload = event["payload"]
            if not 0 < len(payload["summary"]) <= 1024:
                problems.append("summary")
            if payload["severity"] not in {"critical", "error", "warning", "info"} or not payload["source"]:
                problems.append("payload")
            if any("href" not in link for link in event["links"]) or any(
                "src" not in image for image in event["images"]
            ):
                problems.append("links")
        return problems

    def texts(self, received: Received) -> list[str]:
        payload = received.json().get("payload", {})
        return [payload.get("summary", ""), *payload.get("custom_details", {}).values()]


class SlackVendor(Vendor):
    kind = "slack"
    secrets = ("T00000000", "B00000000", "XXXXXXXXXXXXXXXXXXXXXXXX")
    mention = Mention(users=["U024BE7LH"], groups=["SAZ94GDB8"], everyone=True)
    called = frozenset({"@U024BE7LH", "!subteam^SAZ94GDB8", "!channel"})
    limited = Reply(429, b"rate_limited", {"Retry-After": "30"})
    pause_ms = 30_000
    refused = Reply(404, b"no_service")

    def sink(self, base: str, timeout_seconds: float = 10.0) -> Sink:
        return Slack(f"{base}/services/{'/'.join(self.secrets)}", timeout_seconds=timeout_seconds)

    def answer(self, received: Received) -> Reply:
        message = received.json()
        blocks = message["blocks"]
        if not message["text"] or not 0 < len(blocks) <= 50:
            return Reply(400, b"invalid_blocks")
        for block in blocks:
            most = 150 if block["type"] == "header" else 3000
            if not 0 < len(block["text"]["text"]) <= most:
                return Reply(400, b"invalid_blocks")
        if sum(len(block["text"]["text"]) for block in blocks) > 13_000:
            return Reply(400, b"msg_blocks_too_long")
        return Reply(200, b"ok")

    def texts(self, received: Received) -> list[str]:
        return [block["text"]["text"] for block in received.json()["blocks"]]

    def whom(self, received: Received) -> set[str]:
        message = received.json()
        marked = [block["text"]["text"] for block in message["blocks"] if block["text"]["type"] == "mrkdwn"]
        assert all(b["text"].get("verbatim") for b in message["blocks"] if b["text"]["type"] == "mrkdwn")
        found = re.findall(r"<([@!#][^>]*)>", "\n".join([message["text"], *marked]))
        return set(found)

    def links(self, received: Received) -> list[str]:
        blocks = received.json()["blocks"]
        marked = [block["text"]["text"] for block in blocks if block["text"]["type"] == "mrkdwn"]
        return re.findall(r"<(http[^|>]*)", "\n".join(marked))


class DingTalkVendor(Vendor):
    kind = "dingtalk"
    secrets = ("0123456789abcdef0123456789abcdef", "SECthe-secret-of-the-robot")
    mention = Mention(mobiles=["13800001111"], users=["manager42"], everyone=True)
    called = frozenset({"13800001111", "manager42", "everyone"})
    limited = reply(200, {"errcode": 130101, "errmsg": "send too fast, exceed 20 times per minute"})
    pause_ms = 60_000
    refused = reply(200, {"errcode": 310000, "errmsg": "keywords not in content"})

    def sink(self, base: str, timeout_seconds: float = 10.0) -> Sink:
        return DingTalk(
            f"{base}/robot/send?access_token={self.secrets[0]}", self.secrets[1], timeout_seconds=timeout_seconds
        )

    def answer(self, received: Received) -> Reply:
        token, secret = self.secrets
        if received.path != "/robot/send" or received.query.get("access_token") != token:
            return reply(200, {"errcode": 300005, "errmsg": "token is not exist"})
        timestamp = received.query.get("timestamp", "0")
        digest = hmac.new(secret.encode(), f"{timestamp}\n{secret}".encode(), hashlib.sha256).digest()
        if abs(wall_clock() - int(timestamp)) > HOUR_MS:
            return reply(200, {"errcode": 310000, "errmsg": "invalid timestamp"})
        if received.query.get("sign") != base64.b64encode(digest).decode():
            return reply(200, {"errcode": 310000, "errmsg": "sign not match"})
        message = received.json()
        if len(received.body) > 20_000:
            return reply(200, {"errcode": 460101, "errmsg": "message too long, exceed 20000 bytes"})
        if message["msgtype"] != "markdown" or not message["markdown"]["title"] or not message["markdown"]["text"]:
            return reply(200, {"errcode": 40035, "errmsg": "缺少参数"})
        return reply(200, {"errcode": 0, "errmsg": "ok"})

    def texts(self, received: Received) -> list[str]:
        return [received.json()["markdown"]["text"]]

    def whom(self, received: Received) -> set[str]:
        message = received.json()
        at = message["at"]
        # Called is who is named in both places.
        in_text = set(re.findall(r"@(\S+)", message["markdown"]["text"]))
        listed = {*at["atMobiles"], *at["atUserIds"]}
        assert in_text == listed
        return listed | ({"everyone"} if at["isAtAll"] else set())

    def links(self, received: Received) -> list[str]:
        return MARKDOWN_LINK.findall(received.json()["markdown"]["text"])


class FeishuVendor(Vendor):
    kind = "feishu"
    secrets = ("a1b2c3d4-0000-1111-2222-333344445555", "the-secret-of-the-bot")
    mention = Mention(users=["ou_18eac85d35a26f989317ad4f02e8bbbb", "lin@example.com"], everyone=True)
    called = frozenset({"id=ou_18eac85d35a26f989317ad4f02e8bbbb", "email=lin@example.com", "id=all"})
    limited = reply(200, {"code": 11232, "data": {}, "msg": "frequency limited psm[lark.oapi]appID[1500]"})
    pause_ms = 1_000
    refused = reply(200, {"code": 19024, "msg": "Key Words Not Found"})

    def sink(self, base: str, timeout_seconds: float = 10.0) -> Sink:
        return Feishu(
            f"{base}/open-apis/bot/v2/hook/{self.secrets[0]}", self.secrets[1], timeout_seconds=timeout_seconds
        )

    def answer(self, received: Received) -> Reply:
        hook, secret = self.secrets
        message = received.json()
        if received.path != f"/open-apis/bot/v2/hook/{hook}":
            return reply(200, {"code": 19001, "msg": "param invalid: incoming webhook access token invalid"})
        timestamp = message.get("timestamp", "0")
        digest = hmac.new(f"{timestamp}\n{secret}".encode(), b"", hashlib.sha256).digest()
        fresh = abs(wall_clock() - int(timestamp) * 1000) <= HOUR_MS
        if not fresh or message.get("sign") != base64.b64encode(digest).decode():
            said = "sign match fail or timestamp is not within one hour from current time"
            return reply(200, {"code": 19021, "data": {}, "msg": said})
        if len(received.body) > 20 * 1000:
            return reply(400, {"code": 9499, "msg": "Bad Request", "data": {}})
        if message["msg_type"] != "interactive" or not message["card"]["elements"]:
            return reply(200, {"code": 19002, "msg": "params error, msg_type need"})
        return reply(200, {"code": 0, "msg": "success", "data": {}, "StatusCode": 0, "StatusMessage": "success"})

    def texts(self, received: Received) -> list[str]:
        elements = received.json()["card"]["elements"]
        return [element["text"]["content"] for element in elements if element["tag"] == "div"]

    def whom(self, received: Received) -> set[str]:
        elements = received.json()["card"]["elements"]
        marked = [e["text"]["content"] for e in elements if e["tag"] == "div" and e["text"]["tag"] == "lark_md"]
        return set(re.findall(r"<at ([^>]*)>", "\n".join(marked)))

    def links(self, received: Received) -> list[str]:
        elements = received.json()["card"]["elements"]
        return [button["url"] for element in elements if element["tag"] == "action" for button in element["actions"]]


class WeComVendor(Vendor):
    kind = "wecom"
    secrets = ("693a91f6-7aoc-4bc4-97a0-0ec2sifa5aaa",)
    mention = Mention(users=["wangqing"])
    called = frozenset({"wangqing"})
    limited = reply(200, {"errcode": 45009, "errmsg": "api freq out of limit"})
    pause_ms = 1_000
    refused = reply(200, {"errcode": 93000, "errmsg": "invalid webhook url"})

    def sink(self, base: str, timeout_seconds: float = 10.0) -> Sink:
        return WeCom(f"{base}/cgi-bin/webhook/send?key={self.secrets[0]}", timeout_seconds=timeout_seconds)

    def answer(self, received: Received) -> Reply:
        if received.path != "/cgi-bin/webhook/send" or received.query.get("key") != self.secrets[0]:
            return self.refused
        message = received.json()
        kind = message["msgtype"]
        most = {"markdown": 4096, "text": 2048}[kind]
        content = message[kind]["content"]
        if not 0 < len(content.encode()) <= most:
            return reply(200, {"errcode": 40058, "errmsg": f"{kind}.content exceed max length {most}"})
        return reply(200, {"errcode": 0, "errmsg": "ok"})

    def texts(self, received: Received) -> list[str]:
        message = received.json()
        return [message[message["msgtype"]]["content"]]

    def whom(self, received: Received) -> set[str]:
        message = received.json()
        part = message[message["msgtype"]]
        lists = {*part.get("mentioned_list", ()), *part.get("mentioned_mobile_list", ())}
        tags = re.findall(r"<[^@][^>]*>", part["content"])
        assert all(re.fullmatch(r'<font color="(warning|info|comment)">|</font>', tag) for tag in tags), tags
        return {*re.findall(r"<@([^>]*)>", part["content"]), *lists}

    def links(self, received: Received) -> list[str]:
        return MARKDOWN_LINK.findall(self.texts(received)[0])


class WeComTextVendor(WeComVendor):
    """The same robot, called with mobile numbers and everybody, for which only text will do."""

    mention = Mention(users=["wangqing"], mobiles=["13800001111"], everyone=True)
    called = frozenset({"wangqing", "13800001111", "@all"})


VENDORS: Sequence[type[Vendor]] = (
    AlertmanagerVendor,
    WebhookVendor,
    PagerDutyVendor,
    SlackVendor,
    DingTalkVendor,
    FeishuVendor,
    WeComVendor,
    WeComTextVendor,
)
