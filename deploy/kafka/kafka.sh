#!/usr/bin/env bash
# A one-node Apache Kafka in KRaft mode, without root: fetched, checked against SHA256SUMS, formatted, run.
# What it is for and which settings matter: docs/kafka.md.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
version=$(sed -n 's:^  <version>\(.*\)</version>:\1:p' "$here/pom.xml")
cache="${XDG_CACHE_HOME:-${HOME:?HOME is not set}/.cache}/warroom"
libs="$cache/kafka-$version"
# Any fixed id will do: no two of these brokers ever meet.
cluster_id=WarroomKafkaOneNode00A
# Produce requests and the groups live on the heap, the log in the page cache: 512 MB leave room for both on a small machine.
heap="${WARROOM_KAFKA_HEAP:-512m}"

usage() {
  cat <<TEXT
usage: $0 fetch                              download what is missing, and check it
       $0 run DIR PORT [CONTROLLER_PORT]     run in the foreground; formats DIR when it is new
       $0 start DIR PORT [CONTROLLER_PORT]   run in the background; returns when it is ready
       $0 stop DIR                           stop what start started
The controller's port is PORT + 1 unless it is given. WARROOM_KAFKA_HEAP (now $heap) is the limit of the Java heap.
DIR/extra.properties, where it exists, is added to the configuration and wins; DIR/users names SCRAM users, one a line,
as SCRAM-SHA-512=[name=NAME,password=PASSWORD], for whom DIR is formatted.
TEXT
}

fail() {
  echo "kafka.sh: $*" >&2
  exit 1
}

find_java() {
  java="${JAVA_HOME:+$JAVA_HOME/bin/}java"
  command -v "$java" >/dev/null || fail "Apache Kafka needs Java 17 or newer, and there is no java on the path." \
    "Install one, e.g. the package openjdk-17-jre-headless, or set JAVA_HOME."
  local major
  major=$("$java" -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -1)
  [ "${major:-0}" -ge 17 ] || fail "Apache Kafka needs Java 17 or newer; $java is ${major:-of an unknown version}." \
    "Set JAVA_HOME to a newer one."
}

intact() {
  [ -d "$libs" ] && (cd "$libs" && sha256sum --check --strict --quiet "$here/SHA256SUMS") >/dev/null 2>&1
}

fetch() {
  intact && return
  command -v mvn >/dev/null || fail "fetching Apache Kafka needs Maven, and there is no mvn on the path." \
    "Install it, e.g. the package maven."
  mkdir -p "$cache"
  local staging
  staging=$(mktemp -d "$cache/fetching.XXXXXX")
  # shellcheck disable=SC2064
  trap "rm -rf '$staging'" EXIT
  echo "kafka.sh: fetching Apache Kafka $version into $libs" >&2
  mvn --batch-mode --quiet --file "$here/pom.xml" dependency:copy-dependencies "-DoutputDirectory=$staging" >&2 ||
    fail "Maven could not fetch Apache Kafka $version; its message stands above."
  (cd "$staging" && sha256sum --check --strict --quiet "$here/SHA256SUMS") >&2 ||
    fail "what was fetched is not what $here/SHA256SUMS names; nothing was installed."
  # Whoever fetched at the same time has fetched the same.
  intact || { rm -rf "$libs" && mv -T "$staging" "$libs"; }
  trap - EXIT
  rm -rf "$staging"
}

prepare() {
  find_java
  fetch
  dir=$(mkdir -p "$1" && cd "$1" && pwd)
  local port=$2 controller_port=${3:-$(($2 + 1))}
  {
    cat "$here/server.properties"
    echo "listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$controller_port"
    echo "advertised.listeners=PLAINTEXT://127.0.0.1:$port"
    echo "controller.quorum.voters=1@127.0.0.1:$controller_port"
    echo "log.dirs=$dir/log"
    [ ! -f "$dir/extra.properties" ] || cat "$dir/extra.properties"
  } >"$dir/server.properties"
  local options=(-cp "$libs/*" "-Dlog4j2.configurationFile=$here/log4j2.xml" -Djava.awt.headless=true)
  if [ ! -f "$dir/log/meta.properties" ]; then
    local users=() user
    if [ -f "$dir/users" ]; then
      while read -r user; do users+=(--add-scram "$user"); done <"$dir/users"
    fi
    "$java" -XX:TieredStopAtLevel=1 "${options[@]}" kafka.tools.StorageTool format \
      --cluster-id "$cluster_id" --config "$dir/server.properties" "${users[@]}" >&2 || fail "$dir could not be formatted."
  fi
  # The collector's settings are those of Kafka's own start script.
  command=("$java" -server -Xms128m "-Xmx$heap" -XX:+UseG1GC -XX:MaxGCPauseMillis=20
    -XX:InitiatingHeapOccupancyPercent=35 "${options[@]}" kafka.Kafka "$dir/server.properties")
}

start() {
  prepare "$@"
  running "$dir" && fail "a broker runs on $dir already."
  local patience=600
  setsid nohup "${command[@]}" >"$dir/broker.log" 2>&1 </dev/null &
  echo $! >"$dir/broker.pid"
  until grep -q "Kafka Server started" "$dir/broker.log"; do
    running "$dir" || fail "the broker did not start: $(tail -n 5 "$dir/broker.log")"
    [ $((patience -= 1)) -gt 0 ] || fail "the broker is not ready after 60 s; see $dir/broker.log"
    sleep 0.1
  done
}

running() {
  local pid
  pid=$(cat "$1/broker.pid" 2>/dev/null) && kill -0 "$pid" 2>/dev/null || return 1
  # The number may belong to another process by now.
  [ ! -d /proc/self ] || grep -qF "$(cd "$1" && pwd)/server.properties" "/proc/$pid/cmdline" 2>/dev/null
}

stop() {
  local patience=200 pid
  running "$1" || return 0
  pid=$(cat "$1/broker.pid")
  kill "$pid"
  while kill -0 "$pid" 2>/dev/null; do
    [ $((patience -= 1)) -gt 0 ] || { kill -9 "$pid" && break; }
    sleep 0.1
  done
  rm -f "$1/broker.pid"
}

case "${1-}:$#" in
  fetch:1)
    find_java
    fetch
    ;;
  run:3 | run:4)
    prepare "${@:2}"
    exec "${command[@]}"
    ;;
  start:3 | start:4) start "${@:2}" ;;
  stop:2) stop "$2" ;;
  *)
    usage >&2
    exit 2
    ;;
esac
