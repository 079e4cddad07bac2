#!/usr/bin/env bash
# Who may include whom (app/README.md).
. "$(dirname "$0")/rules.bash"

# outside FOLDER LAYER...: includes with quotes, in the files of FOLDER, that lie in none of the layers.
outside() {
	local folder=$1 allowed

	shift
	allowed=$(IFS='|'; printf '%s' "$*")
	search -rnE '^#include "' "$folder" --include='*.[ch]' | search -vE "#include \"(($allowed)/|config\.h\")"
}

# used_elsewhere HEADER-PATTERN OWNER-PATTERN: files that include a third party's header and do not own it.
used_elsewhere() {
	search -rnE "^#include <($1)>" app handlers include --include='*.[ch]' | search -vE "^($2):"
}

private_includes() {
	search -rnE '^#include "' include --include='*.h'
	search -rhoE '^#include <leat[^>]*>' include --include='*.h' | search -vE '<leat(\.h|/[a-z]+\.h)>'
}

check "include/ includes nothing private" private_includes
check "handlers include leat.h alone" outside handlers handlers
check "base includes base alone" outside app/base base
check "task includes task and base" outside app/task task base
check "http includes http, task and base" outside app/http http task base
check "front includes front, http, task and base" outside app/front front http task base
check "guard includes guard, task and base" outside app/guard guard task base
check "fetch includes fetch, http, task and base" outside app/fetch fetch http task base
check "back includes back, task and base" outside app/back back task base

check "libfcgi is used by front/fcgi.c alone" used_elsewhere '(fcgi.*|fastcgi)\.h' 'app/front/fcgi\.c'
check "libpq is used by back alone" used_elsewhere '(libpq|postgres).*\.h' 'app/back/[a-z_]+\.[ch]'
check "libcurl is used by fetch alone" used_elsewhere 'curl/.*\.h' 'app/fetch/[a-z_]+\.c'
check "libinih is used by base/settings.c alone" used_elsewhere 'ini\.h' 'app/base/settings\.c'
check "libpcre2 is used by base/regex.c alone" used_elsewhere 'pcre2.*\.h' 'app/base/regex\.c'
check "OpenSSL is used by http/crypto.c alone" used_elsewhere 'openssl/.*\.h' 'app/http/crypto\.c'
check "libcrypt is used by http/password.c alone" used_elsewhere 'crypt\.h' 'app/http/password\.c'
check "no header of ours shows a third party's types" used_elsewhere '(fcgi|fastcgi|libpq|postgres|curl|ini\.h|pcre2|openssl|crypt\.h).*' 'app/[a-z_/]+\.c'
finish
