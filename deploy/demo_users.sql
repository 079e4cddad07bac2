-- 100,000 people for deploy/demo: names of several languages, each address used once, joined over three years.

INSERT INTO users (name, email, created_at)
SELECT first || ' ' || last,
       lower(first || '.' || last) || '.' || n || '@' || domain,
       now() - (100000 - n) * interval '15 minutes'
FROM generate_series(1, 100000) AS n
CROSS JOIN LATERAL (
	SELECT (ARRAY['Ada', 'Alan', 'Aminata', 'Barbara', 'Chidi', 'Dennis', 'Edsger', 'Elif', 'Emmy', 'Frances', 'Grace', 'Hedy',
	              'Ines', 'Ivan', 'Jun', 'Katherine', 'Ken', 'Lars', 'Leila', 'Linus', 'Margaret', 'Mei', 'Niklaus', 'Olga',
	              'Priya', 'Radia', 'Rosa', 'Sofia', 'Tim', 'Tove', 'Yusuf', 'Zofia'])[1 + n % 32] AS first,
	       (ARRAY['Allen', 'Andersen', 'Borg', 'Costa', 'Demir', 'Dijkstra', 'Engel', 'Ferrari', 'Garcia', 'Hansen', 'Hopper',
	              'Ito', 'Ivanova', 'Jensen', 'Kowalski', 'Lamarr', 'Lopez', 'Mbeki', 'Nakamura', 'Noether', 'Okafor',
	              'Perlman', 'Quinn', 'Ritchie', 'Sato', 'Schmidt', 'Torvalds', 'Turing', 'Virtanen', 'Wang', 'Wirth', 'Yilmaz',
	              'Zimmermann'])[1 + n / 32 % 33] AS last,
	       (ARRAY['example.org', 'example.com', 'mail.example.net'])[1 + n % 3] AS domain
) AS parts
ORDER BY n;

ANALYZE users;
