"""The report after a campaign: what was attained, what drove it, what went wrong, what to do next time.

It is made of answers of the HTTP API alone, so that every figure in it can be asked for again.
"""
