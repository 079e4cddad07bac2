-- The tables that the backends read; :rows is the number of rows of each.

CREATE TABLE users (
	id bigint PRIMARY KEY,
	name text NOT NULL,
	email text NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now()
);

INSERT INTO users (id, name, email)
SELECT id, 'User ' || id, 'user' || id || '@example.org' FROM generate_series(1, :rows) AS id;

VACUUM ANALYZE users;

-- For requests of many statements, and updates. Pages have room for new versions of their rows, and nobody vacuums meanwhile.
CREATE TABLE numbers (
	id bigint PRIMARY KEY,
	value bigint NOT NULL
) WITH (fillfactor = 50, autovacuum_enabled = off);

INSERT INTO numbers (id, value)
SELECT id, 1 + id % 10000 FROM generate_series(1, :rows) AS id;

VACUUM ANALYZE numbers;
