/* transfer.c - see transfer.h. What libcurl is told, and what it calls back; made by fetcher.c, ordered by fetch.c. */
#include "fetch/transfer.h"

#include <curl/curl.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "base/random.h"
#include "fetch/fetcher.h"
#include "fetch/guard.h"

enum {
	LINE_COST = 32, /* of a header, as HTTP/2 counts (RFC 9113 6.5.2): many short ones cost memory, too */
	HEAD_ROOM = 1024,
	BODY_ROOM = 4096,
};

_Static_assert(TRANSFER_WORDS_SIZE >= CURL_ERROR_SIZE, "libcurl writes its words there");

/* What comes ------------------------------------------------------------------------------------------------------------ */

static size_t refuse(struct transfer *transfer, enum leat_fetch_fault fault)
{
	if (transfer->fault == LEAT_FETCH_NONE)
		transfer->fault = fault;
	return 0;
}

/* A line of a head, or of a trailer, which is not kept. The heads of 1xx replies come before the one that counts. */
static size_t on_line(char *line, size_t size, size_t count, void *arg)
{
	struct transfer *transfer = arg;
	size_t len = size * count;

	if (!transfer->order)
		return 0;
	transfer->head_size += len + LINE_COST;
	if (transfer->head_size > transfer->order->head_max)
		return refuse(transfer, LEAT_FETCH_HEADERS);
	if (transfer->has_head)
		return len;
	if (len >= 5 && memcmp(line, "HTTP/", 5) == 0)
		transfer->head.len = 0;
	if (!transfer->head.data)
		buffer_init(&transfer->head, transfer->order->arena, HEAD_ROOM);
	buffer_bytes(&transfer->head, line, len);
	transfer->is_head_whole = line[0] == '\r' || line[0] == '\n';
	return len;
}

/* All of the body at once where its length is told and allowed. */
static size_t first_room(const struct transfer *transfer)
{
	curl_off_t told = -1;

	curl_easy_getinfo(transfer->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &told);
	return told > 0 && (uint64_t)told <= transfer->order->body_max ? (size_t)told : BODY_ROOM;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *arg)
{
	struct transfer *transfer = arg;
	size_t len = size * count;

	if (!transfer->order)
		return 0;
	transfer->has_head = true;
	if (transfer->body.len + len > transfer->order->body_max)
		return refuse(transfer, LEAT_FETCH_TOO_LARGE);
	if (!transfer->body.data)
		buffer_init(&transfer->body, transfer->order->arena, first_room(transfer));
	buffer_bytes(&transfer->body, bytes, len);
	return len;
}

/* What goes ------------------------------------------------------------------------------------------------------------- */

static size_t on_read(char *into, size_t size, size_t count, void *arg)
{
	struct transfer *transfer = arg;
	size_t len = size * count;

	if (!transfer->order)
		return CURL_READFUNC_ABORT;
	if (len > transfer->order->body.len - transfer->body_sent)
		len = transfer->order->body.len - transfer->body_sent;
	if (len > 0)
		memcpy(into, transfer->order->body.ptr + transfer->body_sent, len);
	transfer->body_sent += len;
	transfer->was_begun |= len > 0;
	return len;
}

static int on_seek(void *arg, curl_off_t offset, int origin)
{
	struct transfer *transfer = arg;

	if (!transfer->order || origin != SEEK_SET || offset < 0 || (size_t)offset > transfer->order->body.len)
		return CURL_SEEKFUNC_FAIL;
	transfer->body_sent = (size_t)offset;
	return CURL_SEEKFUNC_OK;
}

static bool may_reach(struct transfer *transfer, const struct address *address)
{
	if (guard_allows(address, transfer->order->public_only))
		return true;
	transfer->refused = *address;
	refuse(transfer, LEAT_FETCH_ADDRESS);
	return false;
}

/* Before each request, on a connection that is new, or was made for somebody with other rights.
 *
 * libcurl sends again what a kept connection has lost without an answer, whatever the method: the server may have done it all the same. A
 * request with a body that was not even begun has not been done. */
static int on_request(void *arg, char *to, char *from, int to_port, int from_port)
{
	struct transfer *transfer = arg;
	const struct order *order = transfer->order;
	bool again = transfer->was_sent;
	struct address address;

	(void)from, (void)to_port, (void)from_port;
	transfer->was_sent = true;
	if (!order || !address_read(leat_text_from(to), &address) || !may_reach(transfer, &address))
		return CURL_PREREQFUNC_ABORT;
	if (again && !order->is_idempotent && (order->body.len == 0 || transfer->was_begun)) {
		refuse(transfer, LEAT_FETCH_CUT);
		return CURL_PREREQFUNC_ABORT;
	}
	return CURL_PREREQFUNC_OK;
}

/* Connections ----------------------------------------------------------------------------------------------------------- */

/* The address is the one that is connected to next: nothing can change in between. */
static curl_socket_t on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *to)
{
	struct transfer *transfer = arg;
	struct address address;
	int fd;

	if (purpose != CURLSOCKTYPE_IPCXN || !transfer->order || !address_of_socket(&to->addr, &address))
		return CURL_SOCKET_BAD;
	if (!guard_allows(&address, transfer->order->public_only)) {
		transfer->refused = address; /* another one of its addresses may do */
		transfer->was_refused = true;
		return CURL_SOCKET_BAD;
	}
	fd = socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
	if (fd < 0)
		return CURL_SOCKET_BAD;
	link_open(&transfer->fetcher->links, fd);
	return fd;
}

static int on_close(void *arg, curl_socket_t fd)
{
	struct fetcher *fetcher = arg;

	link_close(&fetcher->links, fd);
	return close(fd);
}

/* Orders ---------------------------------------------------------------------------------------------------------------- */

static void add(struct curl_slist **list, const char *line)
{
	struct curl_slist *longer = curl_slist_append(*list, line);

	if (!longer)
		check_out_of_memory(strlen(line), "a call to another server");
	*list = longer;
}

/* Those of a family take turns at being the first. */
static void add_addresses(struct buffer *out, const struct addresses *addresses, bool of_v4)
{
	unsigned start = (unsigned)random_below(addresses->count);

	for (unsigned i = 0; i < addresses->count; i++) {
		const struct address *address = &addresses->items[(start + i) % addresses->count];
		char text[ADDRESS_TEXT_SIZE];

		if (address_is_v4(address) != of_v4)
			continue;
		address_write(text, address);
		buffer_format(out, of_v4 ? "%s%s" : "%s[%s]", out->data[out->len - 1] == ':' ? "" : ",", text);
	}
}

/* libcurl's cache is told, so that it does not ask by itself; "+": for its usual time, not for good. */
static void set_addresses(struct transfer *transfer, const struct order *order)
{
	const struct addresses *addresses = order->addresses;
	struct buffer line;
	bool is_v4;

	if (!addresses)
		return;
	is_v4 = address_is_v4(&addresses->items[0]);
	buffer_init(&line, order->arena, 256);
	buffer_format(&line, "+%s:%u:", order->target.host, order->target.port);
	add_addresses(&line, addresses, is_v4);
	add_addresses(&line, addresses, !is_v4);
	buffer_byte(&line, '\0');
	add(&transfer->resolve, line.data);
	curl_easy_setopt(transfer->easy, CURLOPT_RESOLVE, transfer->resolve);
}

/* Methods that mean nothing without a body say that it is empty. */
static bool wants_body(const struct order *order)
{
	return order->body.ptr || strcmp(order->method, "POST") == 0 || strcmp(order->method, "PUT") == 0 ||
	       strcmp(order->method, "PATCH") == 0;
}

static void set_method(struct transfer *transfer, const struct order *order)
{
	CURL *easy = transfer->easy;

	if (wants_body(order)) {
		curl_easy_setopt(easy, CURLOPT_POST, 1L);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)order->body.len);
		curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
		curl_easy_setopt(easy, CURLOPT_READDATA, transfer);
		curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_seek);
		curl_easy_setopt(easy, CURLOPT_SEEKDATA, transfer);
	} else if (strcmp(order->method, "HEAD") == 0) {
		curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
	}
	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, order->method);
}

static void set_callbacks(struct transfer *transfer)
{
	CURL *easy = transfer->easy;

	curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->words);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_line);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_request);
	curl_easy_setopt(easy, CURLOPT_PREREQDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close);
	curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, transfer->fetcher);
}

void transfer_set(struct transfer *transfer, const struct order *order)
{
	CURL *easy = transfer->easy;

	transfer->order = order;
	set_callbacks(transfer);
	set_method(transfer, order);
	set_addresses(transfer, order);
	for (const char **line = order->headers; *line; line++)
		add(&transfer->headers, *line);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->headers);
	curl_easy_setopt(easy, CURLOPT_URL, order->target.url);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* whatever the environment says */
	curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* waits for no resolver */
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)order->connect_timeout_ms);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(easy, CURLOPT_PIPEWAIT, order->target.is_tls ? 1L : 0L);
	if (*order->ca_file)
		curl_easy_setopt(easy, CURLOPT_CAINFO, order->ca_file);
}

/* The end --------------------------------------------------------------------------------------------------------------- */

static enum leat_fetch_fault fault_of(const struct transfer *transfer, CURLcode code)
{
	switch (code) {
	case CURLE_OK:
		return LEAT_FETCH_NONE;
	case CURLE_COULDNT_RESOLVE_HOST:
		return LEAT_FETCH_RESOLVE;
	case CURLE_COULDNT_CONNECT:
		return transfer->was_refused ? LEAT_FETCH_ADDRESS : LEAT_FETCH_CONNECT;
	case CURLE_OPERATION_TIMEDOUT:
		return LEAT_FETCH_CONNECT_TIMEOUT; /* the only one that libcurl is told of */
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_INVALIDCERTSTATUS:
		return LEAT_FETCH_TLS;
	case CURLE_PARTIAL_FILE:
		return LEAT_FETCH_LENGTH;
	case CURLE_GOT_NOTHING:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
		return LEAT_FETCH_CUT;
	case CURLE_OUT_OF_MEMORY: /* a line longer than libcurl takes */
		return LEAT_FETCH_HEADERS;
	default:
		return LEAT_FETCH_PROTOCOL;
	}
}

void transfer_end(struct transfer *transfer, int code)
{
	long status = 0;

	transfer->is_done = true;
	if (transfer->fault == LEAT_FETCH_NONE)
		transfer->fault = fault_of(transfer, (CURLcode)code);
	if (transfer->fault == LEAT_FETCH_NONE && !transfer->is_head_whole) { /* libcurl takes half a head for one */
		transfer->fault = LEAT_FETCH_CUT;
		snprintf(transfer->words, sizeof(transfer->words), "the reply ends in its head");
	}
	if (code != CURLE_OK && !transfer->words[0])
		snprintf(transfer->words, sizeof(transfer->words), "%s", curl_easy_strerror((CURLcode)code));
	curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	transfer->status = (int)status;
}

/* Life ------------------------------------------------------------------------------------------------------------------ */

void transfer_init(struct transfer *transfer, struct fetcher *fetcher)
{
	*transfer = (struct transfer){ .easy = curl_easy_init(), .fetcher = fetcher };
	if (!transfer->easy)
		check_out_of_memory(sizeof(*transfer), "a call to another server");
}

void transfer_clear(struct transfer *transfer)
{
	curl_easy_reset(transfer->easy);
	curl_slist_free_all(transfer->headers);
	curl_slist_free_all(transfer->resolve);
	*transfer = (struct transfer){ .easy = transfer->easy, .fetcher = transfer->fetcher };
}

void transfer_fini(struct transfer *transfer)
{
	transfer_clear(transfer);
	curl_easy_cleanup(transfer->easy);
}
