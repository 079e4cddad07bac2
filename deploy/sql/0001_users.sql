-- People known to the service (handlers/users.c).

CREATE TABLE users (
	id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	name       text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 80),
	email      text NOT NULL UNIQUE CHECK (char_length(email) <= 254),
	created_at timestamptz NOT NULL DEFAULT now()
);

/* leat: down
DROP TABLE users;
*/
