/* listen.c - see listen.h. Called by process.c, before the worker processes are made. */
#include "front/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/check.h"

enum { FIRST_SYSTEMD_FD = 3 };

#define INHERIT "inherit" /* the address that stands for what listen_inherit takes */

/* Inherited ----------------------------------------------------------------------------------------------------------- */

static bool is_listening(int fd)
{
	int on = 0;
	socklen_t size = sizeof(on);

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &size) == 0 && on;
}

static void adopt(struct listeners *listeners, int fd)
{
	if (listeners->count == LISTENERS_MAX || !is_listening(fd))
		return;
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	listeners->paths[listeners->count] = NULL;
	listeners->fds[listeners->count++] = fd;
}

static long environment_number(const char *name)
{
	const char *text = getenv(name);

	return text ? strtol(text, NULL, 10) : 0;
}

bool listen_inherit(struct listeners *listeners)
{
	long count = environment_number("LISTEN_PID") == (long)getpid() ? environment_number("LISTEN_FDS") : 0;

	listeners->count = 0;
	for (int fd = FIRST_SYSTEMD_FD; count > 0 && count <= LISTENERS_MAX && fd < FIRST_SYSTEMD_FD + count; fd++)
		adopt(listeners, fd);
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	if (listeners->count == 0)
		adopt(listeners, STDIN_FILENO);
	return listeners->count > 0;
}

/* Opened here --------------------------------------------------------------------------------------------------------- */

static bool say(char *error, size_t size, const char *address, const char *what, const char *advice)
{
	snprintf(error, size, "cannot listen on %s: %s%s%s", address, what, advice ? "; " : "", advice ? advice : "");
	return false;
}

/* A socket file that nobody answers on is left over from a server that was killed. */
static bool is_stale(const struct sockaddr_un *address)
{
	struct stat status;
	int fd;
	bool refused;

	if (lstat(address->sun_path, &status) != 0 || !S_ISSOCK(status.st_mode))
		return false;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	refused = fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof(*address)) != 0 && errno == ECONNREFUSED;
	if (fd >= 0)
		close(fd);
	return refused;
}

static int bind_unix(const struct sockaddr_un *address, int64_t mode)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	mode_t before;
	int bound;

	if (fd < 0)
		return -1;
	before = umask(0777 & ~(mode_t)mode); /* never open wider than it shall be, not even for a moment */
	bound = bind(fd, (const struct sockaddr *)address, sizeof(*address));
	umask(before);
	if (bound == 0 && chmod(address->sun_path, (mode_t)mode) == 0)
		return fd;
	close(fd);
	return -1;
}

static bool open_unix(struct listeners *listeners, const char *spec, int64_t mode, char *error, size_t error_size)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *path = spec + strlen("unix:");
	int fd;

	memcpy(address.sun_path, path, strlen(path) + 1);
	if (is_stale(&address))
		unlink(path);
	fd = bind_unix(&address, mode);
	if (fd < 0)
		return say(error, error_size, spec, strerror(errno),
			   errno == EADDRINUSE ? "another server listens there, or something that is no socket is in the way"
			   : errno == ENOENT   ? "make its folder first"
			   : errno == EACCES   ? "the folder must be writable for the user who starts leat"
					       : NULL);
	listeners->paths[listeners->count] = strdup(path);
	if (!listeners->paths[listeners->count])
		check_out_of_memory(strlen(path), "a socket's path");
	listeners->fds[listeners->count++] = fd;
	return true;
}

static int bind_tcp(const struct addrinfo *address)
{
	int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int one = 1;

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (address->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	if (bind(fd, address->ai_addr, address->ai_addrlen) == 0)
		return fd;
	close(fd);
	return -1;
}

/* Splits HOST:PORT or [IPv6]:PORT in place. */
static bool split_port(char *text, char **ret_host, char **ret_port)
{
	char *colon = strrchr(text, ':');

	if (!colon || colon == text || colon[1] == '\0')
		return false;
	*colon = '\0';
	*ret_port = colon + 1;
	*ret_host = text;
	if (text[0] == '[' && colon[-1] == ']') {
		colon[-1] = '\0';
		*ret_host = text + 1;
	}
	return true;
}

static bool check_one(const char *spec, char *error, size_t error_size)
{
	char text[512], *host, *port;

	snprintf(text, sizeof(text), "%s", spec);
	if (strcmp(spec, INHERIT) == 0)
		return true;
	if (strncmp(spec, "unix:", 5) == 0) {
		size_t len = strlen(spec + 5);

		if (spec[5] != '/' || len >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
			return say(error, error_size, spec, "a Unix socket's path begins with / and has at most 107 bytes", NULL);
	} else if (!split_port(text, &host, &port) || strspn(port, "0123456789") != strlen(port) || strtol(port, NULL, 10) > 65535) {
		return say(error, error_size, spec, "it is no address", "write unix:/path, HOST:PORT or [IPv6]:PORT");
	}
	return true;
}

static bool open_tcp(struct listeners *listeners, const char *spec, char *error, size_t error_size)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE };
	struct addrinfo *found;
	char text[512], *host, *port;
	int failure, fd;

	snprintf(text, sizeof(text), "%s", spec);
	LEAT_CHECK(split_port(text, &host, &port)); /* check_one() has seen it */
	failure = getaddrinfo(strcmp(host, "*") == 0 ? NULL : host, port, &hints, &found);
	if (failure != 0)
		return say(error, error_size, spec, gai_strerror(failure), NULL);
	fd = bind_tcp(found);
	freeaddrinfo(found);
	if (fd < 0)
		return say(error, error_size, spec, strerror(errno),
			   errno == EADDRINUSE ? "another server listens there" : NULL);
	listeners->paths[listeners->count] = NULL;
	listeners->fds[listeners->count++] = fd;
	return true;
}

static bool open_one(struct listeners *listeners, const char *spec, int64_t mode, int64_t backlog, char *error,
		     size_t error_size)
{
	bool is_unix = strncmp(spec, "unix:", 5) == 0;

	if (!check_one(spec, error, error_size))
		return false;
	if (strcmp(spec, INHERIT) == 0)
		return say(error, error_size, spec, "no socket was inherited",
			   "start leat by spawn-fcgi, lighttpd's bin-path or a systemd socket, or name an address");
	if (listeners->count == LISTENERS_MAX)
		return say(error, error_size, spec, "there are 16 addresses already", NULL);
	if (!(is_unix ? open_unix(listeners, spec, mode, error, error_size) : open_tcp(listeners, spec, error, error_size)))
		return false;
	if (listen(listeners->fds[listeners->count - 1], (int)backlog) != 0)
		return say(error, error_size, spec, strerror(errno), NULL);
	return true;
}

bool listen_check(const char *addresses, char *error, size_t error_size)
{
	char *copy = strdup(addresses), *rest = NULL;
	bool is_good = true;

	if (!copy)
		check_out_of_memory(strlen(addresses), "addresses");
	for (char *spec = strtok_r(copy, ", ", &rest); spec && is_good; spec = strtok_r(NULL, ", ", &rest))
		is_good = check_one(spec, error, error_size);
	free(copy);
	return is_good;
}

bool listen_open(struct listeners *listeners, const char *addresses, int64_t mode, int64_t backlog, char *error,
		 size_t error_size)
{
	char *copy = strdup(addresses), *rest = NULL;
	bool opened = true;

	if (!copy)
		check_out_of_memory(strlen(addresses), "addresses");
	listeners->count = 0;
	for (char *spec = strtok_r(copy, ", ", &rest); spec && opened; spec = strtok_r(NULL, ", ", &rest))
		opened = open_one(listeners, spec, mode, backlog, error, error_size);
	free(copy);
	if (!opened)
		listen_close(listeners, true);
	return opened;
}

/* ----------------------------------------------------------------------------------------------------------------------- */

void listen_describe(int fd, char *text, size_t size)
{
	struct sockaddr_storage address = { 0 };
	socklen_t address_size = sizeof(address);
	char host[256], port[32];

	if (getsockname(fd, (struct sockaddr *)&address, &address_size) != 0)
		snprintf(text, size, "descriptor %d", fd);
	else if (address.ss_family == AF_UNIX)
		snprintf(text, size, "unix:%s", ((struct sockaddr_un *)&address)->sun_path);
	else if (getnameinfo((struct sockaddr *)&address, address_size, host, sizeof(host), port, sizeof(port),
			     NI_NUMERICHOST | NI_NUMERICSERV) == 0)
		snprintf(text, size, address.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
	else
		snprintf(text, size, "descriptor %d", fd);
}

void listen_close(struct listeners *listeners, bool remove)
{
	for (unsigned i = 0; i < listeners->count; i++) {
		close(listeners->fds[i]);
		if (remove && listeners->paths[i])
			unlink(listeners->paths[i]);
		free(listeners->paths[i]);
	}
	listeners->count = 0;
}
