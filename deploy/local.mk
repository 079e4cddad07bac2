# deploy: what operators take, and the demo.
man_MANS = deploy/man/leat.8
completiondir = $(datadir)/bash-completion/completions
dist_completion_DATA = deploy/completion/leat.bash

sqldir = $(pkgdatadir)/sql
dist_sql_DATA = deploy/share/idempotency.sql

EXTRA_DIST += \
	deploy/README.md \
	deploy/demo \
	deploy/demo_users.sql \
	deploy/leat.ini \
	deploy/lighttpd/lighttpd.conf \
	deploy/man/leat.8 \
	deploy/nginx/leat.conf \
	deploy/nginx/leat_params \
	deploy/nginx/nginx.conf \
	deploy/spawn-fcgi/README.md \
	deploy/sql/0001_users.sql
