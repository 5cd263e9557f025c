#!/usr/bin/env bash
# scripts/again.sh PYTEST: tests of real processes may be late beside each other on a busy machine. What failed is run
# once more, alone and in plain sight, and what fails again fails the build. Many failures are no accident.
set -euo pipefail
most=5
failed=$("$1" --collect-only --quiet --last-failed --last-failed-no-failures none 2>/dev/null | grep -c '::' || true)
if [ "$failed" -eq 0 ] || [ "$failed" -gt "$most" ]; then
	exit 1
fi
printf '\n%s tests failed beside others; once more, alone:\n' "$failed"
exec "$1" --verbose --last-failed --last-failed-no-failures none
