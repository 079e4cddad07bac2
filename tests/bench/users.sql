-- The table that every backend reads; :users is the number of rows.

CREATE TABLE users (
	id bigint PRIMARY KEY,
	name text NOT NULL,
	email text NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now()
);

INSERT INTO users (id, name, email)
SELECT id, 'User ' || id, 'user' || id || '@example.org' FROM generate_series(1, :users) AS id;

VACUUM ANALYZE users;
