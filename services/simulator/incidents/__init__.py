"""Incidents on demand: what is asked for, when it begins, and how it shows in the events.

A file a kind; `registry` knows them all.
"""

from services.simulator.incidents.director import Incidents
from services.simulator.incidents.request import Incident, demo_incidents, parse_incident

__all__ = ["Incident", "Incidents", "demo_incidents", "parse_incident"]
