/* crowd - many clients that follow a stream of events, with as little work as can be: they share the machine with what is measured.
 *
 * Use:     crowd PORT PATH COUNT      -- on 127.0.0.1; ends by SIGTERM
 *
 * Each second a line goes to standard output: how many have got the head, the events with data that have arrived, and the streams that have
 * ended. At most 100 ask at a time, so that the front server's backlog does not refuse them.
 *
 * Limits:  an event is counted by its "\ndata: ", which must not be cut by the end of a receive: for short events, and measuring alone.
 */
#include <arpa/inet.h>
#include <err.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ASKING_MOST = 100, EVENTS_A_TURN = 256, TURN_MS = 100 };

static struct {
	int epoll_fd;
	struct sockaddr_in address;
	const char *path;
	long asked, begun, events, ended;
	bool *has_begun; /* by descriptor */
} crowd;

static void ask(void)
{
	struct epoll_event event = { .events = EPOLLIN };
	char request[512];
	int len = snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", crowd.path);

	event.data.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (event.data.fd < 0 || connect(event.data.fd, (struct sockaddr *)&crowd.address, sizeof(crowd.address)) != 0)
		err(1, "connection %ld", crowd.asked);
	if (write(event.data.fd, request, (size_t)len) != len ||
	    epoll_ctl(crowd.epoll_fd, EPOLL_CTL_ADD, event.data.fd, &event) != 0)
		err(1, "request %ld", crowd.asked);
	crowd.has_begun[event.data.fd] = false;
	crowd.asked++;
}

static void take(int fd)
{
	static const char mark[] = "\ndata: ";
	char bytes[65536];
	ssize_t len = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (len <= 0) {
		crowd.ended++;
		close(fd);
		return;
	}
	crowd.begun += !crowd.has_begun[fd];
	crowd.has_begun[fd] = true;
	for (const char *at = bytes; (at = memmem(at, (size_t)(bytes + len - at), mark, sizeof(mark) - 1)); at++)
		crowd.events++;
}

int main(int argc, char **argv)
{
	long count = argc == 4 ? atol(argv[3]) : 0;
	time_t told = time(NULL);

	if (count <= 0)
		errx(2, "usage: crowd PORT PATH COUNT");
	crowd.address = (struct sockaddr_in){ .sin_family = AF_INET,
					      .sin_port = htons((uint16_t)atoi(argv[1])),
					      .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	crowd.path = argv[2];
	crowd.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	crowd.has_begun = calloc((size_t)sysconf(_SC_OPEN_MAX), sizeof(bool));
	if (crowd.epoll_fd < 0 || !crowd.has_begun)
		err(1, "epoll");
	for (;;) {
		struct epoll_event events[EVENTS_A_TURN];
		int ready;

		while (crowd.asked < count && crowd.asked - crowd.begun < ASKING_MOST)
			ask();
		ready = epoll_wait(crowd.epoll_fd, events, EVENTS_A_TURN, TURN_MS);
		for (int i = 0; i < ready; i++)
			take(events[i].data.fd);
		if (time(NULL) != told) {
			told = time(NULL);
			printf("%ld %ld %ld\n", crowd.begun, crowd.events, crowd.ended);
			fflush(stdout);
		}
	}
}
