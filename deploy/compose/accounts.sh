#!/bin/bash
# Grafana's user in ClickHouse, and what analysts may read. It may be run again.
set -euo pipefail
password=$(sha256sum /run/secrets/clickhouse_grafana_password | cut -d ' ' -f 1)
CLICKHOUSE_PASSWORD=$(cat /run/secrets/clickhouse_admin_password)
export CLICKHOUSE_PASSWORD
{
  cat /accounts/readonly.sql /accounts/grafana.sql
  # The hash, so that the password stands in no log of queries.
  cat <<SQL
CREATE USER IF NOT EXISTS grafana IDENTIFIED WITH sha256_hash BY '$password' DEFAULT ROLE warroom_grafana;
ALTER USER grafana IDENTIFIED WITH sha256_hash BY '$password';
GRANT warroom_grafana TO grafana;
SQL
} | clickhouse-client --host clickhouse --user admin --multiquery
