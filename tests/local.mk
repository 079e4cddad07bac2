# tests: Check programs, one a module or a part of it; services and peers for the web and hostile tests. See tests/README.md.
unit_programs = \
	tests/unit/t_accept \
	tests/unit/t_accesslog \
	tests/unit/t_arena \
	tests/unit/t_argument \
	tests/unit/t_auth \
	tests/unit/t_background \
	tests/unit/t_base64 \
	tests/unit/t_batch \
	tests/unit/t_bouncer \
	tests/unit/t_breaker \
	tests/unit/t_breaker_machine \
	tests/unit/t_bucket \
	tests/unit/t_bucket_table \
	tests/unit/t_cache \
	tests/unit/t_calendar \
	tests/unit/t_client \
	tests/unit/t_coalesce \
	tests/unit/t_command_line \
	tests/unit/t_condition \
	tests/unit/t_copy \
	tests/unit/t_cookie \
	tests/unit/t_cors \
	tests/unit/t_crash \
	tests/unit/t_db \
	tests/unit/t_db_deadlines \
	tests/unit/t_db_kinds \
	tests/unit/t_db_losses \
	tests/unit/t_db_prepared \
	tests/unit/t_db_several \
	tests/unit/t_edge \
	tests/unit/t_flight \
	tests/unit/t_forwarded \
	tests/unit/t_fetch_guard \
	tests/unit/t_gate \
	tests/unit/t_gate_order \
	tests/unit/t_gate_params \
	tests/unit/t_gate_properties \
	tests/unit/t_gate_values \
	tests/unit/t_http_date \
	tests/unit/t_json_read \
	tests/unit/t_json_read_kinds \
	tests/unit/t_json_read_lists \
	tests/unit/t_json_read_numbers \
	tests/unit/t_json_read_texts \
	tests/unit/t_json_write \
	tests/unit/t_kept \
	tests/unit/t_lag \
	tests/unit/t_lend \
	tests/unit/t_listener \
	tests/unit/t_idempotency \
	tests/unit/t_idempotency_key \
	tests/unit/t_jwt \
	tests/unit/t_log \
	tests/unit/t_metrics \
	tests/unit/t_metrics_route \
	tests/unit/t_middleware \
	tests/unit/t_migrate \
	tests/unit/t_migrate_alone \
	tests/unit/t_migrate_pooler \
	tests/unit/t_migrate_split \
	tests/unit/t_migrate_together \
	tests/unit/t_migrate_undo \
	tests/unit/t_notify \
	tests/unit/t_miscount \
	tests/unit/t_multipart \
	tests/unit/t_number \
	tests/unit/t_openapi \
	tests/unit/t_output \
	tests/unit/t_offload \
	tests/unit/t_problem \
	tests/unit/t_random \
	tests/unit/t_rate \
	tests/unit/t_reader \
	tests/unit/t_respawn \
	tests/unit/t_retry \
	tests/unit/t_router \
	tests/unit/t_router_cases \
	tests/unit/t_router_kinds \
	tests/unit/t_routes \
	tests/unit/t_row \
	tests/unit/t_semaphore \
	tests/unit/t_session \
	tests/unit/t_rows \
	tests/unit/t_rows_columns \
	tests/unit/t_rows_end \
	tests/unit/t_rows_memory \
	tests/unit/t_rows_tx \
	tests/unit/t_settings \
	tests/unit/t_settings_shown \
	tests/unit/t_settings_sources \
	tests/unit/t_shareable \
	tests/unit/t_shared \
	tests/unit/t_siphash \
	tests/unit/t_slow \
	tests/unit/t_spool \
	tests/unit/t_supervisor \
	tests/unit/t_task \
	tests/unit/t_task_shield \
	tests/unit/t_timer \
	tests/unit/t_topic \
	tests/unit/t_tx \
	tests/unit/t_tx_loss \
	tests/unit/t_tx_retry \
	tests/unit/t_uri \
	tests/unit/t_url \
	tests/unit/t_utf8 \
	tests/unit/t_uuid \
	tests/unit/t_verify \
	tests/unit/t_version

if HAVE_CHECK
noinst_LTLIBRARIES += libharness.la
libharness_la_SOURCES = tests/unit/harness.c \
	tests/unit/arena_stand.h \
	tests/unit/db_stand.h \
	tests/unit/gate_script.h \
	tests/unit/harness.h \
	tests/unit/json_reading.h \
	tests/unit/migrate_folder.h \
	tests/unit/people.h \
	tests/unit/postgres.h \
	tests/unit/router_stand.h \
	tests/unit/rows_reading.h \
	tests/unit/settings_stand.h
libharness_la_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)

check_PROGRAMS += $(unit_programs)
TESTS += $(unit_programs)
endif
LDADD = libharness.la libleat-all.la $(CHECK_LIBS) $(PQ_LIBS)

check_PROGRAMS += tests/web/testbed
tests_web_testbed_SOURCES = tests/web/testbed.c tests/web/testbed_replica.c
tests_web_testbed_LDADD = libleat.la

check_PROGRAMS += tests/web/surface/surface
tests_web_surface_surface_SOURCES = \
	tests/web/surface/auth.c \
	tests/web/surface/caching.c \
	tests/web/surface/coalesce.c \
	tests/web/surface/edge.c \
	tests/web/surface/guard.c \
	tests/web/surface/crash.c \
	tests/web/surface/docs.c \
	tests/web/surface/idempotency.c \
	tests/web/surface/input.c \
	tests/web/surface/main.c \
	tests/web/surface/middleware.c \
	tests/web/surface/output.c \
	tests/web/surface/rate.c
tests_web_surface_surface_LDADD = libleat.la

check_PROGRAMS += tests/web/edge
tests_web_edge_LDADD = libleat.la

check_PROGRAMS += tests/web/fetching
tests_web_fetching_LDADD = libleat.la

check_PROGRAMS += tests/web/routing
tests_web_routing_LDADD = libleat.la

# A peer that uses libfcgi as it comes, to show which faults leat's front keeps away.
check_PROGRAMS += tests/hostile/plain_responder
tests_hostile_plain_responder_LDADD = $(FCGI_LIBS)

check_PROGRAMS += tests/bench/bench_breaker
tests_bench_bench_breaker_LDADD = libleat-all.la

check_PROGRAMS += tests/bench/bench_router
tests_bench_bench_router_LDADD = libleat-all.la

check_PROGRAMS += tests/bench/bench_json
tests_bench_bench_json_LDADD = libleat-all.la

check_PROGRAMS += tests/bench/bench_rate
tests_bench_bench_rate_LDADD = libleat-all.la

check_PROGRAMS += tests/bench/canned
tests_bench_canned_LDADD =

check_PROGRAMS += tests/bench/crowd
tests_bench_crowd_LDADD =

check_PROGRAMS += tests/bench/service
tests_bench_service_LDADD = libhandlers.la libleat.la

check_PROGRAMS += tests/soak/service
tests_soak_service_LDADD = libleat.la

EXTRA_DIST += \
	tests/README.md \
	tests/bench/README.md \
	tests/bench/alloc_count.c \
	tests/bench/bench.py \
	tests/bench/coalesce.py \
	tests/bench/gauge.py \
	tests/bench/load.lua \
	tests/bench/nginx.conf.in \
	tests/bench/peers/fasthttp/main.go \
	tests/bench/peers/gin/main.go \
	tests/bench/peers/routers/main.go \
	tests/bench/peers/store/store.go \
	tests/bench/pgbench.py \
	tests/bench/routers.py \
	tests/bench/routes.py \
	tests/bench/stand.py \
	tests/bench/streams.py \
	tests/bench/tables.sql \
	tests/data/routes/README.md \
	tests/data/routes/github.tsv \
	tests/data/routes/gplus.tsv \
	tests/data/routes/parse.tsv \
	tests/data/routes/static.tsv \
	tests/demo/test_demo.py \
	tests/fuzz/README.md \
	tests/fuzz/fuzz_condition.c \
	tests/fuzz/fuzz_cookie.c \
	tests/fuzz/fuzz_forwarded.c \
	tests/fuzz/fuzz_gate.c \
	tests/fuzz/fuzz_json.c \
	tests/fuzz/fuzz_router.c \
	tests/fuzz/fuzz_jwt.c \
	tests/fuzz/fuzz_multipart.c \
	tests/fuzz/fuzz_output.c \
	tests/fuzz/fuzz_row.c \
	tests/fuzz/fuzz_uri.c \
	tests/fuzz/fuzz_urlencoded.c \
	tests/fuzz/in_arena.h \
	tests/fuzz/replay.h \
	tests/fuzz/run \
	tests/fuzz/seeds.py \
	tests/hostile/conftest.py \
	tests/hostile/fcgi.py \
	tests/hostile/test_hostile_peers.py \
	tests/hostile/test_libfcgi_faults.py \
	tests/install/service.c \
	tests/install/test_install.py \
	tests/rules/build.sh \
	tests/rules/documents.sh \
	tests/rules/layers.sh \
	tests/rules/rules.bash \
	tests/rules/source.sh \
	tests/run \
	tests/run.py \
	tests/soak/faults.py \
	tests/soak/kinds.py \
	tests/soak/load.py \
	tests/soak/soak.py \
	tests/soak/stand.py \
	tests/soak/verdict.py \
	tests/soak/watch.py \
	tests/unit/with-postgres \
	tests/web/auth_files.py \
	tests/web/conftest.py \
	tests/web/counting.py \
	tests/web/fastcgi.py \
	tests/web/hole.py \
	tests/web/servers.py \
	tests/web/test_auth.py \
	tests/web/test_caching.py \
	tests/web/test_coalesce.py \
	tests/web/test_command_line.py \
	tests/web/test_connections.py \
	tests/web/test_cors.py \
	tests/web/test_database.py \
	tests/web/test_database_addresses.py \
	tests/web/test_database_copy.py \
	tests/web/test_database_faults.py \
	tests/web/test_database_hosts.py \
	tests/web/test_database_listening.py \
	tests/web/test_database_tls.py \
	tests/web/test_deploy.py \
	tests/web/test_docs.py \
	tests/web/test_draining.py \
	tests/web/misbehaving.py \
	tests/web/test_edge.py \
	tests/web/test_fetch.py \
	tests/web/test_fetch_nginx.py \
	tests/web/test_guard.py \
	tests/web/test_http.py \
	tests/web/test_idempotency.py \
	tests/web/test_input.py \
	tests/web/test_lifecycle.py \
	tests/web/test_listening.py \
	tests/web/test_events.py \
	tests/web/test_files.py \
	tests/web/test_openapi.py \
	tests/web/test_operations.py \
	tests/web/test_rows.py \
	tests/web/test_routing.py \
	tests/web/test_replica.py \
	tests/web/test_output.py \
	tests/web/test_service.py \
	tests/web/test_streams.py \
	tests/fuzz/corpus
