/* plain_responder.c - libfcgi as its examples use it: threads that block in FCGX_Accept_r.
 *
 * The hostile tests show with it that the faults they look for in leat happen where nothing guards libfcgi:
 *     plain_responder SOCKET THREADS
 * The main thread is one of them. It answers the requests of tests/web/testbed as far as those tests need them, and
 * writes a line for each request to standard output: method, URI, user. */
#include <fcgiapp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BACKLOG = 128, MOST_THREADS = 16 };

static int listen_fd;

static const char *param(const FCGX_Request *request, const char *name)
{
	const char *value = FCGX_GetParam(name, request->envp);

	return value ? value : "";
}

static void start_reply(const FCGX_Request *request)
{
	FCGX_PutS("Status: 200 OK\r\nContent-Type: text/plain\r\n\r\n", request->out);
}

static void hello(FCGX_Request *request, const char *rest)
{
	(void)rest;
	start_reply(request);
	FCGX_PutS("{\"message\":\"hello\"}", request->out);
}

static void echo(FCGX_Request *request, const char *rest)
{
	char piece[4096];
	int size;

	(void)rest;
	start_reply(request);
	while ((size = FCGX_GetStr(piece, sizeof(piece), request->in)) > 0)
		FCGX_PutStr(piece, size, request->out);
}

/* Answers and leaves the body unread. */
static void ignore(FCGX_Request *request, const char *rest)
{
	(void)rest;
	start_reply(request);
	FCGX_PutS("ignored", request->out);
}

static void nap(FCGX_Request *request, const char *rest)
{
	usleep((useconds_t)atoi(rest) * 1000);
	hello(request, rest);
}

static void env(FCGX_Request *request, const char *rest)
{
	(void)rest;
	start_reply(request);
	for (char **at = request->envp; *at; at++)
		FCGX_FPrintF(request->out, "%s\n", *at);
}

/* An appStatus of its own. */
static void fail(FCGX_Request *request, const char *rest)
{
	start_reply(request);
	FCGX_SetExitStatus(atoi(rest), request->out);
}

static const struct {
	const char *prefix;
	void (*handler)(FCGX_Request *request, const char *rest);
} routes[] = {
	{ "/echo", echo }, { "/ignore", ignore }, { "/sleep/", nap },
	{ "/env", env },   { "/fail/", fail },    { "", hello },
};

static void serve(FCGX_Request *request)
{
	const char *uri = param(request, "REQUEST_URI");
	size_t i = 0;

	while (strncmp(uri, routes[i].prefix, strlen(routes[i].prefix)) != 0)
		i++;
	routes[i].handler(request, uri + strlen(routes[i].prefix));
	printf("%s %s %s\n", param(request, "REQUEST_METHOD"), uri, param(request, "REMOTE_USER"));
}

static void *worker(void *unused)
{
	FCGX_Request request;

	FCGX_InitRequest(&request, listen_fd, 0);
	while (FCGX_Accept_r(&request) == 0) {
		serve(&request);
		FCGX_Finish_r(&request);
	}
	return unused;
}

int main(int argc, char **argv)
{
	int threads = argc == 3 ? atoi(argv[2]) : 0;
	pthread_t thread[MOST_THREADS];

	if (threads < 1 || threads > MOST_THREADS) {
		fprintf(stderr, "usage: plain_responder SOCKET THREADS (1 to %d)\n", MOST_THREADS);
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	FCGX_Init();
	listen_fd = FCGX_OpenSocket(argv[1], BACKLOG);
	for (int i = 1; i < threads; i++)
		pthread_create(&thread[i], NULL, worker, NULL);
	worker(NULL);
	for (int i = 1; i < threads; i++)
		pthread_join(thread[i], NULL);
	return 0;
}
