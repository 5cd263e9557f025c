#!/usr/bin/env bash
# scripts/debian.sh PURPOSE PACKAGE...: install the Debian packages that are missing, where this user may.
# Otherwise say which are missing, what for and the command. Always ends well: what needs them says so itself.
set -u
purpose=$1
shift
missing=()
for package in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

explain() {
    printf '\n%s\n  Missing Debian packages, %s: %s\n  To install them:  sudo apt-get update && sudo apt-get install -y --no-install-recommends %s\n\n' \
        "$1" "$purpose" "${missing[*]}" "${missing[*]}" >&2
    exit 0
}

command -v apt-get >/dev/null || explain "This system has no apt-get; its own packages of the same programs will do."
if [ "$(id -u)" -eq 0 ]; then
    may=()
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    may=(sudo -n)
else
    explain "Neither root nor sudo without a password: going on without these."
fi
echo "Installing Debian packages, $purpose: ${missing[*]}"
apt() { "${may[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 "$@" >>"$log" 2>&1; }
log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt update || echo "apt-get update failed; trying with the lists that are here" >&2
apt install -y --no-install-recommends "${missing[@]}" || { tail -n 15 "$log" >&2; explain "apt-get could not install them: going on without these."; }
