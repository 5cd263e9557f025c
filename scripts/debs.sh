#!/usr/bin/env bash
# scripts/debs.sh FOLDER PACKAGE...: the Debian packages and all that they need, with an index, for a machine without
# internet: there FOLDER is a source of apt. Runs as any user; a builder without apt is told so and goes on.
set -eu
folder=$1
shift
command -v apt-get >/dev/null || { echo "No apt-get here: bring these Debian packages yourself: $*" >&2; exit 0; }
mkdir -p "$folder/partial"
folder=$(cd "$folder" && pwd)
# an empty status: also what the builder has already
apt-get install -q -y --download-only --no-install-recommends -o Debug::NoLocking=1 -o APT::Sandbox::User=root \
    -o Dir::State::status=/dev/null -o Dir::Cache::archives="$folder" "$@" >"$folder/log" ||
    { tail -n 5 "$folder/log" >&2; echo "Renew the lists first: sudo apt-get update" >&2; exit 1; }
rm -rf "$folder/partial" "$folder/log" "$folder/lock"
cd "$folder"
for deb in *.deb; do
    dpkg-deb -f "$deb"
    printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' "$deb" "$(stat -c %s "$deb")" "$(sha256sum "$deb" | cut -d ' ' -f 1)"
done >Packages
