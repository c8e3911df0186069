#!/bin/sh
# Secrets of a paper day with compose.yaml, beside it in secrets/, which git ignores. What is there
# stays. For money: other passwords, certificates of the firm's own authority.
#
#     sudo sh pipelines/deploy/secrets.sh
set -eu
umask 077
cd "$(dirname "$0")"
mkdir -p secrets
cd secrets
for name in HFT_PASSWORD HFT_COPY_PASSWORD HFT_CANCEL_PASSWORD; do
  [ -e "$name" ] || echo secret > "$name" # of the accounts in compose/exchange.toml
done
[ -e HFT_ALERTS_URLS ] || : > HFT_ALERTS_URLS # mailto://..., slack://...: whom to wake
[ -e standby ] || head -c 32 /dev/urandom > standby
[ -e vault ] || head -c 32 /dev/urandom | base64 | tr '+/' '-_' > vault
[ -e grafana ] || head -c 18 /dev/urandom | base64 > grafana
if [ ! -e server.pem ]; then
  ../../../.venv/bin/hft desk certificate --into tls --host localhost --host 127.0.0.1
  mv tls/server.pem tls/server.key tls/authority.pem .
fi
# Each is of the user who reads it: an engine hands files on with their owner and mode.
chown -R 10001:10001 . && chown 472 grafana ||
  echo "As root, please: the images' users, 10001 and Grafana's 472, shall own them." >&2
