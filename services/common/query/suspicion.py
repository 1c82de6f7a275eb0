"""Orders under suspicion of brushing: many paid within an hour by one buyer or from one device.

One definition for the money ladder and for alerts.
"""

from __future__ import annotations

from typing import Any


def suspected_orders(campaign_id: str, orders_per_hour: int, parameters: dict[str, Any]) -> str:
    """A subquery of the `order_id` of every suspected order of the campaign; its values go into `parameters`.

    An `order_paid` event is suspected when its `user_id`, or its `device_id` where it has one, has `orders_per_hour`
    such events or more in the same clock hour (UTC). An order is suspected when one of its payments is.
    """
    parameters |= {"brushing_campaign": campaign_id, "brushing_orders": orders_per_hour}
    paid = "FROM order_events WHERE campaign_id = {brushing_campaign:String} AND event_name = 'order_paid'"
    often = "HAVING count() >= {brushing_orders:UInt32}"
    return f"""
        SELECT order_id {paid}
            AND
            (
                (user_id, toStartOfHour(event_time)) IN
                (
                    SELECT user_id, toStartOfHour(event_time) AS hour {paid}
                    GROUP BY user_id, hour {often}
                )
                OR (device_id, toStartOfHour(event_time)) IN
                (
                    SELECT device_id, toStartOfHour(event_time) AS hour {paid} AND device_id != ''
                    GROUP BY device_id, hour {often}
                )
            )"""
