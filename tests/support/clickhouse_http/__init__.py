"""A test-only HTTP endpoint in front of chDB, which speaks what clickhouse-connect's HTTP client needs.

It is no ClickHouse server. What it answers comes from the real engine; how it answers follows ClickHouse's HTTP
interface (https://clickhouse.com/docs/interfaces/http) as far as the client uses it: the query in the body or in
`query=`, `param_x`, settings as URL parameters, compressed bodies, Basic and `X-ClickHouse-User` authentication,
`X-ClickHouse-*` headers, exceptions with their code and HTTP status. It can be told to fail in the ways in which
servers, networks and proxies do. `python -m tests.support.clickhouse_http` runs it; `endpoint.Endpoint` is the handle.
"""
