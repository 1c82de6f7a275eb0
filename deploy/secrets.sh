#!/bin/sh
# Makes the secrets of deploy/compose.yaml, each once: what is there is kept.
#
#     sh deploy/secrets.sh                    makes what is missing, and prints the key to sign in with when it is new
#     sh deploy/secrets.sh key NAME ROLE      makes another API key (viewer, operator or admin) and prints it, once
#
# Files are readable by their owner and group alone. Containers run as other users and get the group (group_add in
# compose.yaml) by its number, which goes into deploy/.env.
set -eu
umask 077
here=$(cd "$(dirname "$0")" && pwd)
secrets=${WARROOM_SECRETS_DIR:-$here/secrets}
settings=${WARROOM_COMPOSE_ENV:-$here/.env}
keys=$secrets/keys/api_keys.yaml

random() { od -An -v -tx1 -N32 /dev/urandom | tr -d ' \n'; }

hash_of() { printf %s "$1" | sha256sum | cut -d ' ' -f 1; }

# NAME, and its text on the input: written whole or not at all, and never over another.
put() {
  cat >"$secrets/.$1.new"
  chmod 0440 "$secrets/.$1.new"
  ln "$secrets/.$1.new" "$secrets/$1" 2>/dev/null || true
  rm -f "$secrets/.$1.new"
}

# NAME, ROLE: a new API key on the output, its hash in the file.
new_key() {
  if [ -f "$keys" ] && grep -qF -- "- name: \"$1\"" "$keys"; then
    echo "secrets.sh: there is a key named $1 in $keys; choose another name, or take those lines out" >&2
    return 1
  fi
  new=wr_$(random)
  [ -s "$keys" ] || printf 'keys:\n' >"$keys"
  # In one write, so that nobody reads half of it.
  printf '  - name: "%s"\n    sha256: %s\n    role: %s\n    campaigns: ["*"]\n' "$1" "$(hash_of "$new")" "$2" >>"$keys"
  chmod 0640 "$keys"
  printf %s "$new"
}

mkdir -p "$secrets/keys"
chmod 0750 "$secrets" "$secrets/keys"

if [ "${1-}" = key ]; then
  case "${2-}:${3-}:$#" in
    *[!A-Za-z0-9_.@:-]*) ;;
    ?*:viewer:3 | ?*:operator:3 | ?*:admin:3)
      new_key "$2" "$3" && echo
      exit
      ;;
  esac
  echo "usage: $0 key NAME viewer|operator|admin; a name is of A-Z a-z 0-9 _ . @ -" >&2
  exit 2
elif [ $# -gt 0 ]; then
  sed -n '2,8s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi

for each in clickhouse_admin_password clickhouse_grafana_password grafana_admin_password session_key user_key; do
  [ -f "$secrets/$each" ] || random | put "$each"
done

if [ ! -f "$secrets/clickhouse_url" ]; then
  printf 'http://warroom:%s@clickhouse:8123/warroom' "$(random)" | put clickhouse_url
fi

if [ ! -f "$secrets/clickhouse_users.xml" ]; then
  password=$(sed 's|^http://warroom:\(.*\)@.*|\1|' "$secrets/clickhouse_url")
  sed -e "s/@ADMIN@/$(hash_of "$(cat "$secrets/clickhouse_admin_password")")/" \
    -e "s/@WARROOM@/$(hash_of "$password")/" "$here/compose/clickhouse-users.xml" | put clickhouse_users.xml
fi

[ -f "$secrets/prometheus_key" ] || new_key prometheus viewer | put prometheus_key
[ -f "$secrets/input_key" ] || new_key input admin | put input_key

if [ ! -f "$settings" ]; then
  # The demo replays a day in 30 s: a household pays as often in an hour of it as in 2,880 hours of the data.
  printf 'WARROOM_SECRETS_GID=%s\nCOMPOSE_PROFILES=demo\nWARROOM_BRUSHING_ORDERS_PER_HOUR=28800\n' "$(id -g)" >"$settings"
fi

if ! grep -qF -- '- name: "admin"' "$keys"; then
  printf 'Sign in at http://127.0.0.1:8080 with this key. It is shown once:\n\n    %s\n\n' "$(new_key admin admin)"
  printf 'Grafana, http://127.0.0.1:3000: admin, and what is in %s\n' "$secrets/grafana_admin_password"
fi
