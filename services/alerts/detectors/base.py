"""What every detector is: a look at a scene that says which labels are in breach, and why."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from services.alerts.alert import Impact
from services.alerts.lifecycle import Sighting
from services.alerts.plan import Plan
from services.alerts.readings.inquiry import Inquiry
from services.alerts.scene import CampaignScene, PipelineScene
from services.alerts.selection import Selection


class Parameters(BaseModel):
    """Thresholds of a rule; unknown names are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a detector says of one set of labels. Labels without a verdict are clear.

    `labels` name the dimension at fault, without the campaign. `facts` fill the rule's summary. `evidence` holds
    the points that decided it, as JSON. `impact` is what it costs, where that can be estimated.
    """

    sighting: Sighting
    value: float
    threshold: float
    labels: Mapping[str, str] = field(default_factory=dict)
    onset: int | None = None
    facts: Mapping[str, str | int | float] = field(default_factory=dict)
    evidence: Mapping[str, Any] = field(default_factory=dict)
    impact: Impact | None = None


Verdicts = list[Verdict] | None
"""None: the scene does not allow a judgement; nothing begins and nothing ends."""

P = TypeVar("P", bound=Parameters)


class CampaignDetector(ABC, Generic[P]):
    """Looks at one campaign at a time. Holds no state: the same scene always gives the same verdicts.

    `selection` is what the rule says that it looks at; None where the detector does not take one.
    """

    parameters_type: ClassVar[type[Parameters]]
    takes_metric: ClassVar[bool] = False
    """The rule names a metric, and may name a filter, a grouping and a window; otherwise it may name none of them."""
    takes_condition: ClassVar[bool] = False
    """The rule states a condition."""
    complete_within_ms: ClassVar[int] = 30_000
    """It is asked only while the store is complete to within so much of now. What is there is there, but what is
    missing may still be on its way: a detector of what is missing asks for more."""
    facts: ClassVar[frozenset[str]] = frozenset()
    """Names that a summary may use beside labels, value and threshold."""

    def __init__(self, parameters: P, selection: Selection | None = None) -> None:
        self.parameters = parameters
        self.selection = selection

    def asks(self, now: int, plan: Plan | None) -> Iterable[Inquiry]:
        """What the scene's readings should hold for the next look at a campaign with that plan."""
        return ()

    @abstractmethod
    def judge(self, scene: CampaignScene) -> Verdicts:
        """What it finds in the scene, for each thing at fault."""


class PipelineDetector(ABC, Generic[P]):
    """Looks at the way from Kafka to the store."""

    parameters_type: ClassVar[type[Parameters]]
    facts: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, parameters: P) -> None:
        self.parameters = parameters

    @abstractmethod
    def judge(self, scene: PipelineScene) -> Verdicts:
        """What it finds in the scene, for each thing at fault."""
