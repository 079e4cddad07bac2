#!/usr/bin/env bash
# What was built: the library's symbols, and the example of the settings.
. "$(dirname "$0")/rules.bash"

# OS_* is the layer of libfcgi that leat supplies itself.
foreign_symbols() {
	nm -D --defined-only "$build/.libs/libleat.so" | awk '{ print $3 }' | search -vE '^(leat_|OS_)'
}

# Every symbol with external linkage inside begins with its file's first word, so that a reader knows where it lives:
# router_new in router_build.c, waiter_grant in waiters.c.
symbols_without_module() {
	local object module

	for object in $(find "$build/app" -name '*.o' -path '*/.libs/*' | sort); do
		module=$(basename "$object" .o)
		module=${module#libleat_all_la-}
		module=${module%%_*}
		module=${module%s}
		nm -g --defined-only "$object" | awk -v module="$module" '
			$3 !~ "^(_*leat_|OS_|__|main$)" && index($3, module) != 1 { print module ".c: " $3 }'
	done
}

# The example file is what the table of settings says.
example_settings() {
	diff deploy/leat.ini <("$build/leat" config --defaults)
}

check "libleat exports leat_* and OS_* alone" foreign_symbols
check "internal names begin with their module" symbols_without_module
check "deploy/leat.ini is what leat config --defaults prints" example_settings
finish
