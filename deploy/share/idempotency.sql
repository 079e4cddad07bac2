-- Idempotency keys, and the replies they had (leat/idempotency.h). Copy this to the service's migrations, under the next number.
--
-- Who asked is not to be seen here, nor is the request: digests of them. Replies are, as they were sent.
-- Old rows go by and by while there are requests with keys. At other times, or all at once:
--     DELETE FROM leat_idempotency WHERE expires_at <= now() AND lease_until <= now();

CREATE TABLE leat_idempotency (
	id           bytea PRIMARY KEY,           -- SHA-256 of caller, method, route and key
	request      bytea NOT NULL,              -- SHA-256 of method, path, query and body
	owner        bigint NOT NULL,             -- by chance; who works on it, or did
	lease_until  timestamptz NOT NULL,        -- no other may do so until then
	expires_at   timestamptz NOT NULL,
	route        text NOT NULL,               -- for people, as the next one
	key          text NOT NULL,
	status       integer,                     -- of the reply; NULL: there is none yet
	is_problem   boolean,                     -- it is a problem document of leat's (RFC 9457)
	content_type text,
	headers      bytea,                       -- "Name: value" lines
	body         bytea                        -- NULL, with a status: it was too large to be kept
);

CREATE INDEX leat_idempotency_expires_at ON leat_idempotency (expires_at);

/* leat: down
DROP TABLE leat_idempotency;
*/
