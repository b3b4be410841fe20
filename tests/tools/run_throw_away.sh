#!/usr/bin/env bash
# run_throw_away.sh - `make run` with a made-up token: it serves, finds no Telegram, and ends when it is told to.
# SPDX-License-Identifier: ISC
set -euo pipefail
cd "$(dirname "$0")/../.."

port=$(/usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
token=7:$(printf %035d 7)
export TELEGRAM_BOT_TOKEN=$token ADMIN_TELEGRAM_IDS=1 TELEGRAM_API_BASE=http://127.0.0.1:9
export API_SERVER_PORT=$port DEPLOYBOT_FOLDER=$PWD/run
mkdir run
make all
make run &
program=$!
curl -fsS --retry 40 --retry-delay 1 --retry-all-errors --max-time 2 -o run/metrics "http://127.0.0.1:$port/metrics"
kill -0 "$program"
grep -q '^deploybot_' run/metrics
pkill -TERM -P "$program"
wait "$program"
