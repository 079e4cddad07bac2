#!/usr/bin/env bash
# What the documents show is what the code says.
. "$(dirname "$0")/rules.bash"

# shown DOCUMENT SOURCE: lines of the document's C that are no lines of the source.
# shellcheck disable=SC2016
shown() {
	sed -n '/^ *```c$/,/^ *```$/p' "$1" | sed '/^ *```/d; s/^   //' | search -vxFf "$2"
}

# Links to files that are not there.
dead_links() {
	local document target

	for document in README.md */README.md */*/README.md; do
		search -oE '\]\([^):#]+\)' "$document" | tr -d ']()' | while read -r target; do
			[[ -e ${document%README.md}$target ]] || printf '%s: %s\n' "$document" "$target"
		done
	done
}

# Rows of the table of disagreements without a case, and cases without a row.
rows_without_case() {
	diff <(search -oE '^\| R[0-9]+ ' handlers/routing.md | tr -d '| ' | sort -u) \
		<(search -oE '("R|(^START_TEST|^	)\(?r)[0-9]+' tests/unit/t_router_cases.c | tr -dc '0-9\n' | sed 's/^/R/' | sort -u)
}

check "every row of handlers/routing.md is a test case" rows_without_case
check "README.md shows handlers/users.c" shown README.md handlers/users.c
check "handlers/README.md shows handlers/hello.c" shown handlers/README.md handlers/hello.c
check "links lead somewhere" dead_links
finish
