/* canned - the limit: the least that a FastCGI responder can do.
 *
 * It walks over the records of a request up to the empty STDIN record that ends it, understands
 * nothing else, and sends the same bytes every time. One process, one thread, one epoll; a request
 * costs one read, one send and its share of epoll_wait. Connections are kept open.
 *
 * Use:     canned SOCKET      -- a path for the Unix socket; ends by SIGTERM
 *
 * Limits:  the request id is taken to be 1, as nginx and lighttpd send it, and the reply to fit into
 *          the socket's buffer. It is for measuring behind such a server and for nothing else.
 */
#include <err.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { FCGI_END_REQUEST = 3, FCGI_STDIN = 5, FCGI_STDOUT = 6 };
enum { HEADER_LEN = 8 };

#define BODY        "{\"message\":\"hello\"}"
#define CONTENT     "Content-Type: application/json\r\nContent-Length: 19\r\n\r\n" BODY
#define CONTENT_LEN (sizeof(CONTENT) - 1)

_Static_assert(sizeof(BODY) - 1 == 19, "Content-Length tells the body's length");
_Static_assert(CONTENT_LEN < 256, "the content's length fits into the low byte of its header");

/* Bytes only, so the compiler adds none between them. */
static const struct {
	uint8_t content_header[HEADER_LEN];
	char content[CONTENT_LEN];
	uint8_t end_of_stdout[HEADER_LEN];
	uint8_t end_of_request[HEADER_LEN + 8];
} reply = {
	.content_header = { 1, FCGI_STDOUT, 0, 1, 0, CONTENT_LEN },
	.content = CONTENT,
	.end_of_stdout = { 1, FCGI_STDOUT, 0, 1 },
	.end_of_request = { 1, FCGI_END_REQUEST, 0, 1, 0, 8 },
};

struct connection {
	int fd;
	size_t skip; /* bytes of the current record's content and padding still to come */
	size_t have; /* bytes of the next header that are here */
	uint8_t header[HEADER_LEN];
};

static int listen_at(const char *path);
static void watch(int epoll, int fd, struct connection *connection);
static void welcome(int epoll, int listener);
static bool serve(struct connection *connection);
static unsigned walk(struct connection *connection, const uint8_t *data, size_t len);

int main(int argc, char **argv)
{
	struct epoll_event events[64];
	int listener, epoll;

	if (argc != 2)
		errx(2, "usage: canned SOCKET");
	listener = listen_at(argv[1]);
	epoll = epoll_create1(EPOLL_CLOEXEC);
	if (epoll < 0)
		err(1, "epoll_create1");
	watch(epoll, listener, NULL);

	for (;;) {
		int count = epoll_wait(epoll, events, 64, -1);

		for (int i = 0; i < count; i++) {
			struct connection *connection = events[i].data.ptr;

			if (!connection) {
				welcome(epoll, listener);
			} else if (!serve(connection)) {
				close(connection->fd);
				free(connection);
			}
		}
	}
}

static int listen_at(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (snprintf(address.sun_path, sizeof(address.sun_path), "%s", path) >= (int)sizeof(address.sun_path))
		errx(2, "%s: too long for a Unix socket", path);
	unlink(path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 1024) < 0)
		err(1, "%s", path);
	return fd;
}

static void watch(int epoll, int fd, struct connection *connection)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = connection };

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0)
		err(1, "epoll_ctl");
}

static void welcome(int epoll, int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct connection *connection;

	if (fd < 0)
		return;
	connection = calloc(1, sizeof(*connection));
	if (!connection)
		err(1, "calloc");
	connection->fd = fd;
	watch(epoll, fd, connection);
}

/* Takes what has come and answers the requests that ended with it. False: the connection is over. */
static bool serve(struct connection *connection)
{
	static uint8_t data[16 * 1024];
	ssize_t len = read(connection->fd, data, sizeof(data));

	if (len <= 0)
		return false;
	for (unsigned ended = walk(connection, data, (size_t)len); ended > 0; ended--)
		if (send(connection->fd, &reply, sizeof(reply), MSG_NOSIGNAL) != (ssize_t)sizeof(reply))
			return false;
	return true;
}

/* Walks over records, however they are cut. Returns the number of requests that ended. */
static unsigned walk(struct connection *connection, const uint8_t *data, size_t len)
{
	uint8_t *header = connection->header;
	unsigned ended = 0;

	for (size_t at = 0; at < len;) {
		if (connection->skip > 0) {
			size_t step = connection->skip < len - at ? connection->skip : len - at;

			connection->skip -= step;
			at += step;
			continue;
		}
		header[connection->have++] = data[at++];
		if (connection->have == HEADER_LEN) {
			size_t content_len = (size_t)header[4] << 8 | header[5];

			connection->have = 0;
			connection->skip = content_len + header[6];
			ended += header[1] == FCGI_STDIN && content_len == 0;
		}
	}
	return ended;
}
