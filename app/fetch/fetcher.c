/* fetcher.c - see fetcher.h. Between libcurl and the loop; made by worker.c, used by fetch.c. */
#include "fetch/fetcher.h"

#include <curl/curl.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/settings.h"
#include "task/task.h"

enum { IDLE_TRANSFERS = 64 };

#define TEND_NS CLOCK_S

void fetcher_setup(void)
{
	LEAT_CHECK(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
}

/* What has ended ------------------------------------------------------------------------------------------------------- */

static void take_off(struct fetcher *fetcher, struct transfer *transfer)
{
	curl_multi_remove_handle(fetcher->multi, transfer->easy);
	host_leave(transfer->host);
	transfer->host = NULL;
}

static void take_finished(struct fetcher *fetcher)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(fetcher->multi, &left))) {
		struct transfer *transfer;

		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&transfer);
		if (!transfer->order)
			continue; /* it is among those given up */
		transfer_end(transfer, message->data.result);
		take_off(fetcher, transfer);
		task_wake(transfer->waiter, LEAT_OK);
	}
}

static void put_aside(struct fetcher *fetcher, struct transfer *transfer)
{
	transfer_clear(transfer);
	if (fetcher->idle_count == IDLE_TRANSFERS) {
		transfer_fini(transfer);
		free(transfer);
		return;
	}
	transfer->next = fetcher->idle;
	fetcher->idle = transfer;
	fetcher->idle_count++;
}

static void on_turn_end(struct loop_turn *turn)
{
	struct fetcher *fetcher = (struct fetcher *)((char *)turn - offsetof(struct fetcher, turn));

	while (fetcher->given_up) {
		struct transfer *transfer = fetcher->given_up;

		fetcher->given_up = transfer->next;
		take_off(fetcher, transfer);
		put_aside(fetcher, transfer);
	}
}

/* What the loop tells --------------------------------------------------------------------------------------------------- */

static void act(struct fetcher *fetcher, curl_socket_t fd, int what)
{
	int running;

	curl_multi_socket_action(fetcher->multi, fd, what, &running);
	take_finished(fetcher);
}

static void on_event(void *arg, int fd, uint32_t events)
{
	act(arg, fd,
	    (events & (EPOLLIN | EPOLLHUP | EPOLLRDHUP) ? CURL_CSELECT_IN : 0) |
		    (events & EPOLLOUT ? CURL_CSELECT_OUT : 0) | (events & EPOLLERR ? CURL_CSELECT_ERR : 0));
}

static void on_timer(struct loop_timer *timer)
{
	act((struct fetcher *)((char *)timer - offsetof(struct fetcher, timer)), CURL_SOCKET_TIMEOUT, 0);
}

static void tend_later(struct fetcher *fetcher)
{
	if (fetcher->tend.heap_index == 0)
		loop_timer_set(fetcher->loop, &fetcher->tend, loop_now_ns(fetcher->loop) + TEND_NS);
}

static void on_tend(struct loop_timer *timer)
{
	struct fetcher *fetcher = (struct fetcher *)((char *)timer - offsetof(struct fetcher, tend));

	hosts_tend(&fetcher->hosts, loop_now_ns(fetcher->loop));
	links_tend(&fetcher->links, loop_now_ns(fetcher->loop));
	if (fetcher->hosts.count > 0 || fetcher->links.idle_count > 0)
		tend_later(fetcher);
}

/* What libcurl wants ---------------------------------------------------------------------------------------------------- */

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *nothing)
{
	struct fetcher *fetcher = arg;
	uint32_t events = (what & CURL_POLL_IN ? EPOLLIN : 0) | (what & CURL_POLL_OUT ? EPOLLOUT : 0);

	(void)easy, (void)nothing;
	return link_watch(&fetcher->links, fd, what == CURL_POLL_REMOVE ? 0 : events) ? 0 : -1;
}

static int on_timeout(CURLM *multi, long ms, void *arg)
{
	struct fetcher *fetcher = arg;

	(void)multi;
	if (ms < 0)
		loop_timer_clear(fetcher->loop, &fetcher->timer);
	else
		loop_timer_set(fetcher->loop, &fetcher->timer,
			       ms == 0 ? loop_now_ns(fetcher->loop) : clock_now_ns() + ms * CLOCK_MS);
	return 0;
}

/* Transfers ------------------------------------------------------------------------------------------------------------- */

struct transfer *fetcher_take(struct fetcher *fetcher)
{
	struct transfer *transfer = fetcher->idle;

	if (transfer) {
		fetcher->idle = transfer->next;
		fetcher->idle_count--;
		return transfer;
	}
	transfer = calloc(1, sizeof(*transfer));
	if (!transfer)
		check_out_of_memory(sizeof(*transfer), "a call to another server");
	transfer_init(transfer, fetcher);
	return transfer;
}

void fetcher_start(struct fetcher *fetcher, struct transfer *transfer, struct host *host)
{
	transfer->waiter = task_self();
	transfer->host = host;
	LEAT_CHECK(curl_multi_add_handle(fetcher->multi, transfer->easy) == CURLM_OK);
	tend_later(fetcher);
}

void fetcher_give(struct fetcher *fetcher, struct transfer *transfer)
{
	if (!transfer->host) {
		put_aside(fetcher, transfer);
		return;
	}
	transfer->order = NULL;
	transfer->next = fetcher->given_up;
	fetcher->given_up = transfer;
	loop_at_turn_end(fetcher->loop, &fetcher->turn);
}

/* Life ------------------------------------------------------------------------------------------------------------------ */

static void set_up_multi(struct fetcher *fetcher)
{
	long most = (long)fetcher->settings->fetch_connections;

	curl_multi_setopt(fetcher->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(fetcher->multi, CURLMOPT_SOCKETDATA, fetcher);
	curl_multi_setopt(fetcher->multi, CURLMOPT_TIMERFUNCTION, on_timeout);
	curl_multi_setopt(fetcher->multi, CURLMOPT_TIMERDATA, fetcher);
	curl_multi_setopt(fetcher->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, most);
	curl_multi_setopt(fetcher->multi, CURLMOPT_MAX_HOST_CONNECTIONS,
			  (long)fetcher->settings->fetch_host_connections);
	curl_multi_setopt(fetcher->multi, CURLMOPT_MAXCONNECTS, most);
}

struct fetcher *fetcher_new(struct loop *loop, const struct settings *settings, struct offload *resolving)
{
	struct fetcher *fetcher = calloc(1, sizeof(*fetcher));

	if (!fetcher)
		check_out_of_memory(sizeof(*fetcher), "the HTTP client");
	fetcher->loop = loop;
	fetcher->settings = settings;
	fetcher->timer.fn = on_timer;
	fetcher->tend.fn = on_tend;
	fetcher->turn.fn = on_turn_end;
	fetcher->multi = curl_multi_init();
	if (!fetcher->multi)
		check_out_of_memory(sizeof(*fetcher), "the HTTP client");
	hosts_init(&fetcher->hosts, loop, settings, resolving);
	links_init(&fetcher->links, loop, settings, on_event, fetcher);
	set_up_multi(fetcher);
	return fetcher;
}

void fetcher_free(struct fetcher *fetcher)
{
	if (!fetcher)
		return;
	on_turn_end(&fetcher->turn);
	while (fetcher->idle) {
		struct transfer *transfer = fetcher->idle;

		fetcher->idle = transfer->next;
		transfer_fini(transfer);
		free(transfer);
	}
	curl_multi_cleanup(fetcher->multi);
	loop_timer_clear(fetcher->loop, &fetcher->timer);
	loop_timer_clear(fetcher->loop, &fetcher->tend);
	loop_poll(fetcher->loop, 0); /* the end of a turn, for what is left to free */
	links_fini(&fetcher->links);
	hosts_fini(&fetcher->hosts);
	free(fetcher);
}
