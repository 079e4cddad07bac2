# rules.bash - what the rule scripts share. A rule is a function that prints the breaches it finds.
#
# Use:
#     . "$(dirname "$0")/rules.bash"
#     check "handlers free nothing" handlers_that_free
#     finish
#
# Each check prints "ok NAME" or "not ok NAME" with the breaches under it; finish exits with 1 after any "not ok".
# Scripts run in the top folder of the source. LEAT_BUILD is a build folder, for rules about what was built.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
build=${LEAT_BUILD:-build/dev}
broken=0

check() {
	local name=$1 breaches

	shift
	breaches=$("$@" 2>&1) || breaches+=" (the check itself failed)"
	if [[ -z $breaches ]]; then
		printf 'ok %s\n' "$name"
	else
		printf 'not ok %s\n' "$name"
		printf '%s\n' "$breaches" | sed 's/^/    /'
		broken=1
	fi
}

finish() {
	exit "$broken"
}

# grep that finds nothing without being an error.
search() {
	grep "$@" || [[ $? == 1 ]]
}
