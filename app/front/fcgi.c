/* fcgi.c - see fcgi.h. The only user of libfcgi. */
#include "front/fcgi.h"

#include <errno.h>
#include <fcgiapp.h>
#include <fcgios.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "front/connection.h"
#include "task/loop.h"
#include "task/task.h"

struct fcgi {
	FCGX_Request request;
};

enum { NO_SOCKET = -1 };

/* The OS layer ------------------------------------------------------------------------------------------------------ */

#define PORT __attribute__((visibility("default")))

static struct exchange *current_exchange(void)
{
	const struct connection *connection = task_arg(task_self());

	return connection->exchange;
}

PORT int OS_Read(int fd, char *buf, size_t len)
{
	(void)fd;
	return (int)exchange_read(current_exchange(), (uint8_t *)buf, len);
}

PORT int OS_Write(int fd, char *buf, size_t len)
{
	(void)fd;
	return (int)exchange_write(current_exchange(), (const uint8_t *)buf, len);
}

/* Connections are the poller's to close. */
PORT int OS_IpcClose(int fd, int shutdown)
{
	(void)fd, (void)shutdown;
	return 0;
}

/* libfcgi turns to this when a request broke off; there is no other one for it. */
PORT int OS_Accept(int listen_sock, int fail_on_intr, const char *web_server_addresses)
{
	(void)listen_sock, (void)fail_on_intr, (void)web_server_addresses;
	errno = EBADF;
	return -1;
}

PORT int OS_LibInit(int stdio_fds[3])
{
	(void)stdio_fds;
	return 0;
}

PORT void OS_LibShutdown(void)
{
}

PORT void OS_ShutdownPending(void)
{
}

PORT int OS_IsFcgi(int sock)
{
	(void)sock;
	return 1;
}

PORT int OS_CreateLocalIpcFd(const char *bind_path, int backlog)
{
	(void)bind_path, (void)backlog;
	errno = ENOTSUP;
	return -1;
}

/* A request --------------------------------------------------------------------------------------------------------- */

enum exchange_verdict fcgi_serve(struct exchange *exchange)
{
	struct fcgi fcgi;

	exchange_begin(exchange);
	FCGX_InitRequest(&fcgi.request, NO_SOCKET, 0);
	fcgi.request.ipcFd = exchange->connection->fd;
	fcgi.request.keepConnection = 1; /* libfcgi would begin by closing it */
	exchange->fcgi = &fcgi;
	/* Success is not enough: libfcgi takes the end of a connection within PARAMS for their end. The gate knows better. */
	if (FCGX_Accept_r(&fcgi.request) == 0 &&
	    (exchange->gate.state == GATE_BODY || exchange->gate.state == GATE_DONE)) {
		exchange->connection->fcgi_id = exchange->gate.request_id;
		exchange->front->serve(exchange, exchange->front->serve_arg);
		exchange->connection->serving = NULL;
	} else {
		exchange->is_discarding = true;
	}
	connection_answered(exchange->connection);
	exchange->is_finishing = true;
	FCGX_Finish_r(&fcgi.request);
	exchange->fcgi = NULL;
	return exchange_end(exchange);
}

const char *const *fcgi_params(const struct exchange *exchange)
{
	return (const char *const *)exchange->fcgi->request.envp;
}

/* What libfcgi has decoded already; it would wait for all of what it is asked for. */
static size_t decoded(const FCGX_Stream *stream, size_t size)
{
	size_t len = (size_t)(stream->stop - stream->rdNext);

	return len < size ? len : size;
}

size_t fcgi_read(struct exchange *exchange, char *into, size_t size)
{
	FCGX_Stream *in = exchange->fcgi->request.in;
	size_t have = 0;

	if (size > 0 && decoded(in, size) == 0)
		have = FCGX_GetStr(into, 1, in) == 1;
	if (have < size && decoded(in, size - have) > 0)
		have += (size_t)FCGX_GetStr(into + have, (int)decoded(in, size - have), in);
	return have;
}

void fcgi_write(struct exchange *exchange, const char *bytes, size_t size)
{
	while (size > 0) {
		size_t part = size < INT32_MAX ? size : INT32_MAX;

		if (FCGX_PutStr(bytes, (int)part, exchange->fcgi->request.out) < 0)
			return; /* the exchange has kept the fault */
		bytes += part;
		size -= part;
	}
}

void fcgi_settle(struct exchange *exchange)
{
	FCGX_Request *request = &exchange->fcgi->request;

	FCGX_FClose(request->err); /* nothing was ever written to it, so this writes nothing either */
	FCGX_FreeStream(&request->err);
}

void fcgi_flush(struct exchange *exchange)
{
	FCGX_FFlush(exchange->fcgi->request.out); /* the exchange keeps the fault */
	exchange_flush(exchange);
}

void fcgi_cut(struct exchange *exchange)
{
	FCGX_FFlush(exchange->fcgi->request.out);
	exchange_cut(exchange);
}

/* The self-test ------------------------------------------------------------------------------------------------------ */

/* BEGIN_REQUEST (RESPONDER, not kept), PARAMS {"A": "b"}, empty PARAMS, empty STDIN: all of request 1. */
static const uint8_t test_request[] = {
	1, 1, 0, 1, 0, 8, 0, 0, 0, 1, 0,   0,   0, 0, 0, 0, /* BEGIN_REQUEST */
	1, 4, 0, 1, 0, 4, 0, 0, 1, 1, 'A', 'b',             /* PARAMS */
	1, 4, 0, 1, 0, 0, 0, 0,                             /* their end */
	1, 5, 0, 1, 0, 0, 0, 0,                             /* no body */
};

static void answer_test(struct exchange *exchange, void *arg)
{
	bool *ret_decoded = arg;
	const char *value = FCGX_GetParam("A", exchange->fcgi->request.envp);

	*ret_decoded = value && strcmp(value, "b") == 0;
	fcgi_write(exchange, "ok", 2);
}

static void run_test(void *arg)
{
	struct connection *connection = arg;
	struct exchange exchange;

	exchange_init(&exchange, connection, connection->front, test_request, sizeof(test_request));
	connection->exchange = &exchange;
	fcgi_serve(&exchange);
	exchange_fini(&exchange);
}

/* The request never was on the socket: libfcgi can only have it from our OS_Read. */
static bool passes_self_test(struct loop *loop, int ours, int theirs)
{
	bool decoded = false;
	struct front front = { .loop = loop,
			       .arenas = arena_pool_new(0),
			       .limits = { .params_size = 1024, .params_count = 8 },
			       .header_timeout_ns = CLOCK_S,
			       .send_timeout_ns = CLOCK_S,
			       .serve = answer_test,
			       .serve_arg = &decoded };
	struct connection connection = { .fd = ours, .front = &front, .is_watched = true };
	uint8_t reply[256];
	bool passed = false;

	if (shutdown(theirs, SHUT_WR) == 0 && task_start(loop, run_test, &connection)) {
		ssize_t n = recv(theirs, reply, sizeof(reply), MSG_DONTWAIT);

		passed = decoded && n > 10 && memcmp(reply + 8, "ok", 2) == 0;
	}
	arena_pool_free(front.arenas);
	return passed;
}

bool fcgi_init(struct loop *loop, char *error, size_t error_size)
{
	int pair[2];
	bool passed;

	if (FCGX_Init() != 0) {
		snprintf(error, error_size, "libfcgi: FCGX_Init failed");
		return false;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
		snprintf(error, error_size, "socketpair: %s", strerror(errno));
		return false;
	}
	passed = passes_self_test(loop, pair[0], pair[1]);
	close(pair[0]);
	close(pair[1]);
	if (!passed)
		snprintf(error, error_size,
			 "libfcgi does not use leat's OS layer (OS_Read, OS_Write): libleat must come before libfcgi "
			 "when the program is "
			 "linked, and the program must not be linked with -Bsymbolic; see app/front/fcgi.h");
	return passed;
}

/* Refusing ------------------------------------------------------------------------------------------------------------ */

enum { BEGIN_REQUEST = 1, END_REQUEST = 3, STDOUT = 6 };

static size_t put_record(uint8_t *at, uint8_t type, uint16_t id, leat_text content)
{
	const uint8_t header[8] = {
		1, type, (uint8_t)(id >> 8), (uint8_t)id, (uint8_t)(content.len >> 8), (uint8_t)content.len, 0, 0
	};

	memcpy(at, header, sizeof(header));
	memcpy(at + sizeof(header), content.ptr, content.len);
	return sizeof(header) + content.len;
}

size_t fcgi_whole_reply(uint8_t *out, uint16_t id, leat_text text)
{
	size_t size = put_record(out, STDOUT, id, text);

	size += put_record(out + size, STDOUT, id, (leat_text){ "", 0 });
	return size + put_record(out + size, END_REQUEST, id, (leat_text){ "\0\0\0\0\0\0\0", 8 });
}

size_t fcgi_refusal(uint8_t reply[FCGI_REFUSAL_SIZE], const uint8_t *request, size_t len)
{
	static const char
		body[] = "{\"type\":\"about:blank\",\"title\":\"Service unavailable\",\"status\":503,"
			 "\"detail\":\"The service stops, or works on as many requests as it may (requests_max).\"}";
	char text[FCGI_REFUSAL_SIZE];
	int text_size;

	_Static_assert(sizeof(body) + 200 <= FCGI_REFUSAL_SIZE, "the refusal fits");
	if (len < 8 || request[0] != 1 || request[1] != BEGIN_REQUEST)
		return 0;
	text_size = snprintf(
		text, sizeof(text),
		"Status: 503 Service Unavailable\r\nContent-Type: application/problem+json\r\nRetry-After: 1\r\n"
		"Content-Length: %zu\r\n\r\n%s",
		sizeof(body) - 1, body);
	return fcgi_whole_reply(reply, (uint16_t)(request[2] << 8 | request[3]),
				(leat_text){ text, (size_t)text_size });
}
