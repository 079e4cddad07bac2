#!/usr/bin/env bash
# What every file of the source keeps to.
. "$(dirname "$0")/rules.bash"

c_files() {
	find app handlers include tests -name '*.[ch]' -not -path '*/bench/peers/*' | sort
}

handlers_that_free() {
	search -nE '\b(free|malloc|calloc|realloc)\(' handlers/*.c
}

# A header is a contract: what it is, Use, Ownership, Thread-safety, Errors. Tables of rows are explained by the header that
# includes them; leat.h only lists its parts.
headers_without_contract() {
	local header

	for header in $(find app handlers include -name '*.h' -not -name '*_table.h' -not -name leat.h | sort); do
		awk -v name="${header##*/}" '
			BEGIN { split("Use,Ownership:,Thread-safety:,Errors:", want, ","); at = 1 }
			NR == 1 && index($0, name " - ") == 0 { exit }
			index($0, " * " want[at]) == 1 && ++at > 4 { whole = 1; exit }
			/\*\// { exit }
			END { exit !whole }' "$header" || printf '%s\n' "$header"
	done
}

files_without_a_first_comment() {
	local file

	for file in $(c_files); do
		[[ $(head -c 2 "$file") == '/*' ]] || printf '%s\n' "$file"
	done
}

line_comments() {
	c_files | xargs grep -nE '^([^"]*[[:space:];{}])?//' || [[ $? == 1 || $? == 123 ]]
}

unfinished_work() {
	c_files | xargs grep -nE '\b(TODO|FIXME|XXX|HACK)\b' || [[ $? == 1 || $? == 123 ]]
}

trailing_space() {
	c_files | xargs grep -nE '[[:space:]]+$' || [[ $? == 1 || $? == 123 ]]
}

scripts_that_shellcheck_faults() {
	command -v shellcheck >/dev/null || return 0
	shellcheck deploy/demo tests/run .ci/run autotools/build autotools/packages autotools/bootstrap tests/fuzz/run tests/rules/*.sh || true
}

check "handlers free nothing" handlers_that_free
check "every header has its five paragraphs" headers_without_contract
check "every file begins with a comment on its place" files_without_a_first_comment
check "comments are /* */" line_comments
check "no work is left for later" unfinished_work
check "no space at the end of lines" trailing_space
check "shellcheck finds no fault" scripts_that_shellcheck_faults
finish
