"""The receivers file: what is wrong is refused at start, by name and without a secret; what is right becomes sinks."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml
from pydantic import SecretStr

from schemas.receivers import ReceiverFile
from services.alerts.delivery.receiver import load_receivers, parse_receivers
from services.alerts.delivery.routing import route
from services.alerts.delivery.sinks.base import Context
from services.alerts.delivery.sinks.http import HttpSink
from services.common.errors import ConfigurationError
from services.common.settings import Settings
from tests.alerts.delivery.notices import NOW, notice

ROOT = Path(__file__).parents[3]
SECRET = "SEC0123456789"
FILE = """
receivers:
  - {name: cluster, type: alertmanager, urls: ["http://am-1:9093", "https://ops:${AM_PASSWORD}@am-2/prefix"]}
  - {name: oncall, type: pagerduty, secret: "${PD_KEY}", min_severity: critical, escalation: true}
  - {name: room, type: slack, url: "${SLACK}", mentions: [{severity: [critical], groups: [S012], users: [U1]}]}
  - name: ding
    type: dingtalk
    url_file: ding.url
    secret_file: ding.secret
    language: zh
    match: {campaign: [double-11], owner: [growth], labels: {channel: [app, live]}}
    mentions: [{mobiles: ["13800001111"]}]
  - {name: fei, type: feishu, url: "${FEISHU}", secret: "${FEISHU_SECRET}", language: both}
  - {name: wx, type: wecom, url: "${WECOM}"}
  - {name: own, type: webhook, url: "http://10.0.0.1/hook"}
"""
ENVIRONMENT = {
    "AM_PASSWORD": "p-a-s-s-w-o-r-d",
    "PD_KEY": "k" * 32,
    "SLACK": "https://hooks.example/services/T/B/X",
    "FEISHU": "https://open.example/open-apis/bot/v2/hook/x",
    "FEISHU_SECRET": "s",
    "WECOM": "https://qyapi.example/cgi-bin/webhook/send?key=x",
}


def settings(tmp_path: Path, text: str, **others: object) -> Settings:
    path = tmp_path / "receivers.yaml"
    path.write_text(text)
    (tmp_path / "ding.url").write_text("https://oapi.example/robot/send?access_token=token-in-a-file\n")
    (tmp_path / "ding.secret").write_text(f"{SECRET}\n")
    return Settings(receivers_file=path, **others)  # type: ignore[arg-type]


def test_every_type_is_made_with_its_secrets(tmp_path: Path) -> None:
    receivers = load_receivers(settings(tmp_path, FILE), ENVIRONMENT)
    assert [receiver.kind for receiver in receivers] == [
        "alertmanager", "pagerduty", "slack", "dingtalk", "feishu", "wecom", "webhook",
    ]  # fmt: skip
    urls = []
    for receiver in receivers:
        assert isinstance(receiver.sink, HttpSink)
        message = receiver.sink.render([notice()], receiver.context(NOW))
        requests = receiver.sink.requests(message, NOW)
        urls += [request.url for request in requests]
        if receiver.kind == "pagerduty":
            assert json.loads(requests[0].body)["routing_key"] == "k" * 32
    assert urls[0] == "http://am-1:9093/api/v2/alerts"
    assert urls[1] == "https://ops:p-a-s-s-w-o-r-d@am-2/prefix/api/v2/alerts"
    assert urls[2] == "https://events.pagerduty.com/v2/enqueue"
    assert urls[4].startswith("https://oapi.example/robot/send?access_token=token-in-a-file&timestamp=")
    assert receivers[3].context(NOW) == Context("ding", "http://127.0.0.1:8080", NOW, "zh", receivers[3].entry.mentions)


def test_the_shortcut_is_one_more_receiver_named_webhook(tmp_path: Path) -> None:
    url = SecretStr("http://127.0.0.1:1/hook")
    receivers = load_receivers(settings(tmp_path, FILE, alert_webhook_url=url), ENVIRONMENT)
    assert [receiver.name for receiver in receivers][-2:] == ["own", "webhook"]
    assert [r.name for r in load_receivers(Settings(alert_webhook_url=url), {})] == ["webhook"]
    taken = "receivers: [{name: webhook, type: webhook, url: 'http://x'}]"
    with pytest.raises(ConfigurationError, match="WARROOM_ALERT_WEBHOOK_URL"):
        load_receivers(settings(tmp_path, taken, alert_webhook_url=url), {})


def test_a_webhook_for_escalations_hears_of_them(tmp_path: Path) -> None:
    text = FILE + "  - {name: later, type: webhook, url: 'http://10.0.0.1/later', escalation: true}"
    receivers = load_receivers(settings(tmp_path, text), ENVIRONMENT)
    assert [r.name for r in route(receivers, notice("escalated"))] == ["oncall", "later"]
    later = receivers[-1]
    rendered = [later.sink.render([notice(kind)], later.context(NOW)) for kind in ("escalated", "resolved")]
    assert [message["status"] for message in rendered if isinstance(message, dict)] == ["firing", "resolved"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("receivers: [", "line 1"),
        ("receivers: []", "receivers"),
        ("receivers: [{name: a, type: fax, url: 'http://x'}]", "receiver 'a': type"),
        ("receivers: [{name: a, type: webhook}]", "url"),
        ("receivers: [{name: a, type: webhook, url: 'ftp://x'}]", "receiver 'a': url must begin with http://"),
        ("receivers: [{name: a, type: webhook, url: 'http://x', urls: ['http://y']}]", "urls"),
        ("receivers: [{name: a, type: webhook, url: 'http://x', colour: red}]", "colour"),
        ("receivers: [{type: webhook, url: 'http://x'}]", "receiver number 1: name"),
        ("receivers: [{name: a, type: pagerduty}]", "routing key"),
        ("receivers: [{name: a, type: pagerduty, secret: plain-secret}]", "secret_file"),
        ("receivers: [{name: a, type: slack, url: 'https://hooks.example/plain-secret'}]", "url_file"),
        ("receivers: [{name: a, type: slack, url: '${NOWHERE}'}]", "environment variable NOWHERE"),
        ("receivers: [{name: a, type: wecom, url_file: missing}]", "missing cannot be read"),
        ("receivers: [{name: a, type: wecom, url: '${WECOM}', secret: '${WECOM}'}]", "secret: wecom has none"),
        ("receivers: [{name: a, type: slack, url: '${SLACK}', mentions: [{mobiles: ['13800001111']}]}]", "mobiles"),
        ("receivers: [{name: a, type: slack, url: '${SLACK}', mentions: [{users: ['U1> <!channel']}]}]", "users"),
        ("receivers: [{name: a, type: feishu, url: '${FEISHU}', mentions: [{severity: [critical]}]}]", "somebody"),
        ("receivers: [{name: a, type: webhook, url: 'http://x', mentions: [{users: [x]}]}]", "mentions nobody"),
        ("receivers: [{name: a, type: webhook, url: 'http://x', escalation: true}]", "nobody would be told first"),
        ("receivers: [{name: a, type: alertmanager, url: 'http://x', escalation: true}]", "alertmanager"),
        (
            "receivers: [{name: a, type: webhook, url: 'http://x'}, {name: a, type: webhook, url: 'http://y'}]",
            "two receivers are named 'a'",
        ),
    ],
)
def test_what_is_wrong_is_refused_by_name_and_without_its_secret(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        load_receivers(settings(tmp_path, text), ENVIRONMENT)
    assert str(refusal.value).startswith("WARROOM_RECEIVERS_FILE")
    assert said in str(refusal.value)
    assert "plain-secret" not in str(refusal.value)


def test_the_schema_says_what_the_model_says() -> None:
    schema = json.loads((ROOT / "schemas" / "generated" / "receivers.schema.json").read_text())
    jsonschema.validate(yaml.safe_load(FILE), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"receivers": [{"name": "a", "type": "fax"}]}, schema)


def test_the_example_that_ships_is_read_as_it_stands() -> None:
    text = (ROOT / "deploy" / "receivers.yaml").read_text(encoding="utf-8")
    entries = parse_receivers(text, "receivers.yaml")
    assert {entry.type for entry in entries} == set(
        ReceiverFile.model_json_schema()["$defs"]["Receiver"]["properties"]["type"]["enum"]
    )
