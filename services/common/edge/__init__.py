"""What every request passes before anything is done for it, and every answer on its way out.

Nothing here knows who asks; `services.common.access` decides that.
"""

from services.common.edge.connections import bounded
from services.common.edge.gate import Gate
from services.common.edge.rules import EdgeRules, rules_of

__all__ = ["EdgeRules", "Gate", "bounded", "rules_of"]
