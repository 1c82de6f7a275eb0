"""The contingency plan: graded by severity, with an owner and steps, in both languages."""

from __future__ import annotations

from services.alerts.rules.texts import Runbook

PLAN = Runbook.model_validate(
    {
        "owner": "payments-oncall",
        "steps": [{"en": "Look at the provider's status page.", "zh": "查看支付渠道状态页。"}, "Tell the room."],
        "by_severity": {
            "critical": {"owner": "payments-lead", "steps": [{"en": "Switch over.", "zh": "切换备用渠道。"}]}
        },
    }
)


def test_a_severity_adds_its_steps_and_may_name_another_owner() -> None:
    assert PLAN.at("warning").en == "Owner: payments-oncall\n1. Look at the provider's status page.\n2. Tell the room."
    assert (
        PLAN.at("critical").zh == "负责人：payments-lead\n1. 查看支付渠道状态页。\n2. Tell the room.\n3. 切换备用渠道。"
    )


def test_a_plan_without_an_owner_is_the_rules_owners() -> None:
    assert Runbook.model_validate({"steps": ["a"]}).at("info", "growth").en == "Owner: growth\n1. a"
    assert Runbook.model_validate({"steps": ["a"]}).at("info").zh == "1. a"
    assert Runbook.model_validate({"by_severity": {"critical": {"steps": ["a"]}}}).at("info", "g").en == "Owner: g"


def test_a_plain_text_stays_as_it_is() -> None:
    assert Runbook.model_validate("Do {this}.").at("critical", "o").zh == "Do {this}."
    assert Runbook.model_validate({"en": "a", "zh": "b"}).at("info").zh == "b"
