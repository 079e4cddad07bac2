/* handlers/users.c: people known to the service. */
#include <inttypes.h>
#include <leat.h>

/* What a client may set; 254 bytes are the longest address that mail can reach (RFC 5321 4.5.3.1.3). */
struct user_input {
	leat_text name;
	leat_text email;
};

static const struct leat_shape user_input_shape = LEAT_SHAPE(struct user_input,
	LEAT_TEXT(name, .min = 1, .max = 80),
	LEAT_TEXT(email, .max = 254, .format = LEAT_FORMAT_EMAIL));

struct user {
	int64_t id;
	leat_text name;
	leat_text email;
};

static const struct leat_shape user_shape = LEAT_SHAPE(struct user,
	LEAT_INT(id),
	LEAT_TEXT(name),
	LEAT_TEXT(email));

/* One page of users in the order of their ids; 'next' is what to ask for as ?after=, null on the last page. */
struct user_page {
	struct leat_list users;
	int64_t next;
	bool has_next;
};

static const struct leat_shape user_page_shape = LEAT_SHAPE(struct user_page,
	LEAT_LIST(users, &user_shape),
	LEAT_INT(next, .optional = true, .has = LEAT_HAS(struct user_page, has_next)));

LEAT_STATEMENT(user_by_id,
	.sql = "SELECT id, name, email FROM users WHERE id = $1",
	.row = &user_shape,
	.read_only = true);

LEAT_STATEMENT(users_after,
	.sql = "SELECT id, name, email FROM users WHERE id > $1 ORDER BY id LIMIT $2",
	.row = &user_shape,
	.read_only = true);

LEAT_STATEMENT(user_insert,
	.sql = "INSERT INTO users (name, email) VALUES ($1, $2) RETURNING id, name, email",
	.row = &user_shape);

LEAT_STATEMENT(user_update,
	.sql = "UPDATE users SET name = $2, email = $3 WHERE id = $1 RETURNING id, name, email",
	.row = &user_shape);

LEAT_STATEMENT(user_delete,
	.sql = "DELETE FROM users WHERE id = $1");

static enum leat_result get_user(struct leat_request *req)
{
	struct user user;

	LEAT_TRY(leat_db_one(req, &user_by_id, &user, LEAT_ARG(leat_path_int(req, "id"))));
	return leat_reply(req, 200, &user_shape, &user);
}

/* Asks for one row more than the page holds, to know whether another page follows. */
static enum leat_result list_users(struct leat_request *req)
{
	struct user_page page = { 0 };
	int64_t after, limit;
	enum leat_result after_read = leat_query_int(req, "after", 0, 0, INT64_MAX, &after);

	LEAT_TRY(leat_query_int(req, "limit", 20, 1, 100, &limit));
	LEAT_TRY(after_read); /* both were looked at: the client hears of every fault at once */
	LEAT_TRY(leat_db_all(req, &users_after, &page.users, LEAT_ARG(after), LEAT_ARG(limit + 1)));
	if (page.users.count > (size_t)limit) {
		const struct user *users = page.users.items;

		page.users.count = (size_t)limit;
		page.next = users[limit - 1].id;
		page.has_next = true;
	}
	return leat_reply(req, 200, &user_page_shape, &page);
}

/* The only constraint that good input can still break is the one on the address. */
static enum leat_result explain_conflict(struct leat_request *req, enum leat_result result)
{
	if (result == LEAT_CONFLICT)
		return leat_fail(req, result, "another user has this email");
	return result;
}

static enum leat_result create_user(struct leat_request *req)
{
	struct user_input input;
	struct user user;

	LEAT_TRY(leat_body(req, &user_input_shape, &input));
	LEAT_TRY(explain_conflict(req,
				  leat_db_one(req, &user_insert, &user, LEAT_ARG(input.name), LEAT_ARG(input.email))));
	LEAT_TRY(leat_reply_header(req, "Location", leat_format(req, "/api/users/%" PRId64, user.id)));
	return leat_reply(req, 201, &user_shape, &user);
}

static enum leat_result replace_user(struct leat_request *req)
{
	int64_t id = leat_path_int(req, "id");
	struct user_input input;
	struct user user;

	LEAT_TRY(leat_body(req, &user_input_shape, &input));
	LEAT_TRY(explain_conflict(
		req, leat_db_one(req, &user_update, &user, LEAT_ARG(id), LEAT_ARG(input.name), LEAT_ARG(input.email))));
	return leat_reply(req, 200, &user_shape, &user);
}

static enum leat_result delete_user(struct leat_request *req)
{
	int64_t count;

	LEAT_TRY(leat_db_exec(req, &user_delete, &count, LEAT_ARG(leat_path_int(req, "id"))));
	return count ? leat_reply_empty(req, 204) : LEAT_NOT_FOUND;
}

/* coalescing.md: many who ask for one user at the same moment cost one query, if the setting coalesce is on. */
static const struct leat_coalesce together = { .by_setting = true };
static const struct leat_middleware shared[] = { LEAT_COALESCE(&together), LEAT_MIDDLEWARE_END };

const struct leat_route users_routes[] = {
	{ LEAT_GET, "/api/users", list_users, .summary = "Users in the order of their ids, a page at a time",
	  .reply = &user_page_shape },
	{ LEAT_POST, "/api/users", create_user, .summary = "Adds a user", .body = &user_input_shape,
	  .reply = &user_shape, .status = 201 },
	{ LEAT_GET, "/api/users/{id:int}", get_user, .summary = "One user", .reply = &user_shape, .deadline_ms = 250,
	  .middleware = shared },
	{ LEAT_PUT, "/api/users/{id:int}", replace_user, .summary = "Replaces a user", .body = &user_input_shape,
	  .reply = &user_shape },
	{ LEAT_DELETE, "/api/users/{id:int}", delete_user, .summary = "Removes a user", .status = 204 },
	LEAT_ROUTES_END
};
