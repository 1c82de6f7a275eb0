"""What kube-score, a reviewer of others' making, says of every object."""

from __future__ import annotations

import re
import subprocess

import pytest
import yaml

from tests.deployment.kubernetes.chart import CASES, SECONDS, rendered
from tests.support.debian import NotToBeHad
from tests.support.gotools import build

pytestmark = pytest.mark.system

IGNORED = {
    # A digest or a tag that is never pushed twice is the same image each time; and a pod must come up on a node that
    # has it while the registry is away.
    "container-image-pull-policy": "ImagePullPolicy is not set to Always",
    # They are spread by topologySpreadConstraints, which it does not look at.
    "deployment-has-host-podantiaffinity": "does not have a host podAntiAffinity set",
    # How many there are is KEDA's, which it does not know.
    "deployment-replicas": "few replicas",
}
"""Tests of it that are not ours, with what each says."""


@pytest.mark.parametrize("case", CASES)
def test_a_reviewer_finds_nothing(case: str) -> None:
    said = _score(case, *(f"--ignore-test={name}" for name in IGNORED))
    if case == "plain":
        # Asked for. It shows that the reviewer looks.
        assert said
        said = [line for line in said if not line.endswith("does not have a matching NetworkPolicy")]
    assert said == []


def test_what_is_ignored_is_what_it_would_say_and_no_more() -> None:
    """Catches an exception that hides something else, or that nothing needs any more."""
    said = {re.sub(r"^.*?: |\(\w+\) ", "", line) for line in _score("full")}
    assert len(said) == len(IGNORED)
    for words in IGNORED.values():
        assert any(words in line for line in said), words


def _score(case: str, *options: str) -> list[str]:
    """Lines of what it finds wrong, warnings among them."""
    try:
        program = build("kube-score")
    except NotToBeHad as error:
        pytest.skip(f"NOT TESTED, what kube-score says of the chart: {error}")
    done = subprocess.run(
        [str(program), "score", "--output-format=ci", *options, "-"],
        input=yaml.safe_dump_all(rendered(case)), capture_output=True, text=True, timeout=SECONDS, check=False,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    assert any(line.startswith("[OK]") for line in lines), done.stdout + done.stderr
    return [line for line in lines if re.match(r"\[(CRITICAL|WARNING)\]", line)]
