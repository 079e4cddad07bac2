# app: libleat, and the program's main.
leat_headers = \
	include/leat/accept.h \
	include/leat/after.h \
	include/leat/auth.h \
	include/leat/breaker.h \
	include/leat/cache.h \
	include/leat/client.h \
	include/leat/coalesce.h \
	include/leat/cors.h \
	include/leat/db.h \
	include/leat/event.h \
	include/leat/fetch.h \
	include/leat/form.h \
	include/leat/idempotency.h \
	include/leat/input.h \
	include/leat/limit.h \
	include/leat/middleware.h \
	include/leat/openapi.h \
	include/leat/problem.h \
	include/leat/rate.h \
	include/leat/reply.h \
	include/leat/request.h \
	include/leat/result.h \
	include/leat/route.h \
	include/leat/rows.h \
	include/leat/security.h \
	include/leat/semaphore.h \
	include/leat/service.h \
	include/leat/shape.h \
	include/leat/stream.h \
	include/leat/text.h \
	include/leat/url.h \
	include/leat/value.h \
	include/leat/version.h

include_HEADERS = include/leat.h
leatincludedir = $(includedir)/leat
leatinclude_HEADERS = $(leat_headers)

# Everything, for the library and for unit tests that look inside.
noinst_LTLIBRARIES += libleat-all.la
libleat_all_la_SOURCES = \
	app/back/alone.c app/back/alone.h \
	app/back/argument.c app/back/argument.h \
	app/back/cancel.c app/back/cancel.h \
	app/back/column.c app/back/column.h \
	app/back/copy.c \
	app/back/db.c app/back/db.h app/back/db_internal.h \
	app/back/dial.c app/back/dial.h \
	app/back/fault.c app/back/fault.h \
	app/back/lag.c app/back/lag.h \
	app/back/lane.c app/back/lane.h app/back/lane_internal.h \
	app/back/lane_answer.c app/back/lane_late.c app/back/lane_lent.c app/back/lane_send.c \
	app/back/lane_set.c app/back/lane_set.h \
	app/back/lend.c app/back/lend.h \
	app/back/listener.c app/back/listener.h \
	app/back/migrate.c app/back/migrate.h \
	app/back/migrate_file.c app/back/migrate_file.h \
	app/back/migrate_pooler.c app/back/migrate_pooler.h \
	app/back/migrate_run.c app/back/migrate_run.h \
	app/back/migrate_server.c app/back/migrate_server.h \
	app/back/migrate_split.c app/back/migrate_split.h \
	app/back/notify.c app/back/notify.h \
	app/back/query.c app/back/query.h \
	app/back/replica.c app/back/replica.h app/back/replica_internal.h \
	app/back/replica_look.c \
	app/back/retry.c app/back/retry.h \
	app/back/row.c app/back/row.h \
	app/back/rows.c \
	app/back/session.c \
	app/back/statement.c app/back/statement.h \
	app/back/stream.c app/back/stream.h \
	app/back/verify.c app/back/verify.h \
	app/base/annotate.h \
	app/base/arena.c app/base/arena.h \
	app/base/base64.c app/base/base64.h \
	app/base/bucket.c app/base/bucket.h \
	app/base/bucket_table.c app/base/bucket_table.h \
	app/base/buffer.c app/base/buffer.h \
	app/base/calendar.c app/base/calendar.h \
	app/base/check.c app/base/check.h \
	app/base/clock.h \
	app/base/linetext.c app/base/linetext.h \
	app/base/log.c app/base/log.h \
	app/base/logtext.c app/base/logtext.h \
	app/base/metrics.c app/base/metrics.h \
	app/base/metrics_route.c app/base/metrics_route.h \
	app/base/metrics_table.h \
	app/base/modules.c app/base/modules.h \
	app/base/number.c app/base/number.h \
	app/base/random.c app/base/random.h \
	app/base/regex.c app/base/regex.h \
	app/base/settings.c app/base/settings.h \
	app/base/settings_kind.c app/base/settings_kind.h \
	app/base/settings_print.c \
	app/base/settings_table.h \
	app/base/shared.c app/base/shared.h \
	app/base/siphash.c app/base/siphash.h \
	app/base/utf8.c app/base/utf8.h \
	app/base/uuid.c app/base/uuid.h \
	app/base/word.h \
	app/command_line.c app/command_line.h \
	app/fetch/fetch.c \
	app/fetch/fetcher.c app/fetch/fetcher.h \
	app/fetch/guard.c app/fetch/guard.h \
	app/fetch/head.c app/fetch/head.h \
	app/fetch/host.c app/fetch/host.h \
	app/fetch/link.c app/fetch/link.h \
	app/fetch/lookup.c app/fetch/lookup.h \
	app/fetch/target.c app/fetch/target.h \
	app/fetch/transfer.c app/fetch/transfer.h \
	app/front/abandon.c app/front/abandon.h \
	app/front/connection.c app/front/connection.h \
	app/front/exchange.c app/front/exchange.h \
	app/front/fcgi.c app/front/fcgi.h \
	app/front/gate.c app/front/gate.h \
	app/front/listen.c app/front/listen.h \
	app/front/poller.c app/front/poller.h \
	app/guard/breaker.c app/guard/breaker.h \
	app/guard/breaker_machine.c app/guard/breaker_machine.h \
	app/guard/breaker_print.c app/guard/breaker_print.h \
	app/guard/semaphores.c app/guard/semaphores.h \
	app/http/accept.c app/http/accept.h \
	app/http/accesslog.c app/http/accesslog.h \
	app/http/address.c app/http/address.h \
	app/http/after.c app/http/after.h \
	app/http/auth.c app/http/auth.h \
	app/http/auth_basic.c \
	app/http/auth_jwt.c \
	app/http/auth_key.c \
	app/http/body.c \
	app/http/cache.c \
	app/http/cache_control.c app/http/cache_control.h \
	app/http/client.c app/http/client.h \
	app/http/coalesce.c \
	app/http/coalesce_route.c \
	app/http/condition.c app/http/condition.h \
	app/http/cookie.c app/http/cookie.h \
	app/http/cors.c app/http/cors.h \
	app/http/credentials.c app/http/credentials.h \
	app/http/crypto.c app/http/crypto.h \
	app/http/docs.c app/http/docs.h \
	app/http/etag.c \
	app/http/event_text.c app/http/event_text.h \
	app/http/events.c \
	app/http/field.c app/http/field.h \
	app/http/flight_request.c app/http/flight_request.h \
	app/http/form.c \
	app/http/forwarded.c app/http/forwarded.h \
	app/http/header.c app/http/header.h \
	app/http/http_date.c app/http/http_date.h \
	app/http/idempotency.c \
	app/http/idempotency_key.c app/http/idempotency_key.h \
	app/http/idempotency_table.c app/http/idempotency_table.h \
	app/http/json_lex.c app/http/json_lex.h \
	app/http/json_put.c app/http/json_put.h \
	app/http/json_read.c app/http/json_read.h \
	app/http/json_scan.h \
	app/http/json_write.c app/http/json_write.h \
	app/http/jwks.c app/http/jwks.h \
	app/http/jwt.c app/http/jwt.h \
	app/http/kept.c app/http/kept.h \
	app/http/keyfile.c app/http/keyfile.h \
	app/http/limit.c \
	app/http/media_type.c app/http/media_type.h \
	app/http/method.c app/http/method.h \
	app/http/middleware.c app/http/middleware.h \
	app/http/middleware_check.c \
	app/http/multipart.c app/http/multipart.h \
	app/http/openapi.c app/http/openapi.h app/http/openapi_internal.h \
	app/http/openapi_path.c \
	app/http/openapi_reply.c \
	app/http/openapi_schema.c \
	app/http/openapi_security.c \
	app/http/openapi_serve.c \
	app/http/origin.c app/http/origin.h \
	app/http/pairs.c app/http/pairs.h \
	app/http/parameter.c app/http/parameter.h \
	app/http/params.c app/http/params.h \
	app/http/password.c app/http/password.h \
	app/http/pattern.c app/http/pattern.h \
	app/http/problem.c app/http/problem.h \
	app/http/problems.c app/http/problems.h \
	app/http/problem_read.c app/http/problem_read.h \
	app/http/range.c app/http/range.h \
	app/http/rate.c \
	app/http/redirect.c app/http/redirect.h \
	app/http/reply.c \
	app/http/request.c app/http/request.h \
	app/http/request_id.c app/http/request_id.h \
	app/http/response.c app/http/response.h \
	app/http/router.c app/http/router.h \
	app/http/router_build.c \
	app/http/router_tree.h \
	app/http/routes.c app/http/routes.h \
	app/http/security.c \
	app/http/segment.c app/http/segment.h \
	app/http/send_file.c \
	app/http/set_cookie.c app/http/set_cookie.h \
	app/http/shareable.c app/http/shareable.h \
	app/http/shared_reply.c app/http/shared_reply.h \
	app/http/spool.c app/http/spool.h \
	app/http/stream.c app/http/stream.h \
	app/http/uri.c app/http/uri.h \
	app/http/url.c app/http/url.h \
	app/http/version.c app/http/version.h \
	app/http/words.c app/http/words.h \
	app/ops/admin.c app/ops/admin.h \
	app/ops/metrics_guard.c app/ops/metrics_guard.h \
	app/ops/metrics_text.c app/ops/metrics_text.h \
	app/ops/respawn.c app/ops/respawn.h \
	app/ops/supervisor.c app/ops/supervisor.h \
	app/pipeline.c app/pipeline.h \
	app/process.c app/process.h \
	app/route_print.c app/route_print.h \
	app/service.c \
	app/task/background.c app/task/background.h \
	app/task/call.h \
	app/task/crash.c app/task/crash.h \
	app/task/crash_report.c app/task/crash_report.h \
	app/task/flight.c app/task/flight.h \
	app/task/held.h \
	app/task/loop.c app/task/loop.h \
	app/task/offload.c app/task/offload.h \
	app/task/queue.c app/task/queue.h \
	app/task/reader.c app/task/reader.h \
	app/task/semaphore.c app/task/semaphore.h \
	app/task/stack.c app/task/stack.h \
	app/task/switch.c app/task/switch.h \
	app/task/task.c app/task/task.h \
	app/task/task_internal.h \
	app/task/timer.c app/task/timer.h \
	app/task/topic.c app/task/topic.h \
	app/task/wait.c app/task/wait.h \
	app/task/waiters.c app/task/waiters.h \
	app/worker.c app/worker.h
libleat_all_la_LIBADD = $(CRYPT_LIBS) $(CRYPTO_LIBS) $(CURL_LIBS) $(FCGI_LIBS) $(INIH_LIBS) $(PCRE2_LIBS) $(PQ_LIBS)

# The page of LEAT_DOCS as C strings.
docs_parts = app/http/docs/page.html.inc app/http/docs/page.css.inc app/http/docs/page.js.inc
EXTRA_DIST += app/http/docs/page.html app/http/docs/page.css app/http/docs/page.js
CLEANFILES = $(docs_parts)
$(docs_parts): app/http/docs/%.inc: $(srcdir)/app/http/docs/%
	$(AM_V_GEN)mkdir -p app/http/docs && sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^/"/' -e 's/$$/\\n"/' $< >$@.new && mv $@.new $@
app/http/docs.lo: $(docs_parts)

# OS_* stand in for libfcgi's own: the dynamic linker meets libleat first.
lib_LTLIBRARIES += libleat.la
libleat_la_SOURCES =
libleat_la_LIBADD = libleat-all.la
libleat_la_LDFLAGS = -version-info 0:0:0 -export-symbols-regex '^(leat_|OS_)'

bin_PROGRAMS += leat
leat_SOURCES = app/main.c
leat_LDADD = libhandlers.la libleat.la

EXTRA_DIST += app/README.md
