/* listen.h - the sockets that front servers connect to: inherited, or opened here.
 *
 * Use:
 *     struct listeners listeners;
 *     if (!listen_open(&listeners, settings->listen, settings->listen_mode, settings->listen_backlog, error, sizeof(error))) ...
 *     if (!listen_inherit(&listeners)) ...                           -- false: nothing was inherited
 *     ...
 *     listen_close(&listeners, true);
 *
 * Inherited: descriptor 0 when it is a listening socket (spawn-fcgi, lighttpd's bin-path), or the descriptors from 3 on
 * that LISTEN_FDS and LISTEN_PID announce (systemd, sd_listen_fds(3)).
 *
 * Ownership:      the caller's until listen_close.
 * Thread-safety:  the main thread, before any other exists.
 * Errors:         listen_open is false with a sentence that names the address and what to do.
 */
#ifndef APP_FRONT_LISTEN_H
#define APP_FRONT_LISTEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LISTENERS_MAX = 16 };

struct listeners {
	int fds[LISTENERS_MAX];
	char *paths[LISTENERS_MAX]; /* Unix sockets made here; NULL: none to remove */
	unsigned count;
};

/* 'addresses': unix:/path, HOST:PORT, [IPv6]:PORT, separated by commas. Empty: none, which is fine. */
bool listen_open(struct listeners *listeners, const char *addresses, int64_t mode, int64_t backlog, char *error,
		 size_t error_size) __attribute__((warn_unused_result));

/* Whether the addresses can be read; nothing is opened. */
bool listen_check(const char *addresses, char *error, size_t error_size) __attribute__((warn_unused_result));

/* Takes over what was inherited; false when nothing was. */
bool listen_inherit(struct listeners *listeners) __attribute__((warn_unused_result));

/* What one listens on, for the log. */
void listen_describe(int fd, char *text, size_t size);

/* 'remove': unlink the Unix sockets that were made here; only the process that made them does. */
void listen_close(struct listeners *listeners, bool remove);

#endif
