# handlers: the example service, one file a subject.
noinst_LTLIBRARIES += libhandlers.la
libhandlers_la_SOURCES = \
	handlers/about.c \
	handlers/health.c \
	handlers/hello.c \
	handlers/table.c handlers/table.h \
	handlers/users.c
EXTRA_DIST += handlers/README.md handlers/caching.md handlers/coalescing.md handlers/edge.md handlers/fetching.md \
	handlers/idempotency.md handlers/rate.md handlers/routing.md
